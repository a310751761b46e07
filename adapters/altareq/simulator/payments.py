"""The banks' payment API: consents, payments, refund accounts, confirmation of payee."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from adapters.altareq.keys import SealError
from adapters.altareq.simulator.authorization import bank_of, thumbprint_of
from adapters.altareq.simulator.banks import (
    BANKS,
    JWT,
    PAYEES,
    PAYMENTS,
    Notary,
    amount_of,
    consent_message,
    payment_message,
)
from adapters.altareq.simulator.book import Book, Row
from adapters.altareq.simulator.notices import Notices
from adapters.simulation.faults import Faults
from adapters.simulation.misbehaviour import RefusedError, run

KEY_CHARS_MAX: Final = 40
PAYEES_KNOWN: Final = {
    "AE070331234567890123456": "Government Treasury",
    "AE460261001234567890123": "Department of Economy and Tourism",
}
"""Whose accounts the simulation knows by name."""

Act = Callable[[], Awaitable[Any]]


class Resources:
    """Handlers behind mutual TLS."""

    def __init__(self, book: Book, notary: Notary, notices: Notices, faults: Faults, origin: Callable[[], str]) -> None:
        self._book = book
        self._notary = notary
        self._notices = notices
        self._faults = faults
        self._origin = origin

    def routes(self) -> list[web.RouteDef]:
        payments, payees = f"/banks/{{bank}}{PAYMENTS}", f"/banks/{{bank}}{PAYEES}"
        return [
            web.post(f"{payments}/payments", self.pay),
            web.get(f"{payments}/payments", self.look_up),
            web.get(f"{payments}/payments/{{payment}}", self.payment),
            web.get(f"{payments}/payment-consents/{{consent}}", self.consent),
            web.patch(f"{payments}/payment-consents/{{consent}}", self.revoke),
            web.get(f"{payments}/payment-consents/{{consent}}/refund", self.refund),
            web.post(f"{payees}/discovery", self.discover_payee),
            web.post(f"{payees}/confirmation", self.confirm_payee),
        ]

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """Make the payment, if it says in every field what the payer consented to."""
        body = (await request.read()).decode("ascii", "replace")

        async def act() -> dict[str, Any]:
            token = self._token(request)
            key = request.headers.get("x-idempotency-key", "")
            if not 0 < len(key) <= KEY_CHARS_MAX or token["consent_id"] is None:
                raise RefusedError("Resource.InvalidFormat", 400)
            data = self._message(body)["Data"]
            consent = self._book.consent(str(data["ConsentId"]))
            if consent is None or consent["consent_id"] != token["consent_id"] or not self._agrees(data, consent):
                raise RefusedError("Consent.BusinessRuleViolation", 400)
            is_new = self._book.payment_by_key(key) is None
            billing = msgspec.json.encode(data["OpenFinanceBilling"]).decode()
            made = self._book.pay(consent, key, billing)
            if is_new:
                await self._notices.payment(made, created=True)
                await self._notices.credit_bank()
            return payment_message(made)

        return await self._run(request, "capture", act, status=201)

    def _agrees(self, data: dict[str, Any], consent: Row) -> bool:
        try:
            creditor = self._notary.open_pii(data["PersonalIdentifiableInformation"])["Initiation"]["CreditorAccount"]
            return bool(
                data["Instruction"]["Amount"] == amount_of(consent)
                and creditor["Identification"] == consent["creditor_iban"]
                and creditor["Name"]["en"] == consent["creditor_name"]
                and data["PaymentPurposeCode"] == consent["purpose"]
                and data["DebtorReference"] == consent["description"]
                and data["CreditorReference"] == consent["our_reference"]
            )
        except (SealError, KeyError, TypeError, ValueError):
            return False

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        """Say which payment a key made, as long as keys are kept."""
        bank = bank_of(request)

        async def act() -> dict[str, Any]:
            self._token(request)
            found = self._book.payment_by_key(request.headers.get("x-idempotency-key", ""))
            if found is None or found["bank"] != bank.code:
                raise RefusedError("Resource.NotFound", 400)
            return {"Data": {}, "Links": {"Self": f"{bank.resources}/payments/{found['payment_id']}"}}

        return await self._run(request, "lookup", act)

    async def payment(self, request: web.Request) -> web.StreamResponse:
        async def act() -> dict[str, Any]:
            self._token(request)
            found = self._book.payment(request.match_info["payment"])
            if found is None:
                raise RefusedError("Resource.NotFound", 404)
            await self._notices.credit_bank()
            return payment_message(found)

        return await self._run(request, "query", act)

    async def consent(self, request: web.Request) -> web.StreamResponse:
        async def act() -> dict[str, Any]:
            self._token(request)
            return self._shown(self._consent(request))

        return await self._run(request, "query", act)

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode("ascii", "replace")

        async def act() -> dict[str, Any]:
            self._token(request)
            wish = self._message(body)["Data"]
            consent = self._consent(request)
            if wish.get("Status") != "Revoked" or consent["status"] not in {"AwaitingAuthorization", "Authorized"}:
                raise RefusedError("Consent.Invalid", 400)
            revoked = self._book.decide(consent, "Revoked", revoked_by=wish.get("RevokedBy"))
            await self._notices.consent(revoked)
            return {}

        answered = await self._run(request, "void", act)
        return web.Response(status=204) if answered.status == 200 else answered  # noqa: PLR2004 (HTTP's own words)

    async def refund(self, request: web.Request) -> web.StreamResponse:
        async def act() -> dict[str, Any]:
            self._token(request)
            consent = self._consent(request)
            if "ReadRefundAccount" not in consent["permissions"] or not consent["debtor_iban"]:
                raise RefusedError("Consent.Invalid", 400)
            account = {"SchemeName": "IBAN", "Identification": consent["debtor_iban"], "Name": {"en": "A Citizen"}}
            shown = self._shown(consent)
            return {"Data": {"ConsentId": consent["consent_id"], "RefundAccount": account}, "Links": shown["Links"]}

        return await self._run(request, "query", act)

    async def discover_payee(self, request: web.Request) -> web.StreamResponse:
        """Name the bank an IBAN belongs to: in the simulation, the last of them."""
        bank = bank_of(request)
        self._message((await request.read()).decode("ascii", "replace"))
        other = list(BANKS.values())[-1]
        data = {
            "DiscoveryEndpointUrl": f"{self._origin()}/banks/{other.code}/.well-known/openid-configuration",
            "ResourceServerUrl": f"{request.scheme}://{request.host}/banks/{other.code}{PAYEES}",
        }
        message = {"Data": data, "Links": {"Self": f"{bank.resources}/discovery"}, "Meta": {}}
        return web.Response(body=self._notary.sign_for_payees(message, bank.issuer), content_type=JWT)

    async def confirm_payee(self, request: web.Request) -> web.StreamResponse:
        bank = bank_of(request)
        asked = self._message((await request.read()).decode("ascii", "replace"))["Data"]
        known = PAYEES_KNOWN.get(asked["Identification"])
        if known is None:
            return web.Response(status=204)
        name = str(asked["Name"].get("BusinessName") or asked["Name"].get("FullName", ""))
        words, kept = set(name.lower().split()), set(known.lower().split())
        verdict = "Yes" if words == kept else "Partial" if words & kept else "No"
        masked = " ".join(f"{word[0]}{'*' * (len(word) - 1)}" for word in known.split())
        data = {"NameMatchIndicator": f"ConfirmationOfPayee.{verdict}", "MaskedName": masked}
        message = {"Data": data, "Links": {"Self": f"{bank.resources}/confirmation"}, "Meta": {}}
        return web.Response(body=self._notary.sign_for_payees(message, bank.issuer), content_type=JWT)

    async def _run(self, request: web.Request, call: str, act: Act, *, status: int = 200) -> web.StreamResponse:
        return await run(request, self._faults.take(call), act, self._notary.dialect(bank_of(request)), status=status)

    def _token(self, request: web.Request) -> Row:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        found = self._book.token(given, thumbprint_of(request))
        if found is None or found["bank"] != bank_of(request).code:
            raise RefusedError("AccessToken.InvalidScope", 401)
        return found

    def _message(self, compact: str) -> dict[str, Any]:
        try:
            message: dict[str, Any] = self._notary.read(compact)["message"]
        except (SealError, KeyError):
            raise RefusedError("JWS.InvalidSignature", 400) from None
        return message

    def _consent(self, request: web.Request) -> Row:
        found = self._book.consent(request.match_info["consent"])
        if found is None or found["bank"] != bank_of(request).code:
            raise RefusedError("Resource.NotFound", 404)
        return found

    def _shown(self, consent: Row) -> dict[str, Any]:
        payment = self._book.payment_of(consent["consent_id"])
        return consent_message(consent, payment["payment_id"] if payment else None)
