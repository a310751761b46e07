"""Adyen payment links as a provider: one link an attempt, found again by its idempotency key, proven by webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Final
from urllib.parse import urlencode, urlsplit

from adapters.adyen import callbacks
from adapters.adyen.manifest import MANIFEST
from adapters.adyen.mapping import EXPONENTS, read_report
from adapters.adyen.settlement import FILE_BYTES_MAX, read_settlement
from adapters.adyen.wire import Endpoint, WireLink, read_link, read_refund, read_reports
from adapters.calls import Call
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
from adapters.errors import OutcomeUnknownError, ProviderError, RejectedError, naming
from adapters.http import WireClient

NOT_FOUND: Final = 404
UNPROCESSABLE: Final = 422
KEY_REFUSED: Final = frozenset({401, 403})
REPORT_TIMEOUT_S: Final = 120.0
REPORTS_MAX: Final = 100


class AdyenLinks:
    """Adyen Checkout v71, payment links."""

    name = MANIFEST.name
    methods: frozenset[Method] = MANIFEST.methods

    def __init__(self, wire: WireClient, *, settings: Mapping[str, str], hmac_key: bytes) -> None:
        self._wire = wire
        self._settings = settings
        self._hmac_key = hmac_key
        self._endpoint = Endpoint(
            settings["base_url"],
            api_key=settings["api_key"],
            merchant_account=settings["merchant_account"],
            country_code=settings["country_code"],
        )

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Make the link. The same key again is answered as the first time, so what the link has become is read."""
        _check_currency(order)
        made = read_link((await self._wire.send(self._endpoint.create(order))).body)
        if made.amount.money() != order.amount or made.reference != order.reference:
            raise OutcomeUnknownError(f"asked for {order.amount}, the link is for {made.amount.money()}")
        try:
            made = await self._read(made.id)
        except ProviderError:
            return read_report(made, None)
        return read_report(made, None)

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        link = await self._find(order)
        if link is None:
            return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
        return read_report(link, provider_reference)

    async def void(self, order: PaymentOrder, provider_reference: str) -> PaymentReport:
        """Let the link expire, so that its page takes no card any more."""
        link = await self._find(order)
        if link is None:
            return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
        if link.status == "active":
            await self._wire.send(self._endpoint.expire(link.id))
            link = await self._read(link.id)
        report = read_report(link, provider_reference or None)
        if report.captured is not None:
            raise RejectedError("the link is paid and can only be refunded")
        dead = report.outcome is Outcome.DECLINED
        return PaymentReport(
            outcome=Outcome.SUCCEEDED if dead else Outcome.PENDING,
            provider_reference=provider_reference or None,
            reference=order.reference,
            word=report.word,
            reversed=dead,
            facts=report.facts,
            unrecognised=report.unrecognised,
        )

    async def refund(self, order: RefundOrder) -> RefundReport:
        """Ask for a refund; its own reference is the key. Adyen only receives it now and notifies the outcome."""
        if not order.provider_reference:
            raise RejectedError("the payment's PSP reference is not known yet; its notification carries it")
        answer = read_refund((await self._wire.send(self._endpoint.refund(order))).body)
        if answer.payment_psp_reference != order.provider_reference:
            raise OutcomeUnknownError("the answer is about another payment")
        return RefundReport(Outcome.PENDING, answer.psp_reference, answer.amount.money(), answer.status)

    async def query_refund(self, order: RefundOrder) -> RefundReport:
        """Say what can be said: Adyen has no call that reads a refund. Asking again under the same key is once."""
        return RefundReport(Outcome.PENDING, order.refund_reference, word="AWAITS_NOTIFICATION")

    def read_callback(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 (the proof is in the body)
        body: bytes,
    ) -> Sequence[CallbackNotice]:
        account = self._settings["merchant_account"]
        return callbacks.read_callback(body, hmac_key=self._hmac_key, merchant_account=account)

    async def check(self) -> Health:
        """Ask for a link that cannot exist: only a key that is refused, or no answer, is ill health."""
        try:
            await self._wire.send(self._endpoint.probe())
        except RejectedError as error:
            refused = error.status in KEY_REFUSED
            return Health(available=not refused, detail=f"answered {error.status}" if refused else "")
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        return Health(available=True)

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        """Fetch the reports dropped for one date."""
        base = (self._settings["report_url"] or self._settings["base_url"]).rstrip("/")
        headers = {"Authorization": f"Basic {self._settings['report_key'] or self._settings['api_key']}"}
        account = self._settings["merchant_account"]
        query = urlencode({"account": account, "date": business_date.isoformat()})
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
                Call("report", "GET", report.href, headers), timeout_s=REPORT_TIMEOUT_S, body_bytes_max=FILE_BYTES_MAX
            )
            with naming(report.name, content.body):
                file = read_settlement(report.name, content.body, merchant_account=account, business_date=business_date)
            yield file

    async def _find(self, order: PaymentOrder) -> WireLink | None:
        """Find the attempt's link: sending the same request under the same key again gives its id.

        Should the first request never have arrived, this makes a link nobody has been sent to, which charges nobody.
        """
        try:
            made = read_link((await self._wire.send(self._endpoint.create(order))).body)
        except RejectedError as error:
            if error.status == UNPROCESSABLE:  # no link under this key, and its time to be made is over
                return None
            raise OutcomeUnknownError(str(error)) from error
        return await self._read(made.id)

    async def _read(self, identifier: str) -> WireLink:
        try:
            link = read_link((await self._wire.send(self._endpoint.link(identifier))).body)
        except RejectedError as error:
            raise OutcomeUnknownError(str(error)) from error
        if link.id != identifier:
            raise OutcomeUnknownError("the answer is about another link")
        return link


def _check_currency(order: PaymentOrder) -> None:
    if order.amount.currency in EXPONENTS:
        raise RejectedError(f"{order.amount.currency} has another minor unit at Adyen than in the books")
