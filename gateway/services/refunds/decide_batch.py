"""A second person decides about a whole batch at once: each refund by itself, and each outcome is told."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.deps import Deps
from gateway.domain.errors import GatewayError, IdempotencyInFlightError, NotFoundError, UnavailableError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.services.documents import Document
from gateway.services.once import earlier
from gateway.services.refunds.decide_refund import Decision, decide_one
from gateway.services.refunds.refund_many import REFUNDS_MAX, totals
from gateway.store import idempotency, refunds
from gateway.store.refunds import Refund

_DECIDED: Final = 200


async def decide_batch(deps: Deps, department: str, batch: str, decision: Decision, claim: Claim) -> StoredAnswer:
    """Approve or refuse what waits of a batch; one that cannot be decided never stops the others.

    After a crash the same request goes on where it stopped: the same decision by the same person is no error.
    """
    stored = await earlier(deps, claim)
    if stored is not None:
        return stored
    async with deps.connection() as connection:
        found = await refunds.search(connection, department, status=None, batch=batch, before=None, limit=REFUNDS_MAX)
    if not found:
        raise NotFoundError
    results = [await _decide(deps, department, refund, decision) for refund in reversed(found)]
    answer = StoredAnswer(batch, _DECIDED, msgspec.json.encode(_document(batch, decision, results)))
    async with deps.transaction() as connection:
        if not await idempotency.claim(connection, claim, answer, deps.clock()):
            raise IdempotencyInFlightError(retry_after_s=1)
    return answer


async def _decide(deps: Deps, department: str, refund: Refund, decision: Decision) -> Document:
    document, problem = None, None
    try:
        document = await decide_one(deps, department, refund.id, decision)
    except UnavailableError:
        raise
    except GatewayError as error:
        problem = {"code": error.code, "detail": error.detail}
    return {"id": refund.id, "payment_intent": refund.intent, "refund": document, "problem": problem}


def _document(batch: str, decision: Decision, results: list[Document]) -> Document:
    decided = [result["refund"] for result in results if result["refund"] is not None]
    return {
        "id": batch,
        "object": "refund_batch_decision",
        "decision": decision.word,
        "decided_by": decision.by,
        "decided": len(decided),
        "not_decided": len(results) - len(decided),
        "total": totals(refund["amount"] for refund in decided),
        "results": results,
    }
