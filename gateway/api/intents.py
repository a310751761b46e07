"""Payment intents: create, read, change, list, cancel, and what happened to them."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.api.callers import answered
from gateway.api.calls import caller, claim_of, read_json_body, working_on
from gateway.api.paging import Query, path_id
from gateway.api.problems import document, json_answer
from gateway.api.requests import CaptureIntent, Empty, UpdateIntent, checked_metadata, intent_request, read_body
from gateway.deps import Deps
from gateway.domain.caller import Scope
from gateway.domain.errors import InvalidError
from gateway.domain.idempotency import StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.intent import IntentStatus, Search
from gateway.domain.tariff import AMOUNT_MINOR_MAX
from gateway.services.intents.cancel_intent import cancel_for_department
from gateway.services.intents.capture_intent import capture_intent
from gateway.services.intents.create_intent import create_intent, created_answer, whole_answer
from gateway.services.intents.read_intent import list_attempts, list_intent_events, list_intents, read_intent
from gateway.services.intents.update_intent import update_metadata
from gateway.services.messages.resend_receipt import resend_for_department
from gateway.web.admission import DEPS

EXPANDABLE: Final = ("attempts", "refunds")
"""What may be asked to stand inside an intent, by `expand[]=`."""

_FILTERS: Final = (
    "status", "reference", "created_from", "created_before", "amount", "currency", "metadata", "duplicate", "expand[]",
)  # fmt: skip


async def create(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        asked = intent_request(body)
        stored = await create_intent(deps, key.department, asked, claim)
    headers = {"Location": f"/v1/payment-intents/{stored.resource}"}
    if stored.replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_answer(created_answer(deps, stored, asked), status=stored.status, headers=headers)


async def read(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    expand = Query(request, ("expand[]",), paged=False).several("expand[]", EXPANDABLE)
    intent_id = path_id(request, Prefix.INTENT)
    return document(await read_intent(request.app[DEPS], key.department, intent_id, expand=expand))


async def update(request: web.Request) -> web.Response:
    """Change the metadata, all of it. Nothing else of a request for money is ever changed: cancel it and ask anew."""
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    metadata = checked_metadata(read_body(body, UpdateIntent).metadata)
    intent_id = path_id(request, Prefix.INTENT)
    with working_on(deps, claim):
        stored = await update_metadata(deps, key.department, intent_id, metadata, claim)
    return await _answered(deps, stored)


async def list_page(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, _FILTERS)
    wanted = Search(
        status=_status(query.text("status")),
        reference=query.text("reference"),
        created_from=query.instant("created_from"),
        created_before=query.instant("created_before"),
        amount_minor=query.whole("amount", AMOUNT_MINOR_MAX),
        currency=query.text("currency"),
        metadata=query.pair("metadata"),
        duplicate={None: None, "true": True, "false": False}[query.one_of("duplicate", ("true", "false"))],
    )
    found = await list_intents(
        deps,
        key.department,
        wanted,
        cursor=query.identifier("cursor", Prefix.INTENT),
        limit=query.limit(deps.limits.page_items_max),
        expand=query.several("expand[]", EXPANDABLE),
    )
    return document(found)


async def events(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_READ)
    query = Query(request, ())
    found = await list_intent_events(
        deps,
        key.department,
        path_id(request, Prefix.INTENT),
        cursor=query.identifier("cursor", Prefix.EVENT),
        limit=query.limit(deps.limits.page_items_max),
    )
    return document(found)


async def attempts(request: web.Request) -> web.Response:
    key = await caller(request, Scope.PAYMENTS_READ)
    return document(await list_attempts(request.app[DEPS], key.department, path_id(request, Prefix.INTENT)))


async def cancel(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    read_body(body, Empty)
    intent_id = path_id(request, Prefix.INTENT)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        return await _answered(deps, await cancel_for_department(deps, key.department, intent_id, claim))


async def capture(request: web.Request) -> web.Response:
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    claim = claim_of(request, key, body)
    asked = read_body(body, CaptureIntent).amount
    amount = None if asked is None else (asked.amount, asked.currency)
    intent_id = path_id(request, Prefix.INTENT)
    with working_on(deps, claim):
        return await _answered(deps, await capture_intent(deps, key.department, intent_id, amount, claim))


async def send_receipt(request: web.Request) -> web.Response:
    """Send the receipt again; under another key within a minute it is refused."""
    deps = request.app[DEPS]
    key = await caller(request, Scope.PAYMENTS_WRITE)
    body = await read_json_body(request, deps)
    read_body(body, Empty)
    intent_id = path_id(request, Prefix.INTENT)
    claim = claim_of(request, key, body)
    with working_on(deps, claim):
        return answered(await resend_for_department(deps, key.department, intent_id, claim))


async def _answered(deps: Deps, stored: StoredAnswer) -> web.Response:
    """Send a stored answer with its payer and the checkout link."""
    headers = {"Idempotency-Replayed": "true"} if stored.replayed else {}
    return json_answer(await whole_answer(deps, stored), status=stored.status, headers=headers)


def _status(text: str | None) -> IntentStatus | None:
    try:
        return None if text is None else IntentStatus(text)
    except ValueError:
        raise InvalidError("is not a status of an intent", pointer="/query/status") from None
