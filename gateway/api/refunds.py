"""Refunds: ask for one or many, decide about what waits, read one, list an intent's and a department's."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.api.bodies import DecideRefund, Empty
from gateway.api.callers import answered
from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document
from gateway.api.refund_requests import person, refund_batch_of_sheet, refund_batch_request, refund_request
from gateway.api.requests import read_body
from gateway.api.spreadsheets import is_sheet, read_sheet_or_json, sheet_claim
from gateway.domain.caller import Scope
from gateway.domain.errors import InvalidError
from gateway.domain.idempotency import StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.refund import RefundSearch, RefundStatus
from gateway.domain.text import check_text
from gateway.services.intents.read_intent import list_refunds, read_refund, search_refunds
from gateway.services.refunds.create_refund import Asking, create_refund
from gateway.services.refunds.decide_batch import decide_batch
from gateway.services.refunds.decide_refund import Decision, decide_for_department
from gateway.services.refunds.end_collection import cancel_refund
from gateway.services.refunds.refund_many import PaidQuery, Wanted, choose_paid, refund_many
from gateway.web.admission import DEPS


async def create(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.REFUNDS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    intent_id = path_id(request, Prefix.INTENT)
    with working_on(deps, claim):
        stored = await create_refund(deps, key.department, intent_id, refund_request(body), claim, Asking(key.id))
    return _answer(stored, f"/v1/refunds/{stored.resource}")


async def create_batch(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.REFUNDS_WRITE)
    body = await read_sheet_or_json(request, deps)
    claim = sheet_claim(request, key, body)
    sheet = is_sheet(request)
    query = Query(request, ("reason", "requested_by", "dry_run") if sheet else (), paged=False)
    with working_on(deps, claim):
        wanted: list[Wanted] | PaidQuery
        if sheet:
            wanted, dry_run = refund_batch_of_sheet(query, body)
        else:
            wanted, asked, dry_run = refund_batch_request(body)
            if isinstance(wanted, PaidQuery):
                wanted = await choose_paid(deps, key.department, wanted, asked)
        stored = await refund_many(deps, key.department, wanted, claim, caller=key.id, dry_run=dry_run)
    return _answer(stored, f"/v1/refunds?batch={stored.resource}")


async def approve(request: web.Request) -> web.Response:
    return await _decide(request, approve=True)


async def refuse(request: web.Request) -> web.Response:
    return await _decide(request, approve=False)


async def approve_batch(request: web.Request) -> web.Response:
    return await _decide(request, approve=True, batch=True)


async def refuse_batch(request: web.Request) -> web.Response:
    return await _decide(request, approve=False, batch=True)


async def _decide(request: web.Request, *, approve: bool, batch: bool = False) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.REFUNDS_APPROVE)
    body = await read_json_body(request, deps)
    asked = read_body(body, DecideRefund)
    by = person(asked.decided_by, "/decided_by") or ""
    why = check_text(asked.reason, length_max=200, pointer="/reason") if asked.reason or not approve else ""
    decided = path_id(request, Prefix.REFUND_BATCH if batch else Prefix.REFUND)
    claim = claim_of(request, key, body)
    decision = Decision(by, approve, why, decided_with=key)
    decide = decide_batch if batch else decide_for_department
    with working_on(deps, claim):
        return answered(await decide(deps, key.department, decided, decision, claim))


async def cancel(request: web.Request) -> web.Response:
    """Take back a refund of cash that nobody has collected."""
    deps = request.app[DEPS]
    key = await caller(request, Scope.REFUNDS_WRITE)
    body = await read_json_body(request, deps)
    read_body(body, Empty)
    refund_id = path_id(request, Prefix.REFUND)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        return answered(await cancel_refund(deps, key.department, refund_id, claim))


async def read(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await read_refund(request.app[DEPS], key.department, path_id(request, Prefix.REFUND)))


async def of_intent(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await list_refunds(request.app[DEPS], key.department, path_id(request, Prefix.INTENT)))


async def list_page(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ("status", "batch", "created_from", "created_before"))
    found = await search_refunds(
        deps,
        key.department,
        RefundSearch(
            _status(query.text("status")),
            query.identifier("batch", Prefix.REFUND_BATCH),
            query.instant("created_from"),
            query.instant("created_before"),
        ),
        cursor=query.identifier("cursor", Prefix.REFUND),
        limit=query.limit(deps.limits.page_items_max),
    )
    return document(found)


def _answer(stored: StoredAnswer, location: str) -> web.Response:
    headers = {"Location": location}
    if stored.replayed:
        headers["Idempotency-Replayed"] = "true"
    return document(msgspec.json.decode(stored.answer), status=stored.status, headers=headers)


def _status(text: str | None) -> RefundStatus | None:
    try:
        return None if text is None else RefundStatus(text)
    except ValueError:
        raise InvalidError("is not a status of a refund", pointer="/query/status") from None
