"""`mizan report NAME`: a report to the terminal or to a file, in either language and any format."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

import click

from ops.reporting import REPORTS, build_any_report, date_of
from reconciliation.breaks import Language
from reconciliation.deps import Deps
from reconciliation.errors import ReconciliationError
from reconciliation.reports.catalogue import BINARY, Format, check_department, check_known_at, render

OpenDeps = Callable[[], AbstractAsyncContextManager[Deps]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    name: str
    day: date | None
    department: str | None
    since: date | None
    known_at: datetime | None
    language: Language
    report_format: Format


class Instant(click.ParamType[datetime]):
    """An ISO instant with its zone: a report that can be had again needs one that is the same everywhere."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-11-23T06:00Z", param, ctx)
        if instant.tzinfo is None:
            self.fail(f"{value} has no zone; write 2026-11-23T06:00Z or 2026-11-23T10:00+04:00", param, ctx)
        return instant


def report_command(open_deps: OpenDeps) -> click.Command:
    """Build the command over a way to open the night's dependencies."""

    @click.command("report")
    @click.argument("name", type=click.Choice(REPORTS))
    @click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Business date; yesterday by default.")
    @click.option("--department", help="The department, for reports of one.")
    @click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First date, for reports of a period.")
    @click.option("--known-at", type=Instant(), help="Leave out what was recorded after this instant.")
    @click.option("--language", type=click.Choice([one.value for one in Language]), default="en", show_default=True)
    @click.option(
        "--format", "report_format", type=click.Choice([one.value for one in Format]), default="text", show_default=True
    )
    @click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
    def report(
        name: str, day: datetime | None, department: str | None, since: datetime | None, known_at: datetime | None,
        language: str, report_format: str, output: Path | None,
    ) -> None:  # fmt: skip
        """Print a report of one business date, or of a period that ends with it."""
        wanted = Wanted(
            name, day.date() if day else None, department, since.date() if since else None, known_at,
            Language(language), Format(report_format),
        )  # fmt: skip
        if wanted.report_format in BINARY and output is None:
            raise click.UsageError("a workbook or a PDF needs --output")
        if output is None:
            asyncio.run(_write(open_deps, wanted, sys.stdout.buffer))
        else:
            _write_beside(open_deps, wanted, output)

    return report


def _write_beside(open_deps: OpenDeps, wanted: Wanted, output: Path) -> None:
    """Write a file beside the output and rename it: whoever had a report keeps it until there is a new one."""
    beside = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            asyncio.run(_write(open_deps, wanted, file))
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)


async def _write(open_deps: OpenDeps, wanted: Wanted, out: BinaryIO) -> None:
    async with open_deps() as deps:
        # One snapshot, so that every table of the page is of the same instant.
        async with (
            deps.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            try:
                business_date = date_of(deps.calendar, deps.clock(), wanted.day)
                if wanted.known_at is not None:
                    await check_known_at(connection, wanted.known_at, deps.clock())
                if wanted.department is not None:
                    await check_department(connection, wanted.department)
                built = await build_any_report(
                    connection, wanted.name, business_date, wanted.language, department=wanted.department,
                    since=wanted.since, known_at=wanted.known_at,
                )  # fmt: skip
            except ReconciliationError as error:
                raise click.ClickException(str(error)) from None
            async for chunk in render(built, wanted.report_format):
                out.write(chunk)
        out.flush()
