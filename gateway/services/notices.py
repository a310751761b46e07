"""The events departments read and the messages payers get, made where the change is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.deps import Deps
from gateway.domain.booked import News
from gateway.domain.contact import Contact
from gateway.domain.ids import Prefix
from gateway.domain.refund import RefundLine
from gateway.services.contacts import kept_recipient, reached_at
from gateway.store.attempts import Attempt
from gateway.store.events import Event
from gateway.store.intents import Intent, IntentLine
from gateway.store.messages import Message
from gateway.store.refunds import Refund
from ledger.money import Money

RECEIPT: Final = "receipt"
REMINDER: Final = "reminder"
NOT_PAID: Final = "not_paid"


def money(amount: Money) -> Mapping[str, Any]:
    """Show an amount as every answer and event does: minor units and currency."""
    return {"amount": amount.amount_minor, "currency": amount.currency}


def intent_event(deps: Deps, intent: Intent, what: str, attempt: Attempt | None = None) -> Event:
    """A thin event: what happened to which intent; the department reads the intent for the rest."""
    data = {
        "payment_intent": intent.id,
        "reference": intent.reference,
        "status": intent.status.value,
        "amount": money(intent.amount),
        "late_payment": intent.late_payment,
        "duplicate_of": intent.duplicate_of,
    }
    if attempt is not None:
        data["payment_attempt"] = attempt.id
    return _event(deps, intent.department, f"payment_intent.{what}", intent.id, data)


def attempt_event(deps: Deps, intent: Intent, attempt: Attempt, what: str) -> Event:
    data = {
        "payment_intent": intent.id,
        "payment_attempt": attempt.id,
        "reference": intent.reference,
        "status": attempt.status.value,
        "method": attempt.method.value,
        "amount": money(attempt.amount),
        "decline": attempt.decline.value if attempt.decline else None,
    }
    return _event(deps, intent.department, f"payment_attempt.{what}", intent.id, data)


def refund_event(deps: Deps, refund: Refund, what: str) -> Event:
    data = {
        "refund": refund.id,
        "payment_intent": refund.intent,
        "status": refund.status.value,
        "amount": money(refund.amount),
        "asked_by": refund.asked_by,
        "decided_by": refund.decided_by,
        "failure": failure_document(refund),
    }
    return _event(deps, refund.department, f"refund.{what}", refund.id, data)


def failure_document(refund: Refund) -> Mapping[str, str] | None:
    """Show why a refund failed, as every answer and event does."""
    why = refund.failure
    return None if why is None else {"code": why.code.value, "detail": why.detail}


def part_events(deps: Deps, intent: Intent, what: str, lines: Iterable[IntentLine]) -> list[Event]:
    """Tell each department that shares another's intent what happened to its part, and nothing of the others'."""
    shared = [line for line in lines if line.shared]
    return [
        _event(
            deps,
            code,
            f"payment_part.{what}",
            intent.id,
            {
                "payment_intent": intent.id,
                "owner": intent.department,
                "bundle": intent.bundle,
                "amount": money(_sum((one.amount_minor for one in shared if one.department == code), intent.amount)),
            },
        )
        for code in dict.fromkeys(line.department for line in shared)
    ]


def part_refund_events(deps: Deps, refund: Refund, what: str, lines: Iterable[RefundLine]) -> list[Event]:
    """Tell the other departments of a bundle how much of their part a refund took."""
    theirs = [line for line in lines if line.department != refund.department]
    return [
        _event(
            deps,
            code,
            f"payment_part.{what}",
            refund.intent,
            {
                "payment_intent": refund.intent,
                "owner": refund.department,
                "refund": refund.id,
                "amount": money(_sum((one.amount_minor for one in theirs if one.department == code), refund.amount)),
            },
        )
        for code in dict.fromkeys(line.department for line in theirs)
    ]


def booked_event(deps: Deps, intent: Intent, news: News) -> Event:
    """Tell what became of a paid intent in the books: its money has come, or is disputed."""
    data = {
        "payment_intent": intent.id,
        "payment_attempt": news.item,
        "reference": intent.reference,
        "amount": money(news.amount),
        "business_date": news.business_date.isoformat(),
    }
    return _event(deps, intent.department, news.kind, intent.id, data)


def refund_settled_event(deps: Deps, refund: Refund, news: News) -> Event:
    """Tell that the provider has taken a refund out of what it pays us."""
    data = {
        "refund": refund.id,
        "payment_intent": refund.intent,
        "status": refund.status.value,
        "amount": money(news.amount),
        "business_date": news.business_date.isoformat(),
    }
    return _event(deps, refund.department, news.kind, refund.id, data)


def payout_event(deps: Deps, news: News) -> Event:
    """Tell a department how a transfer to it stands."""
    data = {
        "payout": news.item,
        "status": news.word,
        "amount": money(news.amount),
        "business_date": news.business_date.isoformat(),
    }
    return _event(deps, news.department or "", news.kind, news.item, data)


def _sum(amounts_minor: Iterable[int], like: Money) -> Money:
    return Money(sum(amounts_minor), like.currency)


def receipt_messages(deps: Deps, intent: Intent, attempt: Attempt) -> Iterable[Message]:
    """Queue a receipt for every way the payer can be reached and we can send."""
    return _messages(deps, RECEIPT, intent.id, intent.language, reached_at(deps, intent, attempt))


def failure_messages(deps: Deps, intent: Intent, attempt: Attempt) -> Iterable[Message]:
    """Queue the word that a payment was not made, for a payer who was promised one."""
    return _messages(deps, NOT_PAID, attempt.id, intent.language, reached_at(deps, intent, attempt))


def reminder_messages(deps: Deps, intent: Intent, due_at: datetime) -> Iterable[Message]:
    """Queue a reminder for its time; whether there is still something to pay is seen then."""
    return _messages(deps, REMINDER, intent.id, intent.language, reached_at(deps, intent), due_at)


def _messages(
    deps: Deps,
    kind: str,
    subject: str,
    language: str,
    reached: Contact,
    due_at: datetime | None = None,
) -> Iterable[Message]:
    for channel, recipient in (("email", reached.email), ("sms", reached.mobile)):
        if recipient and channel in deps.senders:
            message_id = deps.mint(Prefix.MESSAGE)
            yield Message(
                id=message_id,
                subject=subject,
                kind=kind,
                channel=channel,
                recipient=kept_recipient(deps, message_id, recipient),
                language=language,
                due_at=due_at,
            )


def _event(deps: Deps, department: str, kind: str, about: str, data: Mapping[str, Any]) -> Event:
    return Event(deps.mint_event(), department, kind, about, data, deps.clock())
