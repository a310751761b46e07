"""Bodies that may be a spreadsheet: text/csv beside JSON on the same address, what else is said in the query."""

from __future__ import annotations

import csv
from typing import Any, Final

from aiohttp import web

from gateway.api.calls import claim_of, read_json_body
from gateway.api.paging import Query
from gateway.deps import Deps
from gateway.domain.caller import Caller
from gateway.domain.errors import FieldFault, InvalidError, MalformedError
from gateway.domain.idempotency import Claim
from gateway.domain.text import check_text
from gateway.services.catalogue.catalogue_rows import LineFault, read_csv
from gateway.web.admission import read_within

CSV: Final = "text/csv"


def is_sheet(request: web.Request) -> bool:
    return request.content_type == CSV


async def read_sheet_or_json(request: web.Request, deps: Deps) -> bytes:
    """Read a body that may hold many rows, within its size and time."""
    bytes_max = deps.limits.import_bytes_max
    if is_sheet(request):
        return await read_within(request, bytes_max=bytes_max, read_s=deps.limits.body_read_s)
    return await read_json_body(request, deps, bytes_max=bytes_max)


def sheet_claim(request: web.Request, key: Caller, body: bytes) -> Claim:
    """Return the use of an Idempotency-Key: a spreadsheet's query says as much as its body, so both are the request."""
    if not is_sheet(request):
        return claim_of(request, key, body)
    return claim_of(request, key, b"%b?%b\0%b" % (CSV.encode(), request.rel_url.raw_query_string.encode(), body))


def sheet_rows(body: bytes, rows_max: int) -> list[dict[str, Any]]:
    """Read a spreadsheet's rows, each with its line."""
    try:
        rows = read_csv(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MalformedError("the body is not UTF-8") from None
    except csv.Error:
        raise MalformedError("the body is not CSV") from None
    if len(rows) > rows_max:
        raise InvalidError(f"at most {rows_max} rows at once", pointer="/rows")
    return rows


def place_in_sheet(fault: LineFault) -> str:
    """Say where a fault stands in a spreadsheet: the line, counted with the heading, and the column."""
    return f"/{fault.line}/{fault.field}"


def place_in_json(fault: LineFault) -> str:
    return f"/{fault.table}/{fault.line - 1}/{fault.field}"


def said_in_query(query: Query, name: str, *, length_max: int) -> str:
    """Return a text that stands in the query beside a spreadsheet, and must."""
    value = query.text(name)
    if value is None:
        raise InvalidError(faults=[FieldFault(f"/query/{name}", "missing", "is missing")])
    return check_text(value, length_max=length_max, pointer=f"/query/{name}")


def is_dry_run(query: Query) -> bool:
    return query.one_of("dry_run", ("true", "false")) == "true"
