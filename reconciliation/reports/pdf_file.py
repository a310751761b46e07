"""A report as a tagged PDF, set by typst: the summary one prints and files. Long tables are cut, and it says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import typst

from reconciliation.breaks import FIRST_STRONG_ISOLATE, LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE, Language
from reconciliation.reports.report import Report, Row, Table, rows_of
from reconciliation.reports.text import asked_for, plain
from reconciliation.reports.words import word

ROWS_A_TABLE: Final = 2_000
"""A summary ends somewhere: so many rows are forty pages. Every row is in the CSV."""
CHUNK_BYTES: Final = 64 << 10
_FOLDER: Final = Path(__file__).parent
_FONTS: Final = _FOLDER / "fonts"
_TEMPLATE: Final = (_FOLDER / "report.typ").read_bytes()
_ISOLATES: Final = frozenset({FIRST_STRONG_ISOLATE, LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE})


async def render_pdf(report: Report) -> AsyncIterator[bytes]:
    """Set the report beside the event loop, then yield it."""
    tables = [await _table(table, report.language) for table in report.tables]
    document = await asyncio.to_thread(_set, _data(report, tables))
    for start in range(0, len(document), CHUNK_BYTES):
        yield document[start : start + CHUNK_BYTES]


def _said(text: str) -> str:
    """Leave out what cannot be printed; what keeps figures the right way round in Arabic stays."""
    return "".join(one if one.isprintable() or one in _ISOLATES else " " for one in text)


def _row(row: Row) -> list[str]:
    return [_said(plain(cell)) for cell in row]


async def _table(table: Table, language: Language) -> dict[str, Any]:
    rows: list[list[str]] = []
    count = 0
    async for row in rows_of(table):
        count += 1
        if count <= ROWS_A_TABLE:
            rows.append(_row(row))
    left, foot = count - len(rows), table.foot()
    return {
        "title": _said(table.title),
        "columns": [_said(column.title) for column in table.columns],
        "shapes": [column.shape.value for column in table.columns],
        "rows": rows,
        "total": _row(foot) if foot is not None else None,
        "empty": _said(table.empty or word("none", language)),
        "more": word("and_more", language).format(count=f"{left:,}") if left else "",
    }


def _data(report: Report, tables: list[dict[str, Any]]) -> bytes:
    return json.dumps(
        {
            "language": report.language.value,
            "direction": "rtl" if report.language is Language.ARABIC else "ltr",
            "title": f"{report.title} {report.business_date}",
            "heading": report.title,
            "asked": _said(asked_for(report)),
            "tables": tables,
            "notes": [_said(note) for note in report.notes],
        },
        ensure_ascii=False,
    ).encode()


def _set(data: bytes) -> bytes:
    """Set the page. Blocking, and pure: the same report always gives the same bytes."""
    try:
        return _compiled(data, ["ua-1"])
    except typst.TypstError:
        # Accessible PDF refuses a letter the font does not have, such as one in a bank's text; the page matters more.
        return _compiled(data, [])


def _compiled(data: bytes, standards: list[Any]) -> bytes:
    # The stub's type variables have no bound for a call without an output file.
    document: bytes = typst.compile(  # type: ignore[misc]
        _TEMPLATE,
        font_paths=[str(_FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": data.decode()},
        pdf_standards=standards,
    )
    return document
