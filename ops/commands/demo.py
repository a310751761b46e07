"""`mizan demo`: the whole of Mizan on one machine, for a newcomer, or through one scripted day."""

from __future__ import annotations

import asyncio
import sys

import click

from ops.database import database
from ops.demo.stage import StageError
from ops.logs import configure_logs
from ops.migrate import MigrationError
from ops.postgres import PostgresError
from ops.running import AlreadyRunningError
from ops.settings import SettingsError, read_settings

_TROUBLE = (StageError, AlreadyRunningError, PostgresError, MigrationError, SettingsError)


@click.group(invoke_without_command=True)
@click.option("--once", is_flag=True, help="Play one scripted day, prove the books, and end.")
@click.option(
    "--payments", default=300, show_default=True, type=click.IntRange(20, 5000), help="With --once: how many."
)
@click.option("--kills", default=0, type=click.IntRange(0, 1000), help="With --once: SIGKILL so many processes.")
@click.option("--keep", is_flag=True, help="With --once: keep the day's database for looking into it.")
@click.pass_context
def demo(context: click.Context, once: bool, payments: int, kills: int, keep: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Run Mizan with simulated providers until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    configure_logs("warning", process="demo")
    try:
        if once:
            from ops.demo.day import play_day  # noqa: PLC0415 - loaded when played

            sys.exit(asyncio.run(play_day(read_settings(), payments=payments, kills=kills, keep=keep, say=click.echo)))
        from ops.demo.live import run_demo  # noqa: PLC0415 - loaded when run

        asyncio.run(run_demo(read_settings(), click.echo))
    except _TROUBLE as error:
        raise click.ClickException(str(error)) from None


@demo.command()
def night() -> None:
    """Move the running demo's clock to the coming night, and wait until the worker has run it."""
    from ops.demo.night import watch_night  # noqa: PLC0415 - loaded when asked for

    async def go() -> None:
        settings = read_settings()
        if settings.clock_file is None:
            raise StageError("no demo runs here; start one with `mizan demo` in another terminal")
        async with database(settings) as url:
            await watch_night(settings, url, click.echo)

    configure_logs("warning", process="demo")
    try:
        asyncio.run(go())
    except _TROUBLE as error:
        raise click.ClickException(str(error)) from None
