"""The command `mizan`: every process and every tool of an operator or a finance officer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import click

from ops.database import database, service_pool
from ops.logs import configure_logs
from ops.migrate import MigrationError, migrate
from ops.postgres import PostgresError
from ops.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from gateway.deps import Deps as GatewayDeps
    from ops.commands.ledger import Books
    from ops.wiring import Parts
    from reconciliation.deps import Deps as NightDeps


class _Commands(click.Group):
    """Loads a command's module when the command is asked for: a web process need not load what prints reports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            return _ELSEWHERE[cmd_name]()
        return super().get_command(ctx, cmd_name)


def _nightly() -> click.Command:
    from ops.commands.night import nightly_command  # noqa: PLC0415 - see _Commands

    return nightly_command(night)


def _report() -> click.Command:
    from ops.commands.report import report_command  # noqa: PLC0415 - see _Commands

    return report_command(night)


def _finance() -> click.Command:
    from ops.commands.finance import finance_command  # noqa: PLC0415 - see _Commands
    from ops.wiring import signing_key  # noqa: PLC0415 - see _Commands

    return finance_command(night, lambda: signing_key(settings()))


def _catalogue() -> click.Command:
    from ops.commands.catalogue import catalogue_command  # noqa: PLC0415 - see _Commands

    return catalogue_command(gateway)


def _tariff() -> click.Command:
    from ops.commands.catalogue import tariff_command  # noqa: PLC0415 - see _Commands

    return tariff_command(gateway)


def _ledger() -> click.Command:
    from ops.commands.day import seal_command  # noqa: PLC0415 - see _Commands
    from ops.commands.ledger import ledger_group  # noqa: PLC0415 - see _Commands
    from ops.commands.running import runner  # noqa: PLC0415 - see _Commands
    from ops.wiring import signing_key  # noqa: PLC0415 - see _Commands

    group = ledger_group(books)
    group.add_command(seal_command(runner(night), lambda: signing_key(settings())))
    return group


def _statement() -> click.Command:
    from ops.commands.inspect import statement_group  # noqa: PLC0415 - see _Commands

    return statement_group


def _settlement() -> click.Command:
    from ops.commands.inspect import settlement_group  # noqa: PLC0415 - see _Commands

    return settlement_group


def _provider() -> click.Command:
    from ops.commands.provider import provider_group  # noqa: PLC0415 - see _Commands
    from ops.commands.routing import switches  # noqa: PLC0415 - see _Commands

    for command in switches(parts):
        provider_group.add_command(command)
    return provider_group


def _callers() -> click.Command:
    from ops.commands.callers import caller_group  # noqa: PLC0415 - see _Commands

    return caller_group(gateway)


def _refund() -> click.Command:
    from ops.commands.refund import refund_group  # noqa: PLC0415 - see _Commands

    return refund_group(parts)


def _review() -> click.Command:
    from ops.commands.review import review_group  # noqa: PLC0415 - see _Commands

    return review_group(parts)


def _message() -> click.Command:
    from ops.commands.message import message_group  # noqa: PLC0415 - see _Commands

    return message_group(parts)


def _transfer() -> click.Command:
    from ops.commands.transfer import transfer_group  # noqa: PLC0415 - see _Commands

    return transfer_group(parts)


def _routing() -> click.Command:
    from ops.commands.routing import routing_command  # noqa: PLC0415 - see _Commands

    return routing_command(parts)


def _centre() -> click.Command:
    from ops.commands.centre import centre_group  # noqa: PLC0415 - see _Commands

    return centre_group(gateway)


def _demo() -> click.Command:
    from ops.commands.demo import demo  # noqa: PLC0415 - see _Commands

    return demo


def _bench() -> click.Command:
    from ops.commands.bench import bench  # noqa: PLC0415 - see _Commands

    return bench


_ELSEWHERE: Final[Mapping[str, Callable[[], click.Command]]] = {
    "nightly": _nightly,
    "report": _report,
    "finance": _finance,
    "catalogue": _catalogue,
    "tariff": _tariff,
    "ledger": _ledger,
    "statement": _statement,
    "settlement": _settlement,
    "provider": _provider,
    "caller": _callers,
    "message": _message,
    "centre": _centre,
    "refund": _refund,
    "review": _review,
    "transfer": _transfer,
    "routing": _routing,
    "demo": _demo,
    "bench": _bench,
}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mizan")
def main() -> None:
    """Take a government's payments: checkout, books, reconciliation, payouts."""


def settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@asynccontextmanager
async def parts() -> AsyncIterator[Parts]:
    """Open everything a command may need, over the running Mizan's database or its own."""
    from ops.wiring import assemble  # noqa: PLC0415 - see _Commands

    effective = settings()
    configure_logs("warning", process="command")
    try:
        async with database(effective) as url, assemble(effective, url, pool_size_max=4) as made:
            yield made
    except (PostgresError, MigrationError, SettingsError) as error:
        raise click.ClickException(str(error)) from None


@asynccontextmanager
async def night() -> AsyncIterator[NightDeps]:
    async with parts() as made:
        yield made.night


@asynccontextmanager
async def gateway() -> AsyncIterator[GatewayDeps]:
    async with parts() as made:
        yield made.gateway


@asynccontextmanager
async def books() -> AsyncIterator[Books]:
    """Open the ledger alone: an auditor needs no provider."""
    from ops.commands.ledger import Books  # noqa: PLC0415 - see _Commands
    from ops.wiring import clock_of, signing_key  # noqa: PLC0415 - see _Commands

    effective = settings()
    configure_logs("warning", process="command")
    try:
        async with database(effective) as url, service_pool(url, size_max=2, command_timeout_s=3600) as pool:
            clock, zone = clock_of(effective), effective.time_zone
            yield Books(pool=pool, clock=clock, zone=zone, signing_key=signing_key(effective))
    except (PostgresError, MigrationError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def config() -> None:
    """Print the effective settings, with secrets hidden."""
    rows = list(settings().shown())
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for variable, value, about in rows:
        click.echo(f"{variable:<{widths[0]}}  {value:<{widths[1]}}  {about}")


@main.command("migrate")
def migrate_command() -> None:
    """Bring the database up to this release. Safe while the previous release serves."""

    async def go() -> None:
        url = settings().database_url
        if url is None:
            raise click.ClickException("DATABASE_URL is not set; the embedded database migrates itself")
        for migration in await migrate(url):
            click.echo(f"applied {migration.version:04d}_{migration.name}")

    asyncio.run(go())


@main.command()
def schema() -> None:
    """Print the schema that the migrations make."""
    from ops.schema import dump_schema  # noqa: PLC0415 - needs PostgreSQL's own tools, which only developers use

    async def go() -> None:
        async with database(settings()) as url:
            click.echo(dump_schema(url), nl=False)

    asyncio.run(go())


Serve = Callable[[Settings, asyncio.Event], Awaitable[None]]


def _process(name: str, serve: Serve) -> None:
    from ops.wiring import run  # noqa: PLC0415 - see _Commands

    effective = settings()
    configure_logs(effective.log_level, process=name)
    try:
        run(lambda stopping: serve(effective, stopping))
    except (PostgresError, MigrationError, SettingsError, OSError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="So many, on one port.")
def web(processes: int) -> None:
    """Serve the API, the checkout and the providers' callbacks."""
    if processes > 1:
        _web_processes(processes)
        return
    from ops.web import serve  # noqa: PLC0415 - a process loads only what it runs

    _process("web", serve)


def _web_processes(count: int) -> None:
    from ops.web_processes import serve_together  # noqa: PLC0415 - a process loads only what it runs

    effective = settings()
    configure_logs(effective.log_level, process="web")
    try:
        asyncio.run(serve_together(effective, count))
    except (PostgresError, MigrationError, OSError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def worker() -> None:
    """Do what happens by itself: callbacks, webhooks, messages, expiry, the night."""
    from ops.worker import work  # noqa: PLC0415 - a process loads only what it runs

    _process("worker", work)


@main.command()
def simulators() -> None:
    """Serve the simulated providers and bank."""
    from ops.simulators import run_simulators  # noqa: PLC0415 - a process loads only what it runs
    from ops.wiring import clock_of, public_url  # noqa: PLC0415 - see _Commands

    async def serve(effective: Settings, stopping: asyncio.Event) -> None:
        await run_simulators(effective, clock_of(effective), public_url(effective), stopping)

    _process("simulators", serve)


if __name__ == "__main__":
    main()
