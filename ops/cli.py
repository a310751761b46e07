"""The command `mizan`: every process and every tool of an operator or a finance officer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops import demo_cli
from ops.database import database, service_pool
from ops.finance_cli import finance_command
from ops.ledger_cli import Books, ledger_group
from ops.logs import configure_logs
from ops.migrate import MigrationError, migrate
from ops.night_cli import nightly_command
from ops.postgres import PostgresError
from ops.report_cli import report_command
from ops.settings import Settings, SettingsError, read_settings
from ops.wiring import Parts, assemble, clock_of, kept_secret, public_url, run
from reconciliation.deps import Deps as NightDeps


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
async def books() -> AsyncIterator[Books]:
    """Open the ledger alone: an auditor needs no provider."""
    effective = settings()
    configure_logs("warning", process="command")
    try:
        async with database(effective) as url, service_pool(url, size_max=2, command_timeout_s=3600) as pool:
            key = Ed25519PrivateKey.from_private_bytes(kept_secret(effective.home, "seal.key"))
            yield Books(pool=pool, clock=clock_of(effective), zone=effective.time_zone, signing_key=key)
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
    effective = settings()
    configure_logs(effective.log_level, process=name)
    try:
        run(lambda stopping: serve(effective, stopping))
    except (PostgresError, MigrationError, SettingsError, OSError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def web() -> None:
    """Serve the API, the checkout and the providers' callbacks."""
    from ops.web import serve  # noqa: PLC0415 - a process loads only what it runs

    _process("web", serve)


@main.command()
def worker() -> None:
    """Do what happens by itself: callbacks, webhooks, messages, expiry, the night."""
    from ops.worker import work  # noqa: PLC0415 - a process loads only what it runs

    _process("worker", work)


@main.command()
def simulators() -> None:
    """Serve the simulated providers and bank."""
    from ops.simulators import run_simulators  # noqa: PLC0415 - a process loads only what it runs

    async def serve(effective: Settings, stopping: asyncio.Event) -> None:
        await run_simulators(effective, clock_of(effective), public_url(effective), stopping)

    _process("simulators", serve)


main.add_command(ledger_group(books))
main.add_command(nightly_command(night))
main.add_command(report_command(night))
main.add_command(finance_command(night))
main.add_command(demo_cli.demo)

if __name__ == "__main__":
    main()
