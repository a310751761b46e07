"""The authorization servers: directory, discovery, keys, pushed requests and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from adapters.altareq.keys import SealError
from adapters.altareq.simulator.banks import BANKS, PAYEES, PAYMENTS, Notary, SimulatedBank, consent_message
from adapters.altareq.simulator.book import REQUEST_LIFE_S, TOKEN_LIFE_S, Book, Row
from adapters.altareq.simulator.credentials import CLIENT_ID, Vault
from adapters.altareq.simulator.notices import Notices
from adapters.simulation.faults import Faults
from adapters.simulation.misbehaviour import Dialect, RefusedError, answer, run
from ledger.errors import MoneyError
from ledger.money import Money

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CONSENT_TYPE: Final = "urn:openfinanceuae:service-initiation-consent:v2.1"
LIFE_MAX_S: Final = 600
ASSERTION_LIFE_MAX_S: Final = 300

OAUTH: Final = Dialect(
    refuse=lambda status, reason: answer(
        {"error": reason if reason.isidentifier() else "invalid_request"},
        status=400 if status == 422 else status,  # noqa: PLR2004
    ),
    distort=lambda document, _: document,
)


class Authorization:
    """Routes of every bank's authorization server; those that need mutual TLS stand apart."""

    def __init__(
        self, book: Book, notary: Notary, notices: Notices, faults: Faults, vault: Vault, mtls_url: Callable[[], str]
    ) -> None:
        self._book = book
        self._notary = notary
        self._notices = notices
        self._faults = faults
        self._vault = vault
        self._mtls_url = mtls_url

    def open_routes(self) -> list[web.RouteDef]:
        return [
            web.get("/participants", self.participants),
            web.get("/banks/{bank}/.well-known/openid-configuration", self.discovery),
            web.get("/banks/{bank}/jwks", self.jwks),
        ]

    def closed_routes(self) -> list[web.RouteDef]:
        return [web.post("/banks/{bank}/par", self.par), web.post("/banks/{bank}/token", self.token)]

    async def participants(self, request: web.Request) -> web.Response:
        """List the banks as the Trust Framework's directory does."""
        organisations = []
        for bank in BANKS.values():
            here, there = f"{_origin(request)}/banks/{bank.code}", f"{self._mtls_url()}/banks/{bank.code}"
            families = (("payment", f"{PAYMENTS}/payments"), ("confirmation-of-payee", f"{PAYEES}/confirmation"))
            resources = [
                {
                    "ApiFamilyType": family,
                    "ApiVersion": "2.1.0",
                    "Status": "Active",
                    "ApiDiscoveryEndpoints": [{"ApiDiscoveryId": family, "ApiEndpoint": f"{there}{path}"}],
                }
                for family, path in families
            ]
            server = {
                "AuthorisationServerId": bank.code,
                "CustomerFriendlyName": bank.en,
                "Status": "Active",
                "Issuer": bank.issuer,
                "OpenIDDiscoveryDocument": f"{here}/.well-known/openid-configuration",
                "ApiResources": resources,
            }
            organisations.append({"OrganisationName": bank.en, "Status": "Active", "AuthorisationServers": [server]})
        return answer(organisations, headers={"Cache-Control": "max-age=900"})

    async def discovery(self, request: web.Request) -> web.Response:
        bank = bank_of(request)
        here, there = f"{_origin(request)}/banks/{bank.code}", f"{self._mtls_url()}/banks/{bank.code}"
        closed = {"pushed_authorization_request_endpoint": f"{there}/par", "token_endpoint": f"{there}/token"}
        document = {
            "issuer": bank.issuer,
            "authorization_endpoint": f"{here}/authorize",
            "jwks_uri": f"{here}/jwks",
            **closed,
            "mtls_endpoint_aliases": closed,
            "tls_client_certificate_bound_access_tokens": True,
            "require_pushed_authorization_requests": True,
            "authorization_response_iss_parameter_supported": True,
        }
        return answer(document)

    async def jwks(self, request: web.Request) -> web.Response:
        bank_of(request)
        return web.Response(
            text=(self._vault.folder / "banks.jwks").read_text("ascii"), content_type="application/json"
        )

    async def par(self, request: web.Request) -> web.StreamResponse:
        bank = bank_of(request)
        form = dict(await request.post())
        fault = self._faults.take("create")

        async def act() -> dict[str, Any]:
            self._authenticate(bank, form)
            uri, consent = self._book.lodge(self._read_request(bank, str(form.get("request", ""))))
            if self._faults.next_is("callback", "before_answer"):
                await self._notices.consent(consent, created=True)
            return {"request_uri": uri, "expires_in": REQUEST_LIFE_S}

        return await run(request, fault, act, OAUTH)

    async def token(self, request: web.Request) -> web.StreamResponse:
        bank = bank_of(request)
        form = dict(await request.post())

        async def act() -> dict[str, Any]:
            self._authenticate(bank, form)
            thumbprint = thumbprint_of(request)
            if form.get("grant_type") == "client_credentials":
                scope = str(form.get("scope", ""))
                token = self._book.issue_token(bank.code, None, scope, thumbprint)
                return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S, "scope": scope}
            return self._redeem(bank, form, thumbprint)

        return await run(request, self._faults.take("token"), act, OAUTH)

    def _redeem(self, bank: SimulatedBank, form: dict[str, Any], thumbprint: str) -> dict[str, Any]:
        if form.get("grant_type") != "authorization_code":
            raise RefusedError("unsupported_grant_type", 400)
        consent = self._book.redeem(str(form.get("code", "")))
        digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_ours = consent["bank"] == bank.code and consent["redirect_uri"] == form.get("redirect_uri")
        if not is_ours or not hmac.compare_digest(challenge, consent["challenge"]):
            raise RefusedError("invalid_grant", 400)
        token = self._book.issue_token(bank.code, consent["consent_id"], "payments openid", thumbprint)
        details = [{"type": CONSENT_TYPE, "consent": consent_message(consent, None)}]
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE_S,
            "scope": "payments openid",
            "authorization_details": details,
        }

    def _authenticate(self, bank: SimulatedBank, form: dict[str, Any]) -> None:
        """Check the client's assertion: its signature, its audience, its life, and that it is new."""
        try:
            claims = self._notary.read(str(form.get("client_assertion", "")))
            stands = (
                form.get("client_assertion_type") == ASSERTION_TYPE
                and claims["iss"] == claims["sub"] == CLIENT_ID
                and claims["aud"] == bank.issuer
                and claims["exp"] - claims["iat"] <= ASSERTION_LIFE_MAX_S
                and self._book.take_assertion(str(claims["jti"]))
            )
        except (SealError, KeyError, TypeError):
            stands = False
        if not stands:
            raise RefusedError("invalid_client", 401)

    def _read_request(self, bank: SimulatedBank, compact: str) -> Row:
        """Read a pushed request as strictly as the profile words it."""
        try:
            claims = self._notary.read(compact)
            details = claims["authorization_details"][0]
            consent = details["consent"]
            asked = consent["ControlParameters"]["ConsentSchedule"]["SinglePayment"]
            amount = Money.parse(asked["Amount"]["Amount"], asked["Amount"]["Currency"])
            creditors = self._notary.open_pii(consent["PersonalIdentifiableInformation"])["Initiation"]["Creditor"]
            account = creditors[0]["CreditorAccount"]
            stands = (
                claims["iss"] == claims["client_id"] == CLIENT_ID
                and claims["aud"] == bank.issuer
                and claims["exp"] - claims["nbf"] <= LIFE_MAX_S
                and claims["response_type"] == "code"
                and claims["code_challenge_method"] == "S256"
                and details["type"] == CONSENT_TYPE
                and asked["Type"] == "SingleInstantPayment"
                and amount.currency == "AED"
                and len(creditors) == 1
                and bool(claims["state"] and claims["nonce"] and claims["redirect_uri"])
            )
        except (SealError, MoneyError, KeyError, IndexError, TypeError, ValueError):
            raise RefusedError("invalid_request", 400) from None
        if not stands:
            raise RefusedError("invalid_request", 400)
        return {
            "consent_id": consent["ConsentId"],
            "bank": bank.code,
            "our_reference": consent["CreditorReference"],
            "description": consent["DebtorReference"],
            "purpose": consent["PaymentPurposeCode"],
            "amount_minor": amount.amount_minor,
            "currency": amount.currency,
            "creditor_iban": account["Identification"],
            "creditor_name": account["Name"]["en"],
            "redirect_uri": claims["redirect_uri"],
            "state": claims["state"],
            "challenge": claims["code_challenge"],
            "webhook_url": details.get("subscription", {}).get("Webhook", {}).get("Url", ""),
            "permissions": msgspec.json.encode(consent.get("Permissions", [])).decode(),
            "expires_at": consent["AuthorizationExpirationDateTime"],
        }


def bank_of(request: web.Request) -> SimulatedBank:
    bank = BANKS.get(request.match_info["bank"])
    if bank is None:
        raise web.HTTPNotFound
    return bank


def thumbprint_of(request: web.Request) -> str:
    """Return the hash of the certificate this connection was opened with; tokens are bound to it."""
    connection = request.get_extra_info("ssl_object")
    certificate = connection.getpeercert(binary_form=True) if connection is not None else None
    if not certificate:
        raise RefusedError("invalid_client", 401)
    return hashlib.sha256(certificate).hexdigest()


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"
