"""One batch of findings in memory: rows as locked, moved by judgement, and all that must be written with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from adapters.contract import Method, PaymentReport
from gateway import metrics
from gateway.deps import Deps
from gateway.domain import postings
from gateway.domain.attempt import LIVE, PROVEN_DEAD
from gateway.domain.intent import IntentEvent
from gateway.domain.postings import DepartmentShare, Evidence
from gateway.domain.shift import Drawer
from gateway.domain.verdict import Booking, Review, Standing, Verdict, judge
from gateway.services.notices import attempt_event, failure_messages, intent_event, part_events, receipt_messages
from gateway.store import intents as intent_rows
from gateway.store import promises
from gateway.store.attempts import Attempt
from gateway.store.captures import Asked, Reservation
from gateway.store.connections import Connection
from gateway.store.events import Event
from gateway.store.intents import Intent, IntentLine, Progress
from gateway.store.messages import Message
from ledger.entry import Entry
from ledger.money import Money

_WORDS_MAX: Final = 200


@dataclass(slots=True)
class Batch:
    """Rows this transaction holds, and what becomes of them."""

    deps: Deps
    now: datetime
    intents: dict[str, Intent]
    attempts: dict[str, Attempt]
    lines: dict[str, list[IntentLine]]
    given_back: Mapping[str, int]
    asked: Mapping[str, Asked]
    entries: dict[str, Entry] = field(default_factory=dict)
    bookings: dict[str, Booking] = field(default_factory=dict)
    reversals: dict[str, Entry] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    reservations: list[Reservation] = field(default_factory=list)
    let_go: list[str] = field(default_factory=list)
    _moved_attempts: set[str] = field(default_factory=set)
    _moved_intents: set[str] = field(default_factory=set)

    def settle(self, attempt: Attempt, report: PaymentReport, *, given_up: bool) -> bool:
        """Judge one report and take over what it changes; tell whether it changed a status or raised a review."""
        intent = self.intents[attempt.intent]
        verdict = judge(
            Standing(
                attempt_id=attempt.id,
                attempt=attempt.status,
                intent=intent.status,
                amount=attempt.amount,
                in_review=attempt.review is not None,
                given_back=self.given_back.get(attempt.id, 0) > 0,
                awaits_word=intent.capture_later and intent.capture_asked_at is None,
            ),
            report,
            given_up=given_up,
        )
        effective_at = self._effective_at(attempt, report)
        after = self._learn(attempt, report, verdict, effective_at)
        if after != attempt:
            self.attempts[attempt.id] = replace(after, updated_at=self.now)
            self._moved_attempts.add(attempt.id)
        self._book(intent, after, report, verdict.booking, effective_at)
        if verdict.edge is not None:
            metrics.ATTEMPTS.labels(attempt.provider, verdict.edge).inc()
            self.events.append(attempt_event(self.deps, intent, after, after.status.value))
        if verdict.review is not None:
            metrics.REVIEWS.labels(verdict.review.value).inc()
            self.events.append(attempt_event(self.deps, intent, after, "review_required"))
        if verdict.review is Review.REVERSED_BY_PROVIDER:
            self._take_back(intent, after)
        self._move_intent(intent, after, verdict, effective_at)
        return verdict.edge is not None or verdict.event is not None or verdict.review is not None

    def put_before_a_person(self, attempt_id: str, review: Review) -> None:
        """Set an attempt aside for a person; machines leave it alone from now on."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.review is not None:
            return
        self.attempts[attempt_id] = replace(attempt, review=review.value, updated_at=self.now)
        self._moved_attempts.add(attempt_id)
        self.events.append(attempt_event(self.deps, self.intents[attempt.intent], attempt, "review_required"))

    async def number_receipts(self, connection: Connection) -> None:
        """Give every intent that is now paid its number, in the order of the batch, without a gap."""
        paid = [
            self.intents[intent_id]
            for intent_id in sorted(self._moved_intents)
            if self.intents[intent_id].paid_at is not None and self.intents[intent_id].receipt_number is None
        ]
        await self._flag_duplicates(connection, paid)
        wanted = Counter((intent.department, self._year(intent)) for intent in paid)
        following = await intent_rows.next_receipts(connection, wanted)
        for intent in paid:
            key = (intent.department, self._year(intent))
            number = f"{intent.department.upper()}-{key[1]}-{following[key]:07d}"
            following[key] += 1
            self.intents[intent.id] = replace(self.intents[intent.id], receipt_number=number)
            self.messages += receipt_messages(self.deps, intent, self.attempts[intent.paid_attempt or ""])

    async def keep_promises(self, connection: Connection) -> None:
        """Tell payers who left while their bank was silent that their payment was not made."""
        dead = [
            self.attempts[attempt_id]
            for attempt_id in sorted(self._moved_attempts)
            if self.attempts[attempt_id].status in PROVEN_DEAD
        ]
        if not dead:
            return
        promised = await promises.made(connection, [attempt.id for attempt in dead])
        for attempt in dead:
            if attempt.id in promised:
                self.messages += failure_messages(self.deps, self.intents[attempt.intent], attempt)

    async def _flag_duplicates(self, connection: Connection, paid: Sequence[Intent]) -> None:
        """Flag a bill that is paid a second time through another intent, and propose that it be refunded.

        The money is booked as paid all the same: two payments under one reference may be meant.
        """
        before = await intent_rows.paid_before(connection, paid)
        first: dict[tuple[str, str], str] = {}
        for intent in paid:
            bill = (intent.department, intent.reference)
            other = before.get(intent.id) or first.setdefault(bill, intent.id)
            if other == intent.id:
                continue
            self.intents[intent.id] = flagged = replace(intent, duplicate_of=other)
            self.events.append(intent_event(self.deps, flagged, "paid_twice", self.attempts[intent.paid_attempt or ""]))

    def moved_attempts(self) -> list[Attempt]:
        return [self.attempts[attempt_id] for attempt_id in sorted(self._moved_attempts)]

    def moved_intents(self) -> list[Progress]:
        return [
            Progress(
                id=intent.id,
                status=intent.status,
                late_payment=intent.late_payment,
                paid_at=intent.paid_at,
                paid_attempt=intent.paid_attempt,
                receipt_number=intent.receipt_number,
                duplicate_of=intent.duplicate_of,
            )
            for intent in (self.intents[intent_id] for intent_id in sorted(self._moved_intents))
        ]

    def _year(self, intent: Intent) -> int:
        return (intent.paid_at or self.now).astimezone(self.deps.zone).year

    def _effective_at(self, attempt: Attempt, report: PaymentReport) -> datetime:
        """When the provider says it happened, unless that lies before the attempt or after now."""
        said = report.occurred_at
        return said if said is not None and attempt.started_at <= said <= self.now else self.now

    def _learn(self, attempt: Attempt, report: PaymentReport, verdict: Verdict, effective_at: datetime) -> Attempt:
        if attempt.review is not None or verdict.review is Review.REFERENCE_DIFFERS:
            return replace(attempt, review=attempt.review or (verdict.review.value if verdict.review else None))
        booked = verdict.booking is not Booking.NONE
        live = verdict.attempt in LIVE
        stale = not live and verdict.edge is None
        return replace(
            attempt,
            status=verdict.attempt,
            provider_reference=_reference(attempt, report, booked=booked),
            next_step=(report.next_step or attempt.next_step) if live else None,
            decline=verdict.decline if verdict.attempt in PROVEN_DEAD and verdict.edge else attempt.decline,
            word=attempt.word if stale else printable(report.word) or attempt.word,
            facts=attempt.facts if stale else {**attempt.facts, **_facts(report)},
            captured=report.captured if booked else attempt.captured,
            captured_at=effective_at if booked else attempt.captured_at,
            late=attempt.late or verdict.booking is Booking.LATE,
            review=verdict.review.value if verdict.review else None,
        )

    def _book(
        self, intent: Intent, attempt: Attempt, report: PaymentReport, booking: Booking, effective_at: datetime
    ) -> None:
        if booking is Booking.NONE or report.captured is None:
            return
        evidence = self._evidence(intent, attempt, effective_at)
        match booking:
            case Booking.IN_TIME:
                entry = postings.captured(evidence, shares(self.lines[intent.id]), report.captured)
            case Booking.LATE:
                entry = postings.captured_late(evidence, report.captured)
            case Booking.FOR_REVIEW:
                entry = postings.captured_for_review(evidence, report.captured)
        self.entries[attempt.id] = entry
        self.bookings[attempt.id] = booking

    def _take_back(self, intent: Intent, attempt: Attempt) -> None:
        """Book what the provider took back: at once, so that no department is paid for it."""
        if attempt.captured is None:
            return
        in_suspense = attempt.late and attempt.resolution != "accepted"
        owed = None if in_suspense else shares(self.lines[intent.id])
        self.reversals[attempt.id] = postings.taken_back(
            self._evidence(intent, attempt, self.now), owed, attempt.captured
        )

    def _evidence(self, intent: Intent, attempt: Attempt, effective_at: datetime) -> Evidence:
        return Evidence(
            intent_id=intent.id,
            attempt_id=attempt.id,
            provider=attempt.provider,
            provider_reference=attempt.provider_reference,
            effective_at=effective_at,
            zone=self.deps.zone,
            drawer=_drawer(attempt),
        )

    def _move_intent(self, intent: Intent, attempt: Attempt, verdict: Verdict, effective_at: datetime) -> None:
        after = replace(intent, status=verdict.intent)
        if verdict.event is IntentEvent.CAPTURED:
            after = replace(after, paid_at=effective_at, paid_attempt=attempt.id)
        if intent.capture_later:
            after = self._reserve(after, attempt, verdict)
        if verdict.booking is Booking.LATE:
            after = replace(after, late_payment=True)
            self.events.append(intent_event(self.deps, after, "late_payment", attempt))
        if after == intent:
            return
        self.intents[intent.id] = after
        self._moved_intents.add(intent.id)
        if verdict.event is not None:
            metrics.INTENTS.labels(verdict.event.value).inc()
            self.events.append(intent_event(self.deps, after, after.status.value, attempt))
        if verdict.event is IntentEvent.CAPTURED:
            self.events += part_events(self.deps, after, "paid", self.lines[intent.id])

    def _reserve(self, intent: Intent, attempt: Attempt, verdict: Verdict) -> Intent:
        """Keep what became reserved, until its bank lets go of it; forget what is not reserved any more."""
        if verdict.event is IntentEvent.AUTHORISED:
            until = self.now + self.deps.limits.reserved_for
            self.reservations.append(Reservation(intent.id, attempt.amount.amount_minor, until))
            return replace(intent, authorised_minor=attempt.amount.amount_minor, expires_at=until)
        if verdict.event is IntentEvent.ATTEMPT_DIED and intent.authorised_minor is not None:
            self.let_go.append(intent.id)
            return self._ask_again(replace(intent, authorised_minor=None, capture_asked_at=None), attempt)
        return intent

    def _ask_again(self, intent: Intent, attempt: Attempt) -> Intent:
        """Ask for what was asked for before it was reserved: of a part that was to be captured, nothing came."""
        asked = self.asked.get(intent.id)
        if asked is None:
            return intent
        whole = Money(asked.amount_minor, intent.amount.currency)
        parts = {number: (amount_minor, vat_minor) for number, amount_minor, vat_minor in asked.lines}
        self.lines[intent.id] = [
            replace(line, amount_minor=parts[line.number][0], vat_minor=parts[line.number][1])
            for line in self.lines[intent.id]
        ]
        self.attempts[attempt.id] = replace(self.attempts[attempt.id], amount=whole)
        return replace(intent, amount=whole, expires_at=asked.expires_at)


def _reference(attempt: Attempt, report: PaymentReport, *, booked: bool) -> str | None:
    """Keep the provider's reference as first heard, until money moves: reports and refunds name it as booked then."""
    if booked and report.provider_reference is not None:
        return report.provider_reference
    return attempt.provider_reference or report.provider_reference


def _drawer(attempt: Attempt) -> Drawer | None:
    """Return where cash lies. The counter alone takes cash, so no provider's facts can name a drawer."""
    if attempt.method is not Method.CASH:
        return None
    return Drawer(attempt.facts["centre"], attempt.facts["shift"])


def printable(text: str) -> str:
    """Take what a provider worded: the visible characters, and not too many of them."""
    return "".join(character for character in text if character.isprintable())[:_WORDS_MAX]


def _facts(report: PaymentReport) -> dict[str, str]:
    return {name: printable(str(value)) for name, value in report.facts.items()}


def shares(lines: Sequence[IntentLine]) -> list[DepartmentShare]:
    return [DepartmentShare(line.department, line.amount_minor, line.vat_minor) for line in lines]
