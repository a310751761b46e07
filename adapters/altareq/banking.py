"""Conversations with one bank: tokens, answers verified, and what there is of an attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from adapters.altareq.calls import Endpoint, read_error_code
from adapters.altareq.directory import Directory, Server
from adapters.altareq.keys import SealError
from adapters.altareq.mapping import read_payment
from adapters.altareq.wire import (
    WireConsent,
    WireConsentMessage,
    WireLookup,
    WirePayment,
    WirePaymentMessage,
    WireRefundMessage,
    WireToken,
    consent_of,
    last_part,
    read_message,
)
from adapters.calls import Answer, Call, read_json
from adapters.contract import DeclineReason, NamedAccount, Outcome, PaymentOrder, PaymentReport
from adapters.errors import NotSentError, OutcomeUnknownError, RejectedError
from adapters.http import WireClient

T = TypeVar("T")

UNKNOWN_KEY: Final = frozenset({400, 404})
NOT_FOUND: Final = 404
UNAUTHORISED: Final = 401
NO_CONTENT: Final = 204
TOKEN_MARGIN: Final = timedelta(seconds=60)


class Banking:
    """Asks banks; a refusal to be told something is no news about the money."""

    def __init__(
        self, wire: WireClient, directory: Directory, endpoint: Endpoint, clock: Callable[[], datetime]
    ) -> None:
        self._wire = wire
        self._directory = directory
        self._endpoint = endpoint
        self._clock = clock
        self._tokens: dict[tuple[str, str], tuple[str, datetime]] = {}

    async def token(self, server: Server, scope: str = "payments openid") -> str:
        """Return our own token at this bank, as good for a few minutes more."""
        kept = self._tokens.get((server.code, scope))
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        try:
            answer = await self.send(self._endpoint.token(server, scope))
        except RejectedError as error:
            raise OutcomeUnknownError(f"no token: {error}") from None
        token = read_json(answer.body, WireToken)
        until = self._clock() + timedelta(seconds=token.expires_in) - TOKEN_MARGIN
        self._tokens[server.code, scope] = (token.access_token, until)
        return token.access_token

    async def redeem(self, order: PaymentOrder, server: Server, code: str) -> str:
        """Exchange the payer's code. A readable refusal is `RejectedError`."""
        answer = await self.send(self._endpoint.redeem(order, server, code))
        return read_json(answer.body, WireToken).access_token

    async def pay(self, order: PaymentOrder, server: Server, token: str) -> WirePayment:
        """Make the payment. A readable refusal is `RejectedError`; everything else unclear is unknown."""
        answer = await self.send(self._endpoint.pay(order, server, token))
        return _ours(await self.message(answer, server, WirePaymentMessage), order)

    async def payment(self, server: Server, order: PaymentOrder, payment_id: str) -> WirePayment:
        call = self._endpoint.payment(server, payment_id, await self.token(server))
        return _ours(await self.message(await self.ask(call, server), server, WirePaymentMessage), order)

    async def find(self, order: PaymentOrder, server: Server) -> PaymentReport | WireConsent:
        """Find what there is of an attempt: its payment, read; else its consent; else a report that knows neither.

        The key is good for a day only, so that the consent is asked for its payment too.
        """
        token = await self.token(server)
        try:
            answer = await self.send(self._endpoint.payment_by_key(order, server, token))
            link = (await self.message(answer, server, WireLookup)).links.itself
        except RejectedError as error:
            if error.status not in UNKNOWN_KEY:
                raise self._no_news(error, server) from None
            link = None
        consent = None
        if link is None:
            try:
                answer = await self.send(self._endpoint.consent(order, server, token))
            except RejectedError as error:
                if error.status != NOT_FOUND:
                    raise self._no_news(error, server) from None
                return PaymentReport(Outcome.PENDING, None, order.reference, word="NOT_FOUND")
            message = await self.message(answer, server, WireConsentMessage)
            consent = message.data
            if consent.consent_id != consent_of(order.reference):
                raise OutcomeUnknownError("the answer is about another consent")
            related = [message.links.related] if isinstance(message.links.related, str) else message.links.related
            link = next((each for each in related if each), None)
        if link is None:
            assert consent is not None  # noqa: S101 (the one path here set it)
            return consent
        return read_payment(await self.payment(server, order, last_part(link)), order.reference)

    async def revoke(self, order: PaymentOrder, server: Server) -> None:
        """Ask for the consent to be revoked; whether it is shows in what is read next."""
        try:
            await self.send(self._endpoint.revoke(order, server, await self.token(server)))
        except RejectedError:
            return

    async def refund_account(self, order: PaymentOrder, server: Server) -> NamedAccount:
        call = self._endpoint.refund_account(order, server, await self.token(server))
        found = (await self.message(await self.ask(call, server), server, WireRefundMessage)).data
        if found.consent_id != consent_of(order.reference) or found.refund_account.scheme_name != "IBAN":
            raise OutcomeUnknownError("the answer is about another consent, or names no IBAN")
        name = found.refund_account.name
        return NamedAccount(found.refund_account.identification, name.get("en") or name.get("ar") or "")

    async def send(self, call: Call) -> Answer:
        """Send a call; a bank that cannot be reached may have moved, and is looked up again next time."""
        try:
            return await self._wire.send(call)
        except NotSentError:
            self._directory.forget()
            raise

    async def ask(self, call: Call, server: Server) -> Answer:
        try:
            return await self.send(call)
        except RejectedError as error:
            raise self._no_news(error, server) from None

    async def message(self, answer: Answer, server: Server, shape: type[T]) -> T:
        """Verify an answer's signature, with a key the bank may have published a moment ago, and read it."""
        try:
            compact = answer.body.decode("ascii").strip()
            if not server.ring.knows(compact):
                await self._directory.learn_keys(server)
            return read_message(server.ring.verify(compact, self._clock()), shape)
        except (SealError, UnicodeDecodeError) as error:
            raise OutcomeUnknownError(f"the answer does not stand: {error}") from None

    def reason_of(self, server: Server, error: RejectedError, table: Mapping[str, DeclineReason]) -> DeclineReason:
        """Read why a payment was refused before it existed."""
        code = read_error_code(error.body, lambda compact: server.ring.verify(compact, self._clock()))
        return table.get(code, DeclineReason.DECLINED_BY_BANK)

    def _no_news(self, error: RejectedError, server: Server) -> OutcomeUnknownError:
        if error.status == UNAUTHORISED:
            for key in [key for key in self._tokens if key[0] == server.code]:
                del self._tokens[key]
        return OutcomeUnknownError(str(error))


def _ours(message: WirePaymentMessage, order: PaymentOrder) -> WirePayment:
    if message.data.consent_id != consent_of(order.reference):
        raise OutcomeUnknownError("the answer is about another payment")
    return message.data
