"""One self-contained page: right to left in Arabic, readable by a screen reader, no script and nothing fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape
from typing import Final

from reconciliation.breaks import Language
from reconciliation.reports.report import Cell, Report, Row, Shape, Table, rows_of
from reconciliation.reports.text import asked_for, plain
from reconciliation.reports.words import word

STYLE: Final = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,"IBM Plex Sans Arabic","Noto Sans Arabic",sans-serif;margin:2rem auto;max-width:75rem;
padding-inline:1rem}
h1{font-size:1.5rem;margin-block:0 .25rem}h2{font-size:1.125rem;margin-block:2rem .5rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;inline-size:100%}
caption{text-align:start;font-weight:600;padding-block:.5rem}
th,td{padding:.375rem .75rem;border-block-end:1px solid #8884;text-align:start;vertical-align:top}
thead th{border-block-end:2px solid #888}tfoot td,tfoot th{border-block-start:2px solid #888;font-weight:600}
/* Figures line up on the right in both directions: decimals must stand under decimals. */
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
"""
_NUMERIC: Final = frozenset({Shape.AMOUNT, Shape.COUNT})


async def render_html(report: Report) -> AsyncIterator[bytes]:
    """Yield the page in chunks."""
    direction = "rtl" if report.language is Language.ARABIC else "ltr"
    day = report.business_date.isoformat()
    yield (
        f'<!doctype html>\n<html lang="{report.language.value}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)} {day}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(report.title)}</h1>\n<p>{escape(asked_for(report))}</p>\n"
    ).encode()
    for number, table in enumerate(report.tables, start=1):
        async for text in _table(table, number, report.language):
            yield text.encode()
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in report.notes)
    yield f"{notes}</main>\n</body>\n</html>\n".encode()


async def _table(table: Table, number: int, language: Language) -> AsyncIterator[str]:
    shapes = [column.shape for column in table.columns]
    head = "".join(f'<th scope="col"{_class(column.shape)}>{escape(column.title)}</th>' for column in table.columns)
    # A wide table scrolls by itself, and the keyboard can reach it; the page never scrolls sideways.
    yield (
        f'<div class="scroll" role="group" aria-labelledby="t{number}" tabindex="0">\n<table>\n'
        f'<caption id="t{number}">{escape(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    )
    any_row = False
    async for row in rows_of(table):
        any_row = True
        yield _row(row, shapes)
    if not any_row:
        yield f'<tr><td colspan="{len(shapes)}">{escape(table.empty or word("none", language))}</td></tr>\n'
    yield "</tbody>\n"
    if (foot := table.foot()) is not None:
        yield f"<tfoot>{_row(foot, shapes)}</tfoot>\n"
    yield "</table>\n</div>\n"


def _class(shape: Shape) -> str:
    return ' class="n"' if shape in _NUMERIC else ""


def _row(row: Row, shapes: list[Shape]) -> str:
    """Write a row; its first cell names it."""
    written = []
    for place, (cell, shape) in enumerate(zip(row, shapes, strict=True)):
        tag = 'th scope="row"' if place == 0 else "td"
        written.append(f"<{tag}{_class(shape)}>{_cell(cell, shape)}</{tag.split(maxsplit=1)[0]}>")
    return f"<tr>{''.join(written)}</tr>\n"


def _cell(cell: Cell, shape: Shape) -> str:
    text = escape(plain(cell))
    if not text or shape is Shape.WORDS:
        return f"<bdi>{text}</bdi>" if text else ""
    return f'<bdi dir="ltr">{text}</bdi>'
