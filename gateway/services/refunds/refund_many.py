"""Many refunds by one request: by a list or by what was paid, tried without effect first, taken up where it stopped."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from gateway.deps import Deps
from gateway.domain.errors import GatewayError, IdempotencyInFlightError, InvalidError, UnavailableError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.services.documents import Document
from gateway.services.notices import money
from gateway.services.refunds.create_refund import Asking, RefundRequest, create_refund, try_refund
from gateway.store import idempotency, intents
from ledger.money import Money

REFUNDS_MAX: Final = 500
_ACCEPTED: Final = 202


@dataclass(frozen=True, slots=True)
class Wanted:
    """One payment that is to be refunded."""

    intent_id: str
    request: RefundRequest


@dataclass(frozen=True, slots=True)
class PaidQuery:
    """Payments chosen by what they were for and when they were paid; everything left of each is given back."""

    service: str
    paid_from: datetime
    paid_before: datetime


async def choose_paid(deps: Deps, department: str, query: PaidQuery, request: RefundRequest) -> list[Wanted]:
    """Return the payments a query means, oldest first; too many are refused rather than cut off."""
    known = (await deps.catalogue.get()).services
    async with deps.connection() as connection:
        found = await intents.paid_for(
            connection, department, query.service, query.paid_from, query.paid_before, REFUNDS_MAX + 1
        )
    if not found and query.service not in known:
        raise InvalidError("is no service of the catalogue", pointer="/query/service")
    if len(found) > REFUNDS_MAX:
        raise InvalidError(f"means more than {REFUNDS_MAX} payments; narrow the time", pointer="/query")
    return [Wanted(intent_id, request) for intent_id in found]


async def refund_many(
    deps: Deps, department: str, wanted: Sequence[Wanted], claim: Claim, *, caller: str, dry_run: bool
) -> StoredAnswer:
    """Ask for every refund, each by itself: one that is refused never stops the others, and each is told.

    Every refund has an idempotency key of its own, made from the request's. After a crash the same request goes on
    where it stopped. The batch's whole sum decides whether a second person is needed.
    """
    async with deps.connection() as connection:
        stored = await idempotency.replay(connection, claim)
    if stored is not None:
        return stored
    batch = _batch_id(claim)
    tried = [await _try(deps, department, one, _own(claim, one)) for one in wanted]
    if dry_run:
        results = [_result(one, *_seen(found)) for one, found in zip(wanted, tried, strict=True)]
    else:
        sums = Counter[str]()
        for found in tried:
            if isinstance(found, Money):
                sums[found.currency] += found.amount_minor
        asking = Asking(caller, batch, max(sums.values(), default=0))
        results = [
            await _ask(deps, department, one, _own(claim, one), asking)
            if isinstance(found, Money)
            else _result(one, *_seen(found))
            for one, found in zip(wanted, tried, strict=True)
        ]
    answer = StoredAnswer(batch, _ACCEPTED, msgspec.json.encode(_document(batch, results, dry_run=dry_run)))
    async with deps.transaction() as connection:
        if not await idempotency.claim(connection, claim, answer, deps.clock()):
            raise IdempotencyInFlightError(retry_after_s=1)
    return answer


def _own(claim: Claim, one: Wanted) -> Claim:
    """Return the key of one refund of the batch."""
    body_sha256 = hashlib.sha256(repr(one).encode()).digest()
    return replace(claim, route=f"{claim.route} {one.intent_id}", body_sha256=body_sha256)


async def _try(deps: Deps, department: str, one: Wanted, own: Claim) -> Money | GatewayError:
    """Return what one refund gives back, whether it is still to be asked for or was before the batch broke off."""
    try:
        async with deps.connection() as connection:
            done = await idempotency.replay(connection, own)
        if done is not None:
            amount = msgspec.json.decode(done.answer)["amount"]
            return Money(amount["amount"], amount["currency"])
        return await try_refund(deps, department, one.intent_id, one.request)
    except UnavailableError:
        raise
    except GatewayError as error:
        return error


async def _ask(deps: Deps, department: str, one: Wanted, own: Claim, asking: Asking) -> Document:
    try:
        stored = await create_refund(deps, department, one.intent_id, one.request, own, asking)
    except UnavailableError:
        raise
    except GatewayError as error:
        return _result(one, None, error)
    refund: dict[str, Any] = msgspec.json.decode(stored.answer)
    return {**_result(one, Money(refund["amount"]["amount"], refund["amount"]["currency"]), None), "refund": refund}


def _seen(found: Money | GatewayError) -> tuple[Money | None, GatewayError | None]:
    return (found, None) if isinstance(found, Money) else (None, found)


def _result(one: Wanted, amount: Money | None, error: GatewayError | None) -> Document:
    return {
        "payment_intent": one.intent_id,
        "amount": dict(money(amount)) if amount is not None else None,
        "refund": None,
        "problem": {"code": error.code, "detail": error.detail} if error is not None else None,
    }


def _document(batch: str, results: Sequence[Document], *, dry_run: bool) -> Document:
    return {
        "id": batch,
        "object": "refund_batch",
        "dry_run": dry_run,
        "accepted": sum(1 for result in results if result["problem"] is None),
        "refused": sum(1 for result in results if result["problem"] is not None),
        "total": totals(result["amount"] for result in results if result["problem"] is None),
        "results": list(results),
    }


def totals(amounts: Iterable[Any]) -> list[Document]:
    sums = Counter[str]()
    for amount in amounts:
        sums[amount["currency"]] += amount["amount"]
    return [dict(money(Money(minor, currency))) for currency, minor in sorted(sums.items())]


def _batch_id(claim: Claim) -> str:
    """Name the batch after its request, so that a repeated one is the same batch."""
    name = f"{claim.caller} {claim.route} {claim.key}"
    return f"{Prefix.REFUND_BATCH.value}_0{hashlib.sha256(name.encode()).hexdigest()[:25]}"
