"""Plain text: aligned columns for a terminal or an e-mail, amounts isolated so that Arabic does not turn them round."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from datetime import UTC, date
from typing import Final

from reconciliation.breaks import LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE, Language
from reconciliation.reports.report import Cell, Report, Row, Shape, Table, rows_of
from reconciliation.reports.words import word

ROWS_MEASURED: Final = 200
"""Columns are as wide as the first rows need; a later and wider cell pushes its line out, and nothing is cut."""
GAP: Final = "  "


def plain(cell: Cell) -> str:
    """Write a cell as a person reads it."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int):
        return f"{cell:,}"
    return str(cell)


def width(text: str) -> int:
    """Count the places a text takes on a terminal: marks and directional controls take none, wide characters two."""
    return sum(
        0 if unicodedata.category(character) in {"Mn", "Me", "Cf"} else
        2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
        for character in text
    )  # fmt: skip


def _shown(cell: Cell, shape: Shape, language: Language) -> str:
    text = plain(cell)
    if language is Language.ARABIC and shape is not Shape.WORDS and text:
        return f"{LEFT_TO_RIGHT_ISOLATE}{text}{POP_ISOLATE}"
    return text


def _padded(text: str, places: int, shape: Shape) -> str:
    room = " " * max(0, places - width(text))
    return room + text if shape in {Shape.AMOUNT, Shape.COUNT} else text + room


def asked_for(report: Report) -> str:
    """Say of which date the report is, from which if it is of a period, and as known when if that was asked."""

    def isolated(text: str) -> str:
        return f"{LEFT_TO_RIGHT_ISOLATE}{text}{POP_ISOLATE}" if report.language is Language.ARABIC else text

    said = f"{word('business_date', report.language)} {isolated(report.business_date.isoformat())}"
    if report.since is not None:
        said += f" {word('since', report.language)} {isolated(report.since.isoformat())}"
    if report.known_at is not None:
        instant = report.known_at.astimezone(UTC).isoformat(sep=" ").replace("+00:00", " UTC")
        said += f" · {word('known_at', report.language)} {isolated(instant)}"
    return said


async def render_text(report: Report) -> AsyncIterator[bytes]:
    """Yield the report line by line."""
    heading = f"{report.title} · {asked_for(report)}"
    yield f"{heading}\n{'═' * width(heading)}\n".encode()
    for table in report.tables:
        yield f"\n{table.title}\n".encode()
        async for text in _table(table, report.language):
            yield text.encode()
    for note in report.notes:
        yield f"\n{note}\n".encode()


async def _table(table: Table, language: Language) -> AsyncIterator[str]:
    shapes = [column.shape for column in table.columns]
    first: list[Row] = []
    rows = rows_of(table)
    async for row in rows:
        first.append(row)
        if len(first) == ROWS_MEASURED:
            break
    if not first:
        yield f"  {table.empty or word('none', language)}\n"
        return
    foot = table.foot()
    measured = [*first, foot] if foot is not None else first
    places = [
        max(width(column.title), *(width(plain(row[place])) for row in measured))
        for place, column in enumerate(table.columns)
    ]

    def written(cells: list[str]) -> str:
        return GAP + GAP.join(map(_padded, cells, places, shapes)).rstrip() + "\n"

    yield written([column.title for column in table.columns])
    rule = GAP + GAP.join("─" * place for place in places) + "\n"
    yield rule
    for row in first:
        yield written([_shown(cell, shape, language) for cell, shape in zip(row, shapes, strict=True)])
    async for row in rows:
        yield written([_shown(cell, shape, language) for cell, shape in zip(row, shapes, strict=True)])
    if foot is not None:
        yield rule
        yield written([_shown(cell, shape, language) for cell, shape in zip(foot, shapes, strict=True)])
