"""How the API's description shows finance's reports, which only the treasury's own systems read."""

from __future__ import annotations

from typing import Final

from gateway.api.caller_shapes import Schema, closed
from gateway.services.finance_reports import FORMATS

PREFIX: Final = "/v1/finance/"
LIST: Final = "/v1/finance/reports"
ONE: Final = "/v1/finance/reports/{name}"
_TEXT: Final[Schema] = {"type": "string"}

SHAPES: Final[dict[str, Schema]] = {
    "FinanceReport": closed(
        {
            "object": {"const": "finance_report"},
            "name": {"type": "string", "pattern": "^[a-z-]+$"},
            "title": closed({"ar": _TEXT, "en": _TEXT}),
            "parameters": {
                "type": "array",
                "items": {"enum": ["from", "date", "department", "known_at", "language", "format"]},
            },
            "formats": {"type": "array", "items": {"enum": list(FORMATS)}},
        }
    )
}
LISTS: Final = {"FinanceReportList": "FinanceReport"}
FILE: Final[dict[str, Schema]] = {
    # A text is a text; of what is not, OpenAPI 3.1 says nothing but its media type.
    kind: {"schema": _TEXT if kind.startswith("text/") else {}}
    for kind in FORMATS.values()
}

# As in openapi.py: what it does, the body it reads, the status and shape of its answer, the filters of a list.
OPERATIONS: Final[dict[tuple[str, str], tuple[str, str | None, int, str, tuple[str, ...]]]] = {
    ("GET", LIST): ("List the reports of finance, and what each is asked for", None, 200, "FinanceReportList", ()),
    ("GET", ONE): (
        "Fetch a report of finance as text, CSV, page, workbook or PDF, streamed", None, 200, "FinanceReportFile",
        ("from", "date", "department", "known_at", "language", "format"),
    ),
}  # fmt: skip
PARAMETERS: Final[dict[str, Schema]] = {
    "from": {"description": "the first date, for reports of a period"},
    "date": {"description": "the business date, or the last of a period; yesterday when left out"},
    "department": {**_TEXT, "minLength": 1, "maxLength": 200, "description": "whose, for reports of one department"},
    "known_at": {
        "type": "string",
        "format": "date-time",
        "description": "leaves out what was recorded after it, a minute past at least: the same bytes for ever",
    },
    "language": {"default": "en"},
    "format": {"enum": list(FORMATS), "default": "csv"},
}
IN_PATH: Final[Schema] = {"type": "string", "pattern": "^[a-z-]+$", "description": "as the list names it"}
