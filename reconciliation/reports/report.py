"""A report as data: titled tables of typed cells, whose rows may stream. How it looks is a renderer's business."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from ledger.money import Money
from reconciliation.breaks import Language

Cell: TypeAlias = "Money | int | date | str | None"
Row: TypeAlias = Sequence[Cell]


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
    """Rows with a title. `total` is the last row, when the columns sum; `empty` is said when there is no row."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row] | AsyncIterator[Row]
    total: Row | None = None
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    title: str
    language: Language
    business_date: date
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)


async def rows_of(table: Table) -> AsyncIterator[Row]:
    """Walk a table's rows, streamed or not."""
    if isinstance(table.rows, Sequence):
        for row in table.rows:
            yield row
    else:
        async for row in table.rows:
            yield row
