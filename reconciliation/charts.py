"""A department's own chart of accounts: which of its accounts each of ours is, imported whole and checked first."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg
import msgspec

from ledger.accounts import check_path
from ledger.errors import AccountError
from reconciliation.deps import Deps
from reconciliation.errors import NotAllowedError, NotFoundError
from reconciliation.reports.report import FOR_EVER
from reconciliation.store import audits, charts

COLUMNS: Final = ("account", "kind", "theirs", "cost_centre")
CONTRA: Final = "contra"
"""Names, kind by kind, the department's account for where money came from or went to: its revenue, its own bank."""
ANY: Final = "*"
LINES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One of our accounts, for one kind of journal or any, and what it is over there."""

    account: str
    kind: str
    theirs: str
    cost_centre: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did or would do: the version it made, and every fault by its line."""

    version: int | None
    lines: int
    faults: tuple[str, ...]


class Chart:
    """A mapping ready to be asked; the more exact line wins."""

    def __init__(self, lines: Iterable[MappingLine]) -> None:
        self._lines: Mapping[tuple[str, str], MappingLine] = {(one.account, one.kind): one for one in lines}

    def find(self, account: str, kind: str) -> MappingLine | None:
        return self._lines.get((account, kind)) or self._lines.get((account, ANY))


def read_mapping(department: str, text: str) -> tuple[list[MappingLine], list[str]]:
    """Read a CSV of account, kind, theirs and cost_centre; say everything that is wrong with it, line by line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return [], [f"line 1: the columns must be {', '.join(COLUMNS)}"]
    lines: list[MappingLine] = []
    faults: list[str] = []
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(reader, start=2):
        if number > LINES_MAX:
            faults.append(f"line {number}: a mapping has at most {LINES_MAX} lines")
            break
        values = {name: (row[name] or "").strip() for name in COLUMNS}
        line = MappingLine(values["account"], values["kind"] or ANY, values["theirs"], values["cost_centre"])
        fault = _fault(department, line, seen)
        if fault is not None:
            faults.append(f"line {number}: {fault}")
        seen.add((line.account, line.kind))
        lines.append(line)
    return lines, faults


def _fault(department: str, line: MappingLine, seen: set[tuple[str, str]]) -> str | None:
    if not line.theirs or not line.theirs.isprintable() or not line.cost_centre.isprintable():
        return "theirs must name an account, in printable characters"
    if (line.account, line.kind) in seen:
        return f"{line.account} with kind {line.kind} stands twice"
    if line.account == CONTRA:
        return None
    try:
        check_path(line.account)
    except AccountError as error:
        return str(error)
    if not line.account.startswith(f"department:{department}:"):
        return f"{line.account} is not an account of {department}"
    return None


async def import_mapping(deps: Deps, department: str, content: bytes, *, by: str, dry_run: bool = False) -> Imported:
    """Put a mapping in place of the one before, whole or not at all; a dry run says what it would do."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise NotAllowedError("the mapping must be UTF-8") from None
    lines, faults = read_mapping(department, text)
    if not lines and not faults:
        faults.append("the mapping is empty")
    if faults or dry_run:
        return Imported(None, len(lines), tuple(faults))
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        version = (await charts.latest(connection, department, FOR_EVER) or 0) + 1
        try:
            await charts.insert(
                connection, department, version, hashlib.sha256(content).hexdigest(),
                [(one.account, one.kind, one.theirs, one.cost_centre) for one in lines], by, now,
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            raise NotAllowedError("another mapping was imported at the same time; look at it first") from None
        after = msgspec.json.encode({"version": version, "lines": len(lines)})
        await audits.insert(connection, deps, by, "account_mapping_imported", department, after=after)
    return Imported(version, len(lines), ())


async def show_mapping(deps: Deps, department: str) -> list[MappingLine]:
    """Read the mapping that stands."""
    async with deps.pool.acquire() as connection:
        version = await charts.latest(connection, department, FOR_EVER)
        if version is None:
            raise NotFoundError(f"{department} has no mapping of accounts")
        return [MappingLine(**dict(row)) for row in await charts.lines(connection, department, version)]
