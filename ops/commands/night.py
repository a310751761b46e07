"""`mizan nightly`: run the night or one step of it, rehearse it, see how far it came."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from functools import partial

import click

from ledger.money import Money
from reconciliation.deps import Deps
from reconciliation.errors import ReconciliationError
from reconciliation.nightly import STEPS, NightStatus, night_status, recent_nights, run_night

OpenDeps = Callable[[], AbstractAsyncContextManager[Deps]]


def nightly_command(open_deps: OpenDeps) -> click.Group:
    """Build the command over a way to open the night's dependencies."""

    @click.group("nightly", invoke_without_command=True)
    @click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Business date; yesterday by default.")
    @click.option("--step", type=click.Choice(list(STEPS)), help="Run this step alone.")
    @click.option("--dry-run", is_flag=True, help="Fetch and match, but keep, post and send nothing.")
    @click.pass_context
    def nightly(context: click.Context, day: datetime | None, step: str | None, dry_run: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Hold the books against providers and bank, raise what differs, pay the departments."""
        if context.invoked_subcommand is None:
            asyncio.run(_run(open_deps, day.date() if day else None, step, dry_run=dry_run))

    @nightly.command("status")
    @click.option(
        "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Business date; the latest nights without it."
    )
    def status(day: datetime | None) -> None:
        """Show how far the night of a date has come."""
        asyncio.run(_show(open_deps, day.date() if day else None))

    return nightly


async def _run(open_deps: OpenDeps, day: date | None, step: str | None, *, dry_run: bool) -> None:
    async with open_deps() as deps:
        currency, progress = deps.account.currency, partial(_progress, deps.account.currency)
        business_date = day or deps.calendar.business_date(deps.clock()) - timedelta(days=1)
        try:
            summary = await run_night(deps, business_date, step=step, dry_run=dry_run, progress=progress)
        except ReconciliationError as error:
            raise click.ClickException(str(error)) from None
    _clear()
    heading = "Rehearsal of" if dry_run else "Night of"
    click.echo(f"{heading} {business_date}")
    for name, counts in summary.steps.items():
        click.echo(f"  {name:<12} {words(counts, currency)}")
    if dry_run:
        left_out = [name for name in STEPS if name not in summary.steps]
        click.echo(f"  not rehearsed, because they follow what the night posts and sends: {', '.join(left_out)}")


def words(counts: Mapping[str, int], currency: str) -> str:
    """Say what a step counted; what was zero is left out. The amount is the draft's: it may wait for a person."""
    shown = [
        f"{Money.of_total(count, currency)} to pay out"
        if name == "amount_minor"
        else f"{count:,} {name.replace('_', ' ')}"
        for name, count in counts.items()
        if count
    ]
    return ", ".join(shown) or "nothing new"


def _progress(currency: str, step: str, counts: Mapping[str, int]) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{step}: {words(counts, currency)}", nl=False, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[2K", nl=False, err=True)


async def _show(open_deps: OpenDeps, day: date | None) -> None:
    async with open_deps() as deps, deps.pool.acquire() as connection:
        if day is None:
            for night in await recent_nights(connection):
                click.echo(_line(night))
            return
        found, currency = await night_status(connection, day), deps.account.currency
    if found is None:
        raise click.ClickException(f"the night of {day} never ran")
    click.echo(_line(found))
    for step in found.steps:
        error = f"  {step.error}" if step.error else ""
        click.echo(f"  {step.step:<12} {step.status:<8} {words(step.counts, currency)}{error}")


def _line(night: NightStatus) -> str:
    ended = f", ended {night.finished_at:%Y-%m-%d %H:%M:%S} UTC" if night.finished_at else ""
    return (
        f"{night.business_date}  {night.status}, run {night.times_started} times, last started"
        f" {night.started_at:%Y-%m-%d %H:%M:%S} UTC{ended}"
    )
