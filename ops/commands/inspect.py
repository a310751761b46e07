"""`mizan statement inspect` and `mizan settlement inspect`: show what a file from outside says, and if it stands.

Exit status: 0 read whole, 1 read with warnings, 2 refused.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

import click

from adapters.contract import StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.csv_profile import SettlementSummary, stream_settlement
from adapters.formats.profiles import GENERIC, PROFILES, guess_profile
from adapters.formats.settlement_lines import Figures
from adapters.formats.settlement_profile import ProfileError, SettlementProfile, read_profile
from adapters.formats.settlement_rows import Rows, Table
from adapters.formats.statement_file import read_statement_file
from adapters.formats.statement_parts import Kind, StatementSummary
from ops.commands.inspect_pages import (
    Page,
    SettlementJson,
    StatementsJson,
    TextPage,
    as_json,
    batch_json,
    entry_line,
    settlement_line,
    shown,
)


class Verdict(IntEnum):
    """How the reading ended; also the exit status."""

    READ = 0
    WARNINGS = 1
    REFUSED = 2


FILE = click.argument("file", type=click.File("rb"))
JSON = click.option("--json", "as_data", is_flag=True, help="Print JSON instead of text.")


@click.group("statement")
def statement_group() -> None:
    """Read the bank's statements."""


@click.group("settlement")
def settlement_group() -> None:
    """Read the providers' settlement files."""


@statement_group.command("inspect")
@FILE
@JSON
@click.pass_context
def inspect_statement(context: click.Context, file: BinaryIO, as_data: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Show a camt.052/053/054, MT940 or MT942 file: balances, proof, entries, warnings."""
    page: Page = StatementsJson() if as_data else TextPage()
    context.exit(_statement(file, page))


@settlement_group.command("inspect")
@FILE
@click.option("--profile", "wish", help="A built-in layout or a JSON file; found by the header when not given.")
@JSON
@click.pass_context
def inspect_settlement(context: click.Context, file: BinaryIO, wish: str | None, as_data: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Show a settlement file in CSV, gzip, Excel or XML: lines, totals, warnings, refused lines."""
    page: Page = SettlementJson() if as_data else TextPage()
    try:
        profile = _profile(wish) if wish else _guessed(file)
    except ProfileError as error:
        raise click.BadParameter(str(error), param_hint="--profile") from error
    except FileRefusedError as error:
        page.refuse(error)
        context.exit(Verdict.REFUSED)
    context.exit(_settlement(file, profile, page))


def _statement(file: BinaryIO, page: Page) -> Verdict:
    verdict = Verdict.READ
    try:
        form, parts = read_statement_file(file)
        page.begin({"file": Path(file.name).name, "format": form})
        for part in parts:
            if isinstance(part, StatementEntry):
                page.item(entry_line(part), as_json(part))
                continue
            if part.warnings or not (part.proven or part.kind is Kind.NOTIFICATION):
                verdict = Verdict.WARNINGS
            page.close(_statement_head(part), as_json(part) | {"proven": part.proven}, part.warnings)
    except FileRefusedError as error:
        page.refuse(error)
        return Verdict.REFUSED
    page.end(verdict.name.lower())
    return verdict


def _statement_head(part: StatementSummary) -> list[str]:
    number = f" no. {part.sequence}" if part.sequence is not None else ""
    days = f"{part.opened_on}" + (f" to {part.closed_on}" if part.closed_on != part.opened_on else "")
    lines = [f"{part.kind} {shown(part.identifier)}{number}, account {shown(part.account)}, {days}"]
    if part.opening is not None and part.closing is not None:
        lines.append(f"opening {part.opening} + entries {part.entries_sum} = closing {part.closing}: proven")
    else:
        lines.append(f"entries {part.entries_sum}; not proven, a balance is missing")
    pending = f", {part.pending_count:,} not booked yet" if part.pending_count else ""
    return [*lines, f"{part.entry_count:,} entries{pending}"]


def _profile(wish: str) -> SettlementProfile:
    if wish in PROFILES:
        return PROFILES[wish]
    path = Path(wish)
    if not path.is_file():
        raise ProfileError(f"{wish!r} is neither a file nor one of {', '.join(PROFILES)}")
    return read_profile(path.read_bytes())


def _guessed(file: BinaryIO) -> SettlementProfile:
    """Find the layout by the first rows, whatever the file comes in; what no header tells must be named."""
    if not file.seekable():
        raise ProfileError("a file that comes through a pipe cannot be looked at twice; name its layout")
    rows = Rows(file, GENERIC).table
    head = "\n".join(",".join(row) for row in itertools.islice(_readable(rows), GENERIC.header_lines_max))
    file.seek(0)
    found = guess_profile(head)
    if found is None:
        raise FileRefusedError(f"no known layout has such a header; name one with --profile ({', '.join(PROFILES)})")
    return found


def _readable(rows: Table) -> Iterator[list[str]]:
    """Yield rows until one breaks; the reader itself will say why when its turn comes."""
    try:
        yield from rows
    except csv.Error:
        return


def _settlement(file: BinaryIO, profile: SettlementProfile, page: Page) -> Verdict:
    verdict = Verdict.READ
    name = Path(file.name).name
    try:
        page.begin({"file": name, "profile": profile.name})
        for part in stream_settlement(file, profile, name=name):
            if isinstance(part, Figures):
                page.item(settlement_line(part), as_json(part))
                continue
            warnings: tuple[str, ...] = ()
            if verdict is Verdict.READ:
                # They are the whole file's, and every batch repeats them: they are told with the first.
                warnings = (*part.warnings, *(f"line {line}: {why}" for line, why in part.refused_lines))
                verdict = Verdict.WARNINGS if warnings else verdict
            page.close(_batch_head(part), batch_json(part), warnings)
    except FileRefusedError as error:
        page.refuse(error)
        return Verdict.REFUSED
    page.end(verdict.name.lower())
    return verdict


def _batch_head(part: SettlementSummary) -> list[str]:
    stated = "as stated" if part.stated_net_minor is not None else "the file states no total"
    lines = [
        f"batch {shown(part.batch_reference)} of {shown(part.provider)}, {part.business_date or 'no day'}",
        f"{part.line_count:,} lines, net {part.total_net} ({stated})",
    ]
    if part.stated_net_minor is not None and part.stated_net_minor != part.net_minor:
        lines.append(f"the lines sum to {part.net_minor} and the total says {part.stated_net_minor} (minor units)")
    if part.refused_count:
        lines.append(f"{part.refused_count:,} lines could not be read")
    if part.expected_credit_date is not None:
        lines.append(f"the bank credit is expected on {part.expected_credit_date}")
    return lines
