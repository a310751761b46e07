"""GSMA Mobile Money as a provider: the payer approves on the phone, our correlation id finds each request again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from adapters.calls import Answer, Call, read_json
from adapters.contract import (
    CallbackNotice,
    Health,
    Method,
    Outcome,
    PaymentOrder,
    PaymentReport,
    RefundOrder,
    RefundReport,
    SettlementFile,
)
from adapters.errors import OutcomeUnknownError, ProviderError, RejectedError
from adapters.gsma import callbacks
from adapters.gsma.manifest import MANIFEST
from adapters.gsma.mapping import (
    DUPLICATE,
    PAYER_CATEGORIES,
    decline_of,
    read_instant,
    read_payment,
    read_refund,
    read_refund_waiting,
    read_waiting,
)
from adapters.gsma.settlement import day_of, settlement_files
from adapters.gsma.wire import (
    Endpoint,
    WireHeartbeat,
    WireState,
    WireTransaction,
    read_error,
    read_link,
    read_state,
    read_transaction,
    read_transactions,
)
from adapters.http import WireClient

NOT_FOUND: Final = 404
ACCEPTED: Final = 202
PAGE_LINES: Final = 200
PAGES_MAX: Final = 5000
STATEMENT_BYTES_MAX: Final = 8 << 20


class MobileMoney:
    """GSMA Mobile Money API 1.2, payee-initiated merchant payment."""

    name = MANIFEST.name
    methods: frozenset[Method] = MANIFEST.methods

    def __init__(
        self, wire: WireClient, *, settings: Mapping[str, str], zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._wire = wire
        self._settings = settings
        self._zone = zone
        self._clock = clock
        self._endpoint = Endpoint(
            settings["base_url"],
            api_key=settings["api_key"],
            client_id=settings["client_id"],
            organisation=settings["organisation"],
        )

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Ask the payer's phone. The same reference again is known to the provider, and then its truth is read."""
        if not order.payer_mobile:
            raise RejectedError("a mobile payment needs the payer's mobile number")
        try:
            answer = await self._wire.send(self._endpoint.collect(order, order.payer_mobile, self._now()))
        except RejectedError as error:
            return await self._refused(order, error)
        if answer.status == ACCEPTED:
            return await self._waited(order, read_state(answer.body))
        report = _ours(read_payment(read_transaction(answer.body)), order.reference)
        if report.captured is not None and report.captured != order.amount:
            raise OutcomeUnknownError(f"asked for {order.amount}, the answer says {report.captured}")
        return report

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        if provider_reference is not None:
            answer = await self._find(self._endpoint.transaction(provider_reference))
            if answer is None:
                return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
            return read_payment(read_transaction(answer.body))
        found = await self._recall(order.reference)
        if found is None:
            return PaymentReport(Outcome.PENDING, None, order.reference, word="NOT_FOUND")
        if isinstance(found, WireState):
            return await self._waited(order, found)
        return _ours(read_payment(found), order.reference)

    async def refund(self, order: RefundOrder) -> RefundReport:
        try:
            answer = await self._wire.send(self._endpoint.reverse(order, self._now()))
        except RejectedError as error:
            known = read_error(error.body)
            if known is not None and known.error_code == DUPLICATE:
                return await self.query_refund(order)
            raise
        if answer.status == ACCEPTED:
            return await self._refund_waited(read_state(answer.body), order)
        return _named(read_refund(read_transaction(answer.body)), order)

    async def query_refund(self, order: RefundOrder) -> RefundReport:
        found = await self._recall(order.reference)
        if found is None:
            return RefundReport(Outcome.PENDING, order.refund_reference, word="NOT_FOUND")
        if isinstance(found, WireState):
            return await self._refund_waited(found, order)
        return _named(read_refund(found), order)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Sequence[CallbackNotice]:
        return callbacks.read_callback(headers, body, key=self._settings["callback_key"], now=self._now())

    async def check(self) -> Health:
        try:
            answer = await self._wire.send(self._endpoint.heartbeat())
            status = read_json(answer.body, WireHeartbeat).service_status
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        return Health(available=status != "unavailable", detail="" if status == "available" else status)

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        """Make the reports of a day that is over; until then what is listed may still grow."""
        start, end = day_of(business_date, self._zone)
        if self._clock() < end:
            return
        listed: list[WireTransaction] = []
        for _ in range(PAGES_MAX):
            call = self._endpoint.transactions(
                start.astimezone(UTC), end.astimezone(UTC), limit=PAGE_LINES, offset=len(listed)
            )
            answer = await self._find(call, body_bytes_max=STATEMENT_BYTES_MAX)
            page = read_transactions(answer.body) if answer else []
            listed += page
            if not page or len(listed) >= _available(answer, len(listed), full=len(page) == PAGE_LINES):
                break
        else:
            raise OutcomeUnknownError(f"the day has more than {PAGES_MAX} pages of transactions")
        # The bound at the end is inclusive in the specification: the next day's first instant is not ours.
        moments = [(transaction, read_instant(transaction.creation_date)) for transaction in listed]
        of_the_day = [transaction for transaction, at in moments if at is None or start <= at < end]
        for file in settlement_files(of_the_day, business_date, batch_pattern=self._settings["batch_pattern"]):
            yield file

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)

    async def _refused(self, order: PaymentOrder, error: RejectedError) -> PaymentReport:
        """Read a readable refusal: known already, declined for a reason the payer can act on, or our own fault."""
        known = read_error(error.body)
        if known is not None and known.error_code == DUPLICATE:
            return await self.query(order, None)
        if known is None or known.error_category not in PAYER_CATEGORIES:
            raise error
        return PaymentReport(
            Outcome.DECLINED, reference=order.reference, word=known.error_code, decline=decline_of(known)
        )

    async def _waited(self, order: PaymentOrder, state: WireState) -> PaymentReport:
        """Read a request state; a completed one points to its transaction, which has the amount."""
        if state.status == "completed" and state.object_reference:
            answer = await self._find(self._endpoint.transaction(state.object_reference))
            if answer is not None:
                return _ours(read_payment(read_transaction(answer.body)), order.reference)
        return read_waiting(state, order.reference, order.payer_mobile)

    async def _refund_waited(self, state: WireState, order: RefundOrder) -> RefundReport:
        if state.status == "completed" and state.object_reference:
            answer = await self._find(self._endpoint.transaction(state.object_reference))
            if answer is not None:
                return _named(read_refund(read_transaction(answer.body)), order)
        return read_refund_waiting(state)

    async def _recall(self, reference: str) -> WireTransaction | WireState | None:
        """Find what became of the request that carried our reference."""
        answer = await self._find(self._endpoint.response(reference))
        if answer is None:
            return None
        kind, identifier = read_link(answer.body)
        if kind == "transactions":
            found = await self._find(self._endpoint.transaction(identifier))
            return read_transaction(found.body) if found else None
        found = await self._find(self._endpoint.state(identifier))
        return read_state(found.body) if found else None

    async def _find(self, call: Call, *, body_bytes_max: int = 1 << 20) -> Answer | None:
        """Read something; a refusal to show it says nothing about the money."""
        try:
            return await self._wire.send(call, body_bytes_max=body_bytes_max)
        except RejectedError as error:
            if error.status == NOT_FOUND:
                return None
            raise OutcomeUnknownError(str(error)) from error


def _ours(report: PaymentReport, reference: str) -> PaymentReport:
    if report.reference is not None and report.reference != reference:
        raise OutcomeUnknownError("the transaction carries another reference than ours")
    return report


def _named(report: RefundReport, order: RefundOrder) -> RefundReport:
    """A reversal without an amount is one of the whole; the answer may leave it out, and then it is not invented."""
    if report.outcome is Outcome.SUCCEEDED and report.amount is None:
        raise OutcomeUnknownError(f"the reversal for {order.reference} is completed, but says of no amount")
    return report


def _available(answer: Answer | None, listed: int, *, full: bool) -> int:
    """Return how many records there are; without the header a full page means that there may be more."""
    text = answer.headers.get("X-Records-Available-Count", "") if answer else ""
    if text.isascii() and text.isdecimal():
        return int(text)
    return listed + 1 if full else listed
