"""A report as data: titled tables of typed cells, whose rows may stream. How it looks is a renderer's business."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

from ledger.money import Money, total
from reconciliation.breaks import Language
from reconciliation.reports.words import word

Cell: TypeAlias = "Money | int | date | str | None"
Row: TypeAlias = Sequence[Cell]


RECORDED_EARLIER_DAYS: Final = 7
"""How long before its business date a journal can have been recorded: bounds what is read, with room to spare."""
FOR_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


class PaymentNames(Protocol):
    """Knows what departments call their payments. The books know payments, not their departments' numbers."""

    async def references(self, connection: Any, payments: Sequence[str]) -> Mapping[str, str]:
        """Return the department's own reference of each payment it knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is asked for. `known_at` leaves out everything recorded after that instant.

    With `names`, a department's lines bear its own references.
    """

    business_date: date
    language: Language
    department: str | None = None
    since: date | None = None
    known_at: datetime | None = None
    names: PaymentNames | None = None

    @property
    def known(self) -> datetime:
        """The instant up to which things were known; the end of time when everything counts."""
        return self.known_at or FOR_EVER

    @property
    def first_date(self) -> date:
        """The first business date of the period asked about: the date itself unless a period was asked for."""
        return self.since or self.business_date

    @property
    def recorded_since(self) -> datetime:
        """An instant before which nothing was recorded that moves what is asked: where reading may begin."""
        since = datetime.combine(self.first_date, time(0), UTC) - timedelta(days=RECORDED_EARLIER_DAYS)
        return min(since, self.known)


class Shape(StrEnum):
    """How a column is read: words follow the language, the others are always written left to right."""

    WORDS = "words"
    REFERENCE = "reference"
    AMOUNT = "amount"
    COUNT = "count"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    shape: Shape = Shape.WORDS


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with a title. `total` is the last row, when the columns sum; `empty` is said when there is no row.

    What is known only when rows are read gives its total by a function, which is called after the first of them.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row] | AsyncIterator[Row]
    total: Row | Callable[[], Row] | None = None
    empty: str = ""

    def foot(self) -> Row | None:
        """Return the last row; ask when the first row, or the lack of one, was seen."""
        return self.total() if callable(self.total) else self.total


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    title: str
    language: Language
    business_date: date
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)
    since: date | None = None
    known_at: datetime | None = None

    @classmethod
    def of(cls, name: str, title: str, asked: Asked, tables: Sequence[Table], *notes: str) -> Report:
        """Put a report together as it was asked for."""
        return cls(
            name, title, asked.language, asked.business_date, tuple(tables), notes,
            asked.since if asked.since != asked.business_date else None, asked.known_at,
        )  # fmt: skip


def sum_row(body: Sequence[Row], language: Language) -> Row | None:
    """Sum the columns of amounts and counts, when there is one currency; sums over currencies mean nothing."""
    currencies = {cell.currency for row in body for cell in row if isinstance(cell, Money)}
    if not body or len(currencies) != 1:
        return None
    currency = currencies.pop()
    sums: list[Cell] = [word("total", language)]
    for place in range(1, len(body[0])):
        column = [row[place] for row in body]
        amounts = [cell for cell in column if isinstance(cell, Money)]
        counts = [cell for cell in column if isinstance(cell, int)]
        sums.append(total(amounts, currency) if amounts else sum(counts) if counts else None)
    return sums


async def rows_of(table: Table) -> AsyncIterator[Row]:
    """Walk a table's rows, streamed or not."""
    if isinstance(table.rows, Sequence):
        for row in table.rows:
            yield row
    else:
        async for row in table.rows:
            yield row
