"""A department's own catalogue: taken out, put in, and what its services are to cost, which two people decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from aiohttp import web

from gateway.api.bodies import ROWS_MAX, TARIFFS_MAX, ImportCatalogue, ProposeTariffs, TariffDraft
from gateway.api.callers import answered
from gateway.api.calls import caller, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.api.requests import read_body
from gateway.api.spreadsheets import (
    is_dry_run,
    is_sheet,
    place_in_json,
    place_in_sheet,
    read_sheet_or_json,
    said_in_query,
    sheet_claim,
    sheet_rows,
)
from gateway.domain.caller import Scope
from gateway.domain.errors import FieldFault, InvalidError, NotFoundError
from gateway.domain.ids import Prefix
from gateway.domain.tariff_terms import read_terms
from gateway.domain.text import check_text
from gateway.services.catalogue.catalogue_rows import LineFault, read_rows
from gateway.services.catalogue.change_tariffs import Draft, Proposing
from gateway.services.catalogue.export_catalogue import as_csv, export_catalogue, export_own
from gateway.services.catalogue.own_catalogue import import_own
from gateway.services.catalogue.own_tariffs import STATUSES, list_own, propose_own, read_own
from gateway.services.catalogue.tariff_rows import Numbered, read_draft
from gateway.web.admission import DEPS

EXPORTED: Final = ("services", "bundles", "tariffs")
IMPORTED: Final = ("services", "bundles")
_REASON_MAX: Final = 500
_PERSON_MAX: Final = 100


async def read(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    Query(request, (), paged=False)
    return document(await export_own(request.app[DEPS], key.department))


async def table(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    name = request.match_info["table"]
    if name not in EXPORTED:
        raise NotFoundError
    Query(request, (), paged=False)
    columns, rows = (await export_catalogue(request.app[DEPS], key.department))[name]
    return web.Response(
        text=as_csv(columns, rows),
        content_type="text/csv",
        charset="utf-8",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="{name}.csv"',
        },
    )


async def import_rows(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.CATALOGUE_WRITE)
    body = await read_sheet_or_json(request, deps)
    claim = sheet_claim(request, key, body)
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    if is_sheet(request):
        query = Query(request, ("table", "dry_run"), paged=False)
        named = query.one_of("table", IMPORTED)
        if named is None:
            raise InvalidError(faults=[FieldFault("/query/table", "missing", "is missing")])
        rows, dry_run, place = {named: sheet_rows(body, ROWS_MAX)}, is_dry_run(query), place_in_sheet
    else:
        Query(request, (), paged=False)
        asked = read_body(body, ImportCatalogue)
        rows, dry_run, place = {"services": asked.services, "bundles": asked.bundles}, asked.dry_run, place_in_json
    with working_on(deps, claim):
        stored = await import_own(
            deps, key, rows.get("services", ()), rows.get("bundles", ()), claim, dry_run=dry_run, place=place
        )
    return answered(stored)


async def propose(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.CATALOGUE_WRITE)
    body = await read_sheet_or_json(request, deps)
    claim = sheet_claim(request, key, body)
    if is_sheet(request):
        query = Query(request, ("reason", "proposed_by", "dry_run"), paged=False)
        by, reason = (
            said_in_query(query, "proposed_by", length_max=_PERSON_MAX),
            said_in_query(query, "reason", length_max=_REASON_MAX),
        )
        rows, dry_run, place = _of_sheet(body), is_dry_run(query), place_in_sheet
    else:
        Query(request, (), paged=False)
        asked = read_body(body, ProposeTariffs)
        by = check_text(asked.proposed_by.strip(), length_max=_PERSON_MAX, pointer="/proposed_by")
        reason = check_text(asked.reason, length_max=_REASON_MAX, pointer="/reason")
        rows, dry_run, place = _of_json(asked.tariffs), asked.dry_run, place_in_json
    proposing = Proposing(by, reason, caller=key.id, own=key.department)
    with working_on(deps, claim):
        return answered(await propose_own(deps, rows, proposing, claim, dry_run=dry_run, place=place))


def _of_sheet(body: bytes) -> Numbered:
    rows = sheet_rows(body, TARIFFS_MAX)
    if not rows:
        raise InvalidError("has no rows", pointer="/rows")
    faults: list[LineFault] = []
    return Numbered(read_rows("tariffs", rows, read_draft, faults, key=None), faults)


def _of_json(asked: Sequence[TariffDraft]) -> Numbered:
    drafts: list[tuple[int, Draft]] = []
    faults: list[LineFault] = []
    for number, one in enumerate(asked, 1):
        try:
            drafts.append((number, _draft(one)))
        except InvalidError as error:
            faults += [LineFault("tariffs", number, _named(fault.pointer), fault.detail) for fault in error.faults]
    return Numbered(drafts, faults, _named)


def _named(pointer: str) -> str:
    return pointer.lstrip("/")


def _draft(asked: TariffDraft) -> Draft:
    try:
        day = date.fromisoformat(asked.effective_on)
    except ValueError:
        raise InvalidError("is not a day as in 2026-01-31", pointer="/effective_on") from None
    return Draft(
        check_text(asked.service, length_max=63, pointer="/service"),
        day,
        check_text(asked.legal_basis, length_max=_REASON_MAX, pointer="/legal_basis"),
        read_terms(asked.terms),
    )


async def list_page(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("service", "status"))
    found = await list_own(
        deps,
        key.department,
        query.text("service"),
        query.one_of("status", tuple(STATUSES)),
        cursor=query.identifier("cursor", Prefix.TARIFF),
        limit=query.limit(deps.limits.page_items_max),
    )
    return document(found)


async def read_proposal(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await read_own(request.app[DEPS], key.department, path_id(request, Prefix.TARIFF)))
