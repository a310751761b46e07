"""A transfer nobody could name, given to a bill by two people. Suggestions help them; nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from adapters.contract import RECEIVED_MINOR, CallbackNotice, Method, Outcome, PaymentReport
from gateway.deps import Deps
from gateway.domain import ids, near_miss
from gateway.domain.attempt import LIVE
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.store import attempts, inbox, transfer_claims
from gateway.store.transfer_claims import Claim
from ledger.money import Money
from ledger.people import same_person

_log: Final = structlog.get_logger(__name__)
_LOOKED_AT_MAX: Final = 2_000
_SUGGESTED_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A bill a credit may be for, and why: the amounts agree, or so many marks of the reference are wrong."""

    attempt: str
    bill: str
    amount: Money
    same_amount: bool
    wrong_marks: int | None


async def suggest_bills(deps: Deps, amount: Money, text: str) -> list[Suggestion]:
    """Return the waiting bills a credit is most likely for; the closest reference first, then the same amount."""
    async with deps.connection() as connection:
        waiting = await transfer_claims.waiting(connection, amount, _LOOKED_AT_MAX)
    found = [
        Suggestion(
            one.attempt,
            one.bill,
            one.amount,
            one.amount == amount,
            near_miss.difference(text, one.reference) if one.reference else None,
        )
        for one in waiting
    ]
    likely = [one for one in found if one.same_amount or one.wrong_marks is not None]
    likely.sort(key=lambda one: (one.wrong_marks if one.wrong_marks is not None else 9, not one.same_amount))
    return likely[:_SUGGESTED_MAX]


async def propose_transfer(deps: Deps, attempt_id: str, credit: str, held: Money, *, by: str, reason: str) -> str:
    """Propose that a credit pays a bill; return the proposal's id. `held` is what of the credit is not placed yet."""
    now = deps.clock()
    async with deps.transaction() as connection:
        attempt = (await attempts.lock(connection, [attempt_id])).get(attempt_id)
        if attempt is None or attempt.method is not Method.BANK_TRANSFER:
            raise NotFoundError
        if attempt.status not in LIVE or attempt.review is not None:
            raise TransitionError("this bill no longer waits for a transfer")
        left_minor = held.amount_minor - await transfer_claims.given_of(connection, credit)
        if attempt.amount.currency != held.currency or attempt.amount.amount_minor > left_minor:
            raise TransitionError(f"the bill asks for {attempt.amount}, and less than that is left of the credit")
        claim_id = ids.mint(ids.Prefix.TRANSFER_CLAIM, now, deps.random_bytes)
        claim = Claim(claim_id, attempt_id, credit, attempt.amount, reason, by, now)
        if not await transfer_claims.insert(connection, claim):
            raise TransitionError("this bill has been given a credit already")
    _log.info("transfer_proposed", claim=claim_id, attempt=attempt_id)
    return claim_id


async def decide_transfer(deps: Deps, claim_id: str, *, by: str, approve: bool) -> None:
    """Decide as a second person. The word and its effect's notice are stored together, so a crash loses neither."""
    now = deps.clock()
    async with deps.transaction() as connection:
        claim = await transfer_claims.lock(connection, claim_id)
        if claim is None:
            raise NotFoundError
        if claim["decision"] is not None:
            raise TransitionError("this was decided before")
        if same_person(claim["maker"], by):
            raise TransitionError("whoever proposed it cannot decide it")
        await transfer_claims.decide(connection, claim_id, by, "approved" if approve else "refused", now)
        if approve:
            amount = Money(claim["amount_minor"], claim["currency"])
            report = PaymentReport(
                Outcome.SUCCEEDED,
                reference=claim["attempt"],
                captured=amount,
                word="assigned_by_two_people",
                facts={RECEIVED_MINOR: str(amount.amount_minor), "credit": claim["credit"]},
            )
            notice = CallbackNotice(claim_id, claim["attempt"], None, report.word, proven=True, report=report)
            await inbox.store(connection, claim["provider"], [notice], now, now)
    _log.info("transfer_decided", claim=claim_id, approved=approve)
