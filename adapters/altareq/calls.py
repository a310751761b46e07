"""Every call to a bank, ready to send: signed, encrypted and addressed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from adapters.altareq.directory import PAYEES, Server
from adapters.altareq.keys import Seal
from adapters.altareq.wire import (
    ASSERTION_TYPE,
    Derived,
    Party,
    assertion_claims,
    authorization_details,
    consent_of,
    consent_pii,
    message_claims,
    path_of,
    payment_message,
    payment_pii,
    request_claims,
)
from adapters.calls import Call, decode_json
from adapters.contract import PaymentOrder

FORM: Final = "application/x-www-form-urlencoded"
JWT: Final = "application/jwt"


class Endpoint:
    """Builds every request of one installation."""

    def __init__(
        self,
        *,
        party: Party,
        seal: Seal,
        derived: Derived,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.derived = derived
        self._party = party
        self._seal = seal
        self._clock = clock
        self._random_bytes = random_bytes

    def par(self, order: PaymentOrder, server: Server) -> Call:
        """Lodge the consent; the same order again is the same consent."""
        now = self._clock()
        pii = self._encrypted(consent_pii(self._party), server)
        details = authorization_details(order, self._party, pii, now)
        claims = request_claims(order, self._party, self.derived, server.issuer, details, self._uuid(), now)
        form = {"request": self._seal.sign(claims), **self._assertion(server)}
        return Call("create", "POST", server.par_endpoint, {"Content-Type": FORM}, urlencode(form).encode())

    def redeem(self, order: PaymentOrder, server: Server, code: str) -> Call:
        """Exchange the payer's code; PKCE binds it to our own request."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": order.landing_url,
            "code_verifier": self.derived.verifier(order.reference),
            **self._assertion(server),
        }
        return Call("token", "POST", server.token_endpoint, {"Content-Type": FORM}, urlencode(form).encode())

    def token(self, server: Server, scope: str) -> Call:
        form = {"grant_type": "client_credentials", "scope": scope, **self._assertion(server)}
        return Call("token", "POST", server.token_endpoint, {"Content-Type": FORM}, urlencode(form).encode())

    def pay(self, order: PaymentOrder, server: Server, token: str) -> Call:
        pii = self._encrypted(payment_pii(self._party), server)
        headers = {"x-idempotency-key": order.reference}
        message = payment_message(order, self._party, pii)
        return self._signed("pay", "POST", f"{server.payments_url}/payments", message, server, token, headers)

    def payment(self, server: Server, payment_id: str, token: str) -> Call:
        return self._get("query", f"{server.payments_url}/payments{path_of(payment_id)}", token)

    def payment_by_key(self, order: PaymentOrder, server: Server, token: str) -> Call:
        """Ask which payment our key made: the standard's own way back after a lost answer."""
        headers = {"x-idempotency-key": order.reference}
        return self._get("lookup", f"{server.payments_url}/payments", token, headers)

    def consent(self, order: PaymentOrder, server: Server, token: str) -> Call:
        return self._get("query", self._consent_url(order, server), token)

    def revoke(self, order: PaymentOrder, server: Server, token: str) -> Call:
        message = {"Data": {"Status": "Revoked", "RevokedBy": "TPP"}}
        return self._signed("void", "PATCH", self._consent_url(order, server), message, server, token)

    def refund_account(self, order: PaymentOrder, server: Server, token: str) -> Call:
        return self._get("refund_account", f"{self._consent_url(order, server)}/refund", token)

    def discover_payee(self, url: str, iban: str, server: Server, token: str) -> Call:
        message = {"Data": {"SchemeName": "IBAN", "Identification": iban}}
        return self._signed("discover_payee", "POST", f"{url}/discovery", message, server, token, single=True)

    def confirm_payee(self, url: str, iban: str, name: str, server: Server, token: str) -> Call:
        data = {"SchemeName": "IBAN", "Identification": iban, "Name": {"BusinessName": name[:140]}}
        base = url.rstrip("/").removesuffix("/confirmation")
        place = base if base.endswith(PAYEES) else f"{base}{PAYEES}"
        return self._signed(
            "confirm_payee", "POST", f"{place}/confirmation", {"Data": data}, server, token, single=True
        )

    def _consent_url(self, order: PaymentOrder, server: Server) -> str:
        return f"{server.payments_url}/payment-consents{path_of(consent_of(order.reference))}"

    def _encrypted(self, pii: dict[str, Any], server: Server) -> str:
        """Sign what names people, then encrypt it to the bank, so that the hub in between cannot read it."""
        return server.ring.encrypt(self._seal.sign(pii))

    def _assertion(self, server: Server) -> dict[str, str]:
        claims = assertion_claims(self._party.client_id, server.issuer, self._uuid(), self._clock())
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._seal.sign(claims)}

    def _get(self, operation: str, url: str, token: str, headers: dict[str, str] | None = None) -> Call:
        return Call(operation, "GET", url, {**self._headers(token), **(headers or {})})

    def _signed(
        self,
        operation: str,
        method: str,
        url: str,
        message: dict[str, Any],
        server: Server,
        token: str,
        headers: dict[str, str] | None = None,
        *,
        single: bool = False,
    ) -> Call:
        audience: list[str] | str = server.issuer if single else [server.issuer]
        body = self._seal.sign(message_claims(self._party.client_id, audience, message, self._clock()))
        sent = {**self._headers(token), "Content-Type": JWT, **(headers or {})}
        return Call(operation, method, url, sent, body.encode())

    def _headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}", "Accept": JWT, "x-fapi-interaction-id": self._uuid()}

    def _uuid(self) -> str:
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4))


def read_error_code(body: bytes, verify: Callable[[str], bytes]) -> str:
    """Return the code of a signed refusal; one that cannot be read has none."""
    try:
        errors = decode_json(verify(body.decode("ascii")), dict[str, Any])["message"]["Errors"]
        return str(errors[0]["Code"])[:100]
    except (msgspec.MsgspecError, ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
