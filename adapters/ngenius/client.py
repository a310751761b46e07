"""N-Genius Online as a provider: what is asked for, in which order, and what is never asked twice.

The gateway takes no idempotency key. An order is looked up by our reference before it is made; a capture is made only
while none exists; a refund is made only after the payment's refunds were read. See README.md for what remains open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode, urlsplit
from weakref import WeakValueDictionary

from adapters.calls import Answer, Call
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
from adapters.errors import NotSentError, OutcomeUnknownError, ProviderError, RejectedError, naming
from adapters.formats.settlement_profile import SettlementProfile
from adapters.http import WireClient
from adapters.ngenius import callbacks
from adapters.ngenius.manifest import MANIFEST
from adapters.ngenius.mapping import (
    AUTHORISED,
    DEAD,
    join_reports,
    leading_payment,
    read_refund,
    read_report,
    refund_id,
)
from adapters.ngenius.settlement import FILE_BYTES_MAX, read_settlement
from adapters.ngenius.tokens import Tokens
from adapters.ngenius.wire import (
    Endpoint,
    WireOrder,
    WirePayment,
    href,
    last_part,
    read_order,
    read_payment,
    read_reports,
    read_search,
    refund_link,
)
from ledger.money import Money

NOT_FOUND: Final = 404
UNAUTHORISED: Final = 401
REPORT_TIMEOUT_S: Final = 120.0
REPORTS_MAX: Final = 100


class NGenius:
    """Network International N-Genius Online, hosted payment page."""

    name = MANIFEST.name
    methods: frozenset[Method] = MANIFEST.methods

    def __init__(
        self,
        wire: WireClient,
        *,
        settings: Mapping[str, str],
        profile: SettlementProfile,
        clock: Callable[[], datetime],
    ) -> None:
        self._wire = wire
        self._settings = settings
        self._profile = profile
        self._endpoint = Endpoint(settings["base_url"], settings["outlet"])
        self._starting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tokens = Tokens(wire, self._endpoint, api_key=settings["api_key"], realm=settings["realm"], clock=clock)

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Make the order and send the payer to its page; an order made earlier under our reference is taken up.

        Starts of one reference wait for each other, so that the second finds what the first has made.
        """
        waiting = self._starting.setdefault(order.reference, asyncio.Lock())
        async with waiting:
            return await self._start(order)

    async def _start(self, order: PaymentOrder) -> PaymentReport:
        if self._searches:
            try:
                known = await self._search(order.reference)
            except ProviderError as error:
                # Nothing was asked for in this call, and a page nobody was sent to charges nobody.
                raise NotSentError(f"the earlier orders cannot be read: {error}") from error
            if known:
                _check_amounts(order, known)
                return self._started(order, join_reports([read_report(found) for found in known]))
        action = "AUTH" if order.capture_later else self._settings["action"]
        answer = await self._call(lambda token: self._endpoint.create(token, order, action))
        made = read_order(answer.body)
        _check_amounts(order, [made])
        report = self._started(order, read_report(made))
        if report.outcome is Outcome.PENDING and report.next_step is None and report.authorised is None:
            raise OutcomeUnknownError("the order was made without a page to pay it on")
        return report

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        if provider_reference is not None:
            found = await self._read(provider_reference)
            orders = [found] if found else []
        else:
            orders = await self._search(order.reference) if self._searches else []
        if not orders:
            return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
        return join_reports([read_report(found) for found in orders])

    async def capture(self, reference: str, provider_reference: str, amount: Money) -> PaymentReport:
        """Capture once: a payment that is not waiting for its capture is reported as it stands."""
        order = await self._read_existing(provider_reference)
        payment = _payment(order)
        if payment.state in AUTHORISED and not payment.movements.captures:
            identifier = last_part(payment.id)
            await self._call(
                lambda token: self._endpoint.capture(token, order.reference, identifier, amount), acts=True
            )
            order = await self._read_existing(provider_reference)
        report = read_report(order)
        if report.reference is not None and report.reference != reference:
            raise OutcomeUnknownError("the order carries another merchant reference than ours")
        return report

    async def void(self, order: PaymentOrder, provider_reference: str) -> PaymentReport:
        """Reverse an authorisation, or close an order nobody has paid; money already captured is refused."""
        found = await self._read(provider_reference)
        if found is None:
            return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
        payment = _payment(found)
        if payment.state not in DEAD:
            if payment.state in AUTHORISED:
                place = (found.reference, last_part(payment.id))
                await self._call(lambda token: self._endpoint.void(token, *place), acts=True)
            elif link := href(found.links, "cancel"):
                await self._call(lambda token: self._endpoint.close_order(token, link), acts=True)
            found = await self._read_existing(provider_reference)
        report = read_report(found)
        if report.captured is not None:
            raise RejectedError(f"the payment is {report.word} and can only be refunded")
        dead = report.outcome is Outcome.DECLINED
        return PaymentReport(
            outcome=Outcome.SUCCEEDED if dead else Outcome.PENDING,
            provider_reference=report.provider_reference,
            reference=order.reference,
            word=report.word,
            occurred_at=report.occurred_at,
            reversed=dead,
            facts=report.facts,
            unrecognised=report.unrecognised,
        )

    async def refund(self, order: RefundOrder) -> RefundReport:
        """Refund once: a refund of this amount that belongs to no other of ours is the one whose answer was lost."""
        payment = _payment(await self._read_existing(order.provider_reference))
        found = _find_refund(payment, order)
        if found is not None:
            return found
        before = {refund_id(refund) for refund in payment.movements.refunds}
        link = refund_link(payment)
        if link is None:
            raise RejectedError(f"a payment that is {payment.state} cannot be refunded")
        answer = await self._call(lambda token: self._endpoint.refund(token, link, order.amount), acts=True)
        after = read_payment(answer.body)
        made = [refund for refund in after.movements.refunds if refund_id(refund) not in before]
        if made:
            return read_refund(made[-1])
        return _reversal(after) or RefundReport(Outcome.PENDING, word=after.state)

    async def query_refund(self, order: RefundOrder) -> RefundReport:
        found = await self._read(order.provider_reference)
        if found is None:
            return RefundReport(Outcome.PENDING, order.refund_reference, word="NOT_FOUND")
        payment = _payment(found)
        if order.refund_reference is None and order.other_refunds is None and _candidates(payment, order):
            # "Not found" would invite the caller to send it again; one of these may be it.
            raise OutcomeUnknownError("which of the payment's refunds is ours cannot be told without other_refunds")
        return _find_refund(payment, order) or RefundReport(Outcome.PENDING, order.refund_reference, word="NOT_FOUND")

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Sequence[CallbackNotice]:
        return callbacks.read_callback(
            headers,
            body,
            header_name=self._settings["webhook_header_name"],
            header_value=self._settings["webhook_header_value"],
            outlet=self._settings["outlet"],
        )

    async def check(self) -> Health:
        """Prove address and key: a token is given for nothing else."""
        try:
            await self._tokens.current()
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        return Health(available=True)

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        """Fetch the reports of one business date; each currency has its own."""
        base = (self._settings["report_url"] or self._settings["base_url"]).rstrip("/")
        headers = {"Authorization": f"Basic {self._settings['report_key'] or self._settings['api_key']}"}
        query = urlencode({"outlet": self._settings["outlet"], "date": business_date.isoformat()})
        try:
            listing = await self._wire.send(Call("reports", "GET", f"{base}/reports/settlements?{query}", headers))
        except RejectedError as error:
            if error.status == NOT_FOUND:
                return
            raise
        for report in read_reports(listing.body)[:REPORTS_MAX]:
            if urlsplit(report.href)[:2] != urlsplit(base)[:2]:
                raise OutcomeUnknownError("the listing links to another host than the report host")
            content = await self._wire.send(
                Call("report", "GET", report.href, headers),
                timeout_s=REPORT_TIMEOUT_S,
                body_bytes_max=FILE_BYTES_MAX,
            )
            with naming(report.name, content.body):
                file = read_settlement(
                    report.name, content.body, outlet=self._settings["outlet"], profile=self._profile
                )
            yield file

    @property
    def _searches(self) -> bool:
        return self._settings["order_lookup"] == "yes"

    def _started(self, order: PaymentOrder, report: PaymentReport) -> PaymentReport:
        if report.reference is not None and report.reference != order.reference:
            raise OutcomeUnknownError("the order carries another merchant reference than ours")
        return report

    async def _search(self, merchant_reference: str) -> list[WireOrder]:
        try:
            answer = await self._call(lambda token: self._endpoint.search(token, merchant_reference))
        except RejectedError as error:
            if error.status == NOT_FOUND:
                return []
            raise OutcomeUnknownError(str(error)) from error
        found = read_search(answer.body)
        # A gateway that ignores the filter would hand us another citizen's order.
        return [order for order in found if order.merchant_order_reference == merchant_reference]

    async def _read(self, reference: str) -> WireOrder | None:
        """Read one order; a refusal to show it says nothing about the money."""
        try:
            answer = await self._call(lambda token: self._endpoint.read(token, reference))
        except RejectedError as error:
            if error.status == NOT_FOUND:
                return None
            raise OutcomeUnknownError(str(error)) from error
        order = read_order(answer.body)
        if order.reference != reference:
            raise OutcomeUnknownError("the answer is about another order")
        return order

    async def _read_existing(self, reference: str) -> WireOrder:
        order = await self._read(reference)
        if order is None:
            raise OutcomeUnknownError("the order is not found")
        return order

    async def _call(self, build: Callable[[str], Call], *, acts: bool = False) -> Answer:
        """Send with a token; a token refused as such (401) was refused before anything was done, so one more try."""
        token = await self._tokens.current()
        try:
            return await self._wire.send(build(token))
        except RejectedError as error:
            if error.status == UNAUTHORISED:
                self._tokens.forget(token)
                return await self._wire.send(build(await self._tokens.current()))
            if acts and error.status == NOT_FOUND:
                raise OutcomeUnknownError(str(error)) from error
            raise


def _check_amounts(order: PaymentOrder, made: Sequence[WireOrder]) -> None:
    """Keep the payer from a page that asks for another amount than ours."""
    for each in made:
        if each.amount.money() != order.amount:
            raise OutcomeUnknownError(f"asked for {order.amount}, the order was made for {each.amount.money()}")


def _payment(order: WireOrder) -> WirePayment:
    payment = leading_payment(order.embedded.payment)
    if payment is None:
        raise OutcomeUnknownError("the order has no payment")
    return payment


def _find_refund(payment: WirePayment, order: RefundOrder) -> RefundReport | None:
    """Find this refund among the payment's: by its own id, else as the one of its amount that is nobody else's."""
    if order.refund_reference is not None:
        refunds = [*map(read_refund, payment.movements.refunds), _reversal(payment)]
        return next((each for each in refunds if each and each.provider_reference == order.refund_reference), None)
    if order.other_refunds is None:
        return None
    return next(
        (each for each in _candidates(payment, order) if each.provider_reference not in order.other_refunds), None
    )


def _candidates(payment: WirePayment, order: RefundOrder) -> list[RefundReport]:
    """Return the standing refunds of this amount, whoever asked for them."""
    refunds: list[RefundReport | None] = [*map(read_refund, payment.movements.refunds)] or [_reversal(payment)]
    return [
        each
        for each in refunds
        if each is not None and each.amount == order.amount and each.outcome is not Outcome.DECLINED
    ]


def _reversal(payment: WirePayment) -> RefundReport | None:
    """Read a refund that the acquirer made as a reversal, before the payment was settled."""
    if payment.state != "REVERSED" or payment.amount is None:
        return None
    return RefundReport(Outcome.SUCCEEDED, last_part(payment.id), payment.amount.money(), payment.state)
