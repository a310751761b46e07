"""M-Pesa as a provider: a prompt on the phone, a result code when asked, and the account's list for what was paid."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from adapters.calls import Answer, Call
from adapters.contract import (
    ApproveOnPhone,
    CallbackNotice,
    Health,
    Method,
    Outcome,
    PaymentOrder,
    PaymentReport,
    SettlementFile,
)
from adapters.daraja import callbacks
from adapters.daraja.manifest import MANIFEST
from adapters.daraja.mapping import (
    SUCCESS,
    TOKEN_CODES,
    read_movement,
    read_outcome,
    read_started,
    refused_start,
    still_processing,
)
from adapters.daraja.settlement import day_of, settlement_file
from adapters.daraja.tokens import Tokens
from adapters.daraja.wire import (
    CHECKOUT_PREFIX,
    Endpoint,
    WireMovement,
    account_of,
    callback_url,
    read_error,
    read_page,
    read_prompt,
    read_result,
    refusal,
)
from adapters.errors import OutcomeUnknownError, ProviderError, RejectedError
from adapters.http import WireClient
from ledger.money import Money

UNAUTHORISED: Final = 401
LIST_REACH: Final = timedelta(hours=48)
"""How far back the provider lists payments."""

AHEAD: Final = timedelta(minutes=5)
PAGES_MAX: Final = 5_000
LIST_BYTES_MAX: Final = 8 << 20
PROMPTS_KEPT_MAX: Final = 4_096


class Mpesa:
    """Safaricom Daraja, M-Pesa Express (STK push)."""

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
            short_code=settings["short_code"],
            passkey=settings["passkey"],
            transaction_type=settings["transaction_type"],
            till=settings["till"],
            zone=zone,
        )
        self._tokens = Tokens(
            wire, self._endpoint, key=settings["consumer_key"], secret=settings["consumer_secret"], clock=clock
        )
        self._prompts: OrderedDict[str, str] = OrderedDict()

    def refusal(self, amount: Money) -> str | None:
        return refusal(amount)

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Ask the payer's phone. The API knows no key of ours, so a prompt this process has made is asked about."""
        if (reason := refusal(order.amount)) is not None:
            raise RejectedError(reason)
        if not order.payer_mobile:
            raise RejectedError("a mobile payment needs the payer's mobile number")
        if (known := self._prompts.get(order.reference)) is not None:
            asked = await self.query(order, known)
            return replace(asked, next_step=_step(order)) if asked.outcome is Outcome.PENDING else asked
        address = callback_url(order.callback_url, order.reference, self._settings["callback_key"])
        try:
            answer = await self._send(self._endpoint.push(order, order.payer_mobile, address, self._now()))
        except (RejectedError, OutcomeUnknownError) as error:
            told = read_error(error.body)
            decline = refused_start(told)
            if told is None or decline is None:
                raise
            return PaymentReport(Outcome.DECLINED, reference=order.reference, word=told.error_code, decline=decline)
        report = read_started(read_prompt(answer.body), order.reference, order.payer_mobile)
        self._remember(order.reference, report.provider_reference)
        return report

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        """Ask for the prompt's result; a success counts once the account's list shows the payment and its amount."""
        asked = None
        if provider_reference is not None and provider_reference.startswith(CHECKOUT_PREFIX):
            asked = await self._result(provider_reference)
            if asked.word != SUCCESS:
                return asked
        paid = await self._find(order, provider_reference if asked is None else None)
        if paid is not None:
            return paid
        return asked or PaymentReport(Outcome.PENDING, None, order.reference, word="NOT_FOUND")

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Sequence[CallbackNotice]:
        return callbacks.read_callback(headers, body, key=self._settings["callback_key"])

    async def check(self) -> Health:
        """Fetch a token and look into the account's list: both must work before a payment can be told as paid."""
        now = self._now()
        try:
            answer = await self._send(
                self._endpoint.pull(now - timedelta(minutes=1), now, 0, operation="check"),
                body_bytes_max=LIST_BYTES_MAX,
            )
            read_page(answer.body)
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        return Health(available=True)

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        """Make the report of a day that is over; until then what is listed may still grow."""
        start, end = day_of(business_date, self._zone)
        if self._clock() < end:
            return
        listed = [movement async for page in self._pages(start, end, "statement") for movement in page]
        pattern = self._settings["batch_pattern"]
        if (file := settlement_file(listed, business_date, self._zone, batch_pattern=pattern)) is not None:
            yield file

    async def _result(self, checkout_request_id: str) -> PaymentReport:
        """Ask about one prompt. That the payer has not answered yet is told as a server error."""
        try:
            answer = await self._send(self._endpoint.query(checkout_request_id, self._now()))
        except (RejectedError, OutcomeUnknownError) as error:
            if still_processing(read_error(error.body)):
                return PaymentReport(Outcome.PENDING, checkout_request_id, word="PROCESSING")
            raise OutcomeUnknownError(str(error)) from error
        result = read_result(answer.body)
        if result.checkout_request_id != checkout_request_id:
            raise OutcomeUnknownError("the answer is about another prompt")
        return read_outcome(result)

    async def _find(self, order: PaymentOrder, receipt: str | None) -> PaymentReport | None:
        """Find the payment in the account's list: by its receipt, or by the account reference made from ours."""
        account = account_of(order.reference)
        end = self._now() + AHEAD
        try:
            async for page in self._pages(end - LIST_REACH, end, "query"):
                for movement in page:
                    if movement.account() == account and receipt in (None, movement.transaction_id):
                        return read_movement(movement, order.reference, self._zone)
        except RejectedError as error:
            raise OutcomeUnknownError(str(error)) from error
        return None

    async def _pages(self, start: datetime, end: datetime, operation: str) -> AsyncIterator[list[WireMovement]]:
        offset = 0
        for _ in range(PAGES_MAX):
            call = self._endpoint.pull(start, end, offset, operation=operation)
            page = read_page((await self._send(call, body_bytes_max=LIST_BYTES_MAX)).body)
            if not page:
                return
            offset += len(page)
            yield page
        raise OutcomeUnknownError(f"the period has more than {PAGES_MAX} pages of payments")

    async def _send(self, call: Call, *, body_bytes_max: int = 1 << 20) -> Answer:
        """Send with the token; one that died is fetched anew once: a refused token means that nothing was done."""
        token = await self._tokens.current()
        try:
            return await self._wire.send(_with(call, token), body_bytes_max=body_bytes_max)
        except RejectedError as error:
            told = read_error(error.body)
            if error.status != UNAUTHORISED and (told is None or told.error_code not in TOKEN_CODES):
                raise
        self._tokens.forget(token)
        return await self._wire.send(_with(call, await self._tokens.current()), body_bytes_max=body_bytes_max)

    def _remember(self, reference: str, checkout_request_id: str | None) -> None:
        if checkout_request_id is not None:
            self._prompts[reference] = checkout_request_id
        while len(self._prompts) > PROMPTS_KEPT_MAX:
            self._prompts.popitem(last=False)

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)


def _with(call: Call, token: str) -> Call:
    return replace(call, headers={**call.headers, "Authorization": f"Bearer {token}"})


def _step(order: PaymentOrder) -> ApproveOnPhone | None:
    return ApproveOnPhone(order.payer_mobile) if order.payer_mobile else None
