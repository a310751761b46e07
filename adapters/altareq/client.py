"""Open Finance as a provider: the payer consents at their bank, then we make the payment, once.

Everything one attempt needs is derived from its reference: the consent's id, the state, the PKCE verifier, the
idempotency key. So any process may take up any attempt at any point, and finds what another one has done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.altareq import callbacks
from adapters.altareq.banking import Banking
from adapters.altareq.calls import Endpoint
from adapters.altareq.directory import Directory, Server
from adapters.altareq.keys import Ring, Seal
from adapters.altareq.manifest import MANIFEST
from adapters.altareq.mapping import REFUSALS, read_consent, read_instant, read_payment
from adapters.altareq.payees import Payees
from adapters.altareq.wire import CURRENCY, WireConsent, WirePushed, authorization_url
from adapters.calls import read_json
from adapters.contract import (
    CallbackNotice,
    DeclineReason,
    Health,
    Method,
    NamedAccount,
    Outcome,
    PayeeCheck,
    PayerBank,
    PaymentOrder,
    PaymentReport,
    Redirect,
)
from adapters.errors import NotSentError, ProviderError, RejectedError
from adapters.http import WireClient
from ledger.money import Money

LINK_MARGIN: Final = timedelta(seconds=10)
"""A link about to expire is not followed any more."""
_OPEN: Final = frozenset({"AwaitingAuthorization", "Authorized", "Suspended"})


class OpenFinance:
    """UAE Open Finance v2.1, single instant payment."""

    name = MANIFEST.name
    methods: frozenset[Method] = MANIFEST.methods

    def __init__(
        self,
        wire: WireClient,
        directory: Directory,
        endpoint: Endpoint,
        *,
        banks: Sequence[PayerBank],
        seal: Seal,
        events: Ring,
        clock: Callable[[], datetime],
        client_id: str,
        abandon_after: timedelta,
    ) -> None:
        self.banks = banks
        self._directory = directory
        self._endpoint = endpoint
        self._seal = seal
        self._events = events
        self._clock = clock
        self._client_id = client_id
        self._abandon_after = abandon_after
        self._banking = Banking(wire, directory, endpoint, clock)
        self._payees = Payees(directory, endpoint, self._banking, [bank.code for bank in banks])

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Lodge the consent at the bank the payer chose. Nothing moves before they consent and we make the payment."""
        if (refusal := self.refusal(order.amount)) is not None:
            raise RejectedError(refusal)
        code = self._bank(order)
        try:
            server = await self._directory.server(code)
            call = self._endpoint.par(order, server)
        except RejectedError:
            raise
        except ProviderError as error:
            raise NotSentError(f"the bank could not be looked up: {error}") from None
        try:
            answer = await self._banking.send(call)
        except RejectedError as error:
            return await self._refused(order, server, error)
        pushed = read_json(answer.body, WirePushed)
        url = authorization_url(server.authorization_endpoint, self._client_id, pushed.request_uri)
        expires_at = self._clock() + timedelta(seconds=pushed.expires_in) - LINK_MARGIN
        return PaymentReport(
            Outcome.PENDING,
            reference=order.reference,
            word="AwaitingAuthorization",
            next_step=Redirect(url, expires_at),
            facts={"bank": code},
        )

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        """Read the payment where there is one, else the consent. One that came to nothing is taken back."""
        server = await self._directory.server(self._bank(order))
        if provider_reference:
            return read_payment(await self._banking.payment(server, order, provider_reference), order.reference)
        found = await self._banking.find(order, server)
        if not isinstance(found, WireConsent):
            return found
        if found.status == "Authorized" and self._is_abandoned(found):
            # Consented, and the code never came back or was lost with its token: nobody can make the payment any more.
            return await self._take_back(order, server, None)
        return read_consent(found, order.reference)

    def refusal(self, amount: Money) -> str | None:
        """Say why an amount cannot be asked for: Aani moves dirhams."""
        return None if amount.currency == CURRENCY else f"this rail moves {CURRENCY} only"

    def read_return(self, query: Mapping[str, str]) -> CallbackNotice:
        return callbacks.read_return(query, derived=self._endpoint.derived)

    async def finish(self, order: PaymentOrder, continuation: str) -> PaymentReport:
        """Exchange the code and make the payment, unless our key has made it already."""
        server = await self._directory.server(self._bank(order))
        code, issuer = callbacks.read_continuation(continuation)
        if issuer != server.issuer:
            return await self.query(order, None)  # another server's code is none; it is never sent anywhere
        found = await self._banking.find(order, server)
        if not isinstance(found, WireConsent) or found.status != "Authorized":
            return found if isinstance(found, PaymentReport) else read_consent(found, order.reference)
        try:
            token = await self._banking.redeem(order, server, code)
        except RejectedError:
            return await self.query(order, None)  # used or too old: whoever used it may be making the payment now
        try:
            payment = await self._banking.pay(order, server, token)
        except RejectedError as error:
            return await self._take_back(order, server, self._banking.reason_of(server, error, REFUSALS))
        return read_payment(payment, order.reference)

    async def void(self, order: PaymentOrder, provider_reference: str) -> PaymentReport:
        """Revoke the consent, so that no payment can be made of it."""
        server = await self._directory.server(self._bank(order))
        if provider_reference:
            payment = await self._banking.payment(server, order, provider_reference)
            report = read_payment(payment, order.reference)
        else:
            report = await self._take_back(order, server, None)
        if report.captured is not None:
            raise RejectedError("the payment is made and can only be refunded")
        dead = report.outcome is Outcome.DECLINED
        return PaymentReport(
            outcome=Outcome.SUCCEEDED if dead else Outcome.PENDING,
            provider_reference=report.provider_reference,
            reference=order.reference,
            word=report.word,
            reversed=dead,
            facts=report.facts,
            unrecognised=report.unrecognised,
        )

    def read_callback(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 (the proof is in the body)
        body: bytes,
    ) -> Sequence[CallbackNotice]:
        return callbacks.read_event(body, seal=self._seal, ring=self._events, now=self._clock())

    async def refund_account(self, order: PaymentOrder) -> NamedAccount:
        """Say which account the payer paid from; they permitted that with the consent."""
        server = await self._directory.server(self._bank(order))
        return await self._banking.refund_account(order, server)

    async def confirm_payee(self, iban: str, name: str) -> PayeeCheck:
        return await self._payees.confirm(iban, name)

    async def check(self) -> Health:
        """Look every bank up, and have each give us a token over mutual TLS; nothing is lodged."""
        try:
            await self._directory.participants()
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        missing = []
        for bank in self.banks:
            try:
                await self._banking.token(await self._directory.server(bank.code))
            except ProviderError as error:
                missing.append(f"{bank.code}: {error}")
        return Health(available=len(missing) < len(self.banks), detail="; ".join(missing))

    def _bank(self, order: PaymentOrder) -> str:
        """Return the payer's bank. One that is offered no more must still answer for what was begun there."""
        if not order.payer_bank:
            raise RejectedError("the payer has to choose a bank")
        return order.payer_bank

    async def _refused(self, order: PaymentOrder, server: Server, error: RejectedError) -> PaymentReport:
        """Tell a consent that was never lodged from one that was lodged before, and has gone on since."""
        found = await self._banking.find(order, server)
        if not isinstance(found, WireConsent):
            if found.word == "NOT_FOUND":
                raise error
            return found
        if found.status == "AwaitingAuthorization":
            # A bank that takes a consent's id only once cannot give a fresh link: the payer may begin anew.
            return await self._take_back(order, server, DeclineReason.TIMED_OUT)
        return await self.query(order, None)

    async def _take_back(self, order: PaymentOrder, server: Server, why: DeclineReason | None) -> PaymentReport:
        """Revoke an open consent, then read what there is: only a revoked one without a payment is proven dead."""
        found = await self._banking.find(order, server)
        if isinstance(found, WireConsent) and found.status in _OPEN:
            await self._banking.revoke(order, server)
            found = await self._banking.find(order, server)
        return read_consent(found, order.reference, why) if isinstance(found, WireConsent) else found

    def _is_abandoned(self, consent: WireConsent) -> bool:
        at = read_instant(consent.status_update_date_time)
        return at is not None and self._clock() - at >= self._abandon_after
