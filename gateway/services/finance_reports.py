"""Finance's reports for the treasury's own systems: which there are, and one of them as a stream of bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError
from gateway.domain.finance_report import AskedReport, FinanceReport
from gateway.services.documents import Document, page_document

FORMATS: Final = {
    "text": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
"""The forms a report comes in, and what each is on the wire."""

_FIRST_BYTES: Final = 4
"""A mark of byte order alone is not worth sending; whatever comes behind it is."""
_PIECE_BYTES: Final = 32 * 1024


def list_reports(deps: Deps) -> Document:
    """Return every report, and what each is asked for."""
    known = () if deps.finance_reports is None else deps.finance_reports.reports()
    return page_document([_document(one) for one in known], None)


def _document(report: FinanceReport) -> Document:
    return {
        "object": "finance_report",
        "name": report.name,
        "title": {"ar": report.title_ar, "en": report.title_en},
        "parameters": [
            *(("from",) if report.of_a_period else ()),
            "date",
            *(("department",) if report.of_a_department else ()),
            "known_at",
            "language",
            "format",
        ],
        "formats": list(FORMATS),
    }


async def write_report(deps: Deps, asked: AskedReport) -> AsyncGenerator[bytes, None]:
    """Yield a report from one snapshot: its first bytes at once, the rest in pieces worth sending.

    The connection is held until the report is read or given up, so whoever reads bounds how long that takes.
    """
    reports = deps.finance_reports
    if reports is None or asked.name not in {one.name for one in reports.reports()}:
        raise NotFoundError("there is no such report; GET /v1/finance/reports names them")
    piece, least = bytearray(), _FIRST_BYTES
    async with deps.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        async for chunk in reports.write(connection, asked):
            piece += chunk
            if len(piece) >= least:
                yield bytes(piece)
                piece.clear()
                least = _PIECE_BYTES
    if piece:
        yield bytes(piece)
