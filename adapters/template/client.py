"""Which call when. Every call that acts carries our reference as its key, so again is once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

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
)
from adapters.errors import OutcomeUnknownError, ProviderError, RejectedError
from adapters.http import WireClient
from adapters.template import callbacks
from adapters.template.manifest import MANIFEST
from adapters.template.mapping import read_refund, read_report
from adapters.template.wire import Endpoint, WirePayment, read_payment, read_payments, read_refund_answer

NOT_FOUND: Final = 404


class TemplateProvider:
    """A provider with a hosted page, idempotency keys and signed callbacks."""

    name = MANIFEST.name
    methods: frozenset[Method] = MANIFEST.methods

    def __init__(self, wire: WireClient, *, settings: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._wire = wire
        self._secret = settings["callback_secret"]
        self._clock = clock
        self._endpoint = Endpoint(settings["base_url"], settings["api_key"])

    async def start(self, order: PaymentOrder) -> PaymentReport:
        made = read_payment((await self._wire.send(self._endpoint.create(order))).body)
        if made.money() != order.amount or made.reference != order.reference:
            raise OutcomeUnknownError(f"asked for {order.amount}, the payment was made for {made.money()}")
        return read_report(made)

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        found = await self._payment(order)
        if found is None:
            return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
        return read_report(found)

    async def void(self, order: PaymentOrder, provider_reference: str) -> PaymentReport:
        found = await self._payment(order)
        if found is None:
            return PaymentReport(Outcome.PENDING, provider_reference, order.reference, word="NOT_FOUND")
        if found.status == "open":
            found = read_payment((await self._wire.send(self._endpoint.cancel(found.id))).body)
        report = read_report(found)
        if report.captured is not None:
            raise RejectedError("the payment is paid and can only be refunded")
        dead = report.outcome is Outcome.DECLINED
        return PaymentReport(
            outcome=Outcome.SUCCEEDED if dead else Outcome.PENDING,
            provider_reference=found.id,
            reference=order.reference,
            word=report.word,
            reversed=dead,
            unrecognised=report.unrecognised,
        )

    async def refund(self, order: RefundOrder) -> RefundReport:
        return read_refund(read_refund_answer((await self._wire.send(self._endpoint.refund(order))).body))

    async def query_refund(self, order: RefundOrder) -> RefundReport:
        answer = await self._find(self._endpoint.find_refund(order.reference))
        if answer is None:
            return RefundReport(Outcome.PENDING, order.refund_reference, word="NOT_FOUND")
        return read_refund(read_refund_answer(answer.body))

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Sequence[CallbackNotice]:
        return callbacks.read_callback(headers, body, secret=self._secret, now=self._clock())

    async def check(self) -> Health:
        try:
            await self._wire.send(self._endpoint.ping())
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        return Health(available=True)

    async def _payment(self, order: PaymentOrder) -> WirePayment | None:
        answer = await self._find(self._endpoint.find(order.reference))
        found = read_payments(answer.body) if answer else []
        return next((payment for payment in found if payment.reference == order.reference), None)

    async def _find(self, call: Call) -> Answer | None:
        """Read something; a refusal to show it says nothing about the money."""
        try:
            return await self._wire.send(call)
        except RejectedError as error:
            if error.status == NOT_FOUND:
                return None
            raise OutcomeUnknownError(str(error)) from error
