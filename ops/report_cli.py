"""`mizan report NAME`: a report to the terminal or to a file, in either language and any format."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import click

from reconciliation.breaks import Language
from reconciliation.deps import Deps
from reconciliation.errors import ReconciliationError
from reconciliation.reports.catalogue import REPORTS, Format, build_report, render

OpenDeps = Callable[[], AbstractAsyncContextManager[Deps]]


def report_command(open_deps: OpenDeps) -> click.Command:
    """Build the command over a way to open the night's dependencies."""

    @click.command("report")
    @click.argument("name", type=click.Choice(REPORTS))
    @click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Business date; yesterday by default.")
    @click.option("--department", help="The department, for reports of one.")
    @click.option("--language", type=click.Choice([one.value for one in Language]), default="en", show_default=True)
    @click.option(
        "--format", "report_format", type=click.Choice([one.value for one in Format]), default="text", show_default=True
    )
    @click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
    def report(
        name: str, day: datetime | None, department: str | None, language: str, report_format: str, output: Path | None
    ) -> None:
        """Print a report of one business date."""
        if report_format == Format.XLSX and output is None:
            raise click.UsageError("a workbook needs --output")
        arguments = (name, day.date() if day else None, department, Language(language), Format(report_format))
        if output is None:
            asyncio.run(_write(open_deps, *arguments, sys.stdout.buffer))
        else:
            with output.open("wb") as file:
                asyncio.run(_write(open_deps, *arguments, file))

    return report


async def _write(
    open_deps: OpenDeps, name: str, day: date | None, department: str | None, language: Language, report_format: Format,
    out: BinaryIO,
) -> None:  # fmt: skip
    async with open_deps() as deps:
        business_date = day or deps.calendar.business_date(deps.clock()) - timedelta(days=1)
        # One snapshot, so that every table of the page is of the same instant.
        async with (
            deps.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            try:
                built = await build_report(connection, name, business_date, language, department=department)
            except ReconciliationError as error:
                raise click.ClickException(str(error)) from None
            async for chunk in render(built, report_format):
                out.write(chunk)
        out.flush()
