"""What one truth from a provider changes: the single judgement behind answers, callbacks, polls, voids and files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapters.contract import DeclineReason, Outcome, PaymentReport
from gateway.domain import attempt as attempts
from gateway.domain import intent as intents
from gateway.domain.attempt import AttemptStatus
from gateway.domain.intent import IntentEvent, IntentStatus
from ledger.money import Money


class Booking(StrEnum):
    """Which journal a capture asks for."""

    NONE = "none"
    IN_TIME = "in_time"
    LATE = "late"
    FOR_REVIEW = "for_review"


class Review(StrEnum):
    """Why a person must look. Such an attempt keeps what it has and is no longer asked about by machines."""

    AMOUNT_DIFFERS = "amount_differs"
    REFERENCE_DIFFERS = "reference_differs"
    REVERSED_BY_PROVIDER = "reversed_by_provider"
    BOOKS_REFUSED = "books_refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """What we hold to be true before the report."""

    attempt_id: str
    attempt: AttemptStatus
    intent: IntentStatus
    amount: Money
    in_review: bool = False
    given_back: bool = False
    awaits_word: bool = False
    """Whether the department captures later and has not said so yet: what is authorised is reserved."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we hold to be true after it. Without an edge nothing moved."""

    attempt: AttemptStatus
    intent: IntentStatus
    edge: str | None = None
    event: IntentEvent | None = None
    booking: Booking = Booking.NONE
    review: Review | None = None
    decline: DeclineReason | None = None


def judge(standing: Standing, report: PaymentReport, *, given_up: bool = False) -> Verdict:
    """Judge a report. `given_up` says that it answers a void: its success means that nothing can be captured."""
    nothing = Verdict(standing.attempt, standing.intent)
    if standing.in_review:
        return nothing
    objection = _objection(standing, report)
    if objection is not None:
        return Verdict(standing.attempt, standing.intent, review=objection)
    target = _target(report, given_up=given_up)
    edge = attempts.edge(standing.attempt, target)
    if _is_reserved(standing, report, target):
        reserved = intents.advance(standing.intent, IntentEvent.AUTHORISED)
        return Verdict(target, reserved, edge=edge, event=IntentEvent.AUTHORISED)
    if edge is None or _is_no_news(standing, report, target):
        return nothing
    return _moved(standing, report, target, edge)


def _moved(standing: Standing, report: PaymentReport, target: AttemptStatus, edge: str) -> Verdict:
    if target is AttemptStatus.SUCCEEDED:
        return _captured(standing, report, edge)
    if target in attempts.PROVEN_DEAD:
        return _died(standing, report, target, edge)
    return Verdict(target, standing.intent, edge=edge)


def _objection(standing: Standing, report: PaymentReport) -> Review | None:
    if report.reference is not None and report.reference != standing.attempt_id:
        return Review.REFERENCE_DIFFERS
    # A refund of ours shows up as a reversal too; only one we did not ask for is somebody's work.
    if report.reversed and standing.attempt is AttemptStatus.SUCCEEDED and not standing.given_back:
        return Review.REVERSED_BY_PROVIDER
    return None


def _is_reserved(standing: Standing, report: PaymentReport, target: AttemptStatus) -> bool:
    """Tell that the payer's bank has reserved just what was asked for, and nobody has said yet that it be captured."""
    return (
        target is AttemptStatus.PENDING
        and standing.attempt in attempts.LIVE
        and standing.awaits_word
        and report.authorised == standing.amount
        and intents.may(standing.intent, IntentEvent.AUTHORISED)
    )


def _is_no_news(standing: Standing, report: PaymentReport, target: AttemptStatus) -> bool:
    """Tell a provider that does not know the attempt: the request may still be under way."""
    unheard = standing.attempt in (AttemptStatus.STARTING, AttemptStatus.UNKNOWN)
    told = report.provider_reference is not None or report.next_step is not None
    return unheard and target is AttemptStatus.PENDING and not told


def _target(report: PaymentReport, *, given_up: bool) -> AttemptStatus:
    if given_up and report.outcome is Outcome.SUCCEEDED and report.captured is None:
        return AttemptStatus.VOIDED
    if report.outcome is Outcome.SUCCEEDED and report.captured is None:
        return AttemptStatus.UNKNOWN  # success without an amount is an answer nobody can trust
    return attempts.status_of(report.outcome)


def _captured(standing: Standing, report: PaymentReport, edge: str) -> Verdict:
    if report.captured != standing.amount:
        moved = report.captured is not None and report.captured.amount_minor > 0
        return Verdict(
            AttemptStatus.UNKNOWN if standing.attempt in attempts.LIVE else standing.attempt,
            standing.intent,
            booking=Booking.FOR_REVIEW if moved else Booking.NONE,
            review=Review.AMOUNT_DIFFERS,
        )
    if intents.takes_late_money(standing.intent):
        return Verdict(AttemptStatus.SUCCEEDED, standing.intent, edge=edge, booking=Booking.LATE)
    return Verdict(
        AttemptStatus.SUCCEEDED,
        intents.advance(standing.intent, IntentEvent.CAPTURED),
        edge=edge,
        event=IntentEvent.CAPTURED,
        booking=Booking.IN_TIME,
    )


def _died(standing: Standing, report: PaymentReport, target: AttemptStatus, edge: str) -> Verdict:
    decline = None
    if target is AttemptStatus.DECLINED:
        outage = DeclineReason.PROVIDER_OUTAGE if report.outcome is Outcome.NOT_SENT else DeclineReason.OTHER
        decline = report.decline or outage
    if not intents.may(standing.intent, IntentEvent.ATTEMPT_DIED):
        return Verdict(target, standing.intent, edge=edge, decline=decline)
    return Verdict(
        target,
        intents.advance(standing.intent, IntentEvent.ATTEMPT_DIED),
        edge=edge,
        event=IntentEvent.ATTEMPT_DIED,
        decline=decline,
    )
