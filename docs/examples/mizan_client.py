"""A client of the Mizan API in one file, with nothing but Python's own library. Copy it, or read it.

    mizan = Mizan("https://pay.example.gov", "mzn_test_…")
    intent = mizan.create_payment_intent("case-4711-fee", reference="CASE-4711", lines=[{"service": "licence"}])
    send_the_citizen_to(intent["checkout_url"])

Whatever may be repeated is repeated for you, with the same Idempotency-Key: an answer that was lost on the way never
asks a citizen for the same fee twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]
VERSION = "2026-11-22"
_TRIES = 5
_WORTH_REPEATING = {408, 429, 500, 502, 503, 504}
"""What says that another try may do: an error of theirs, of what stands between, or one that says when to come back."""


class MizanError(Exception):
    """Mizan refused, by a problem document (RFC 9457). `code` is for programs, `detail` for people."""

    def __init__(self, status: int, problem: Document) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.code = str(problem.get("code", ""))
        self.faults = problem.get("errors", [])
        self.retryable = bool(problem.get("retryable"))


class Mizan:
    """The API, by its operations. `credential` is an API key or an access token."""

    def __init__(self, address: str, credential: str, *, timeout_s: float = 30.0) -> None:
        self._address = address.rstrip("/")
        self._credential = credential
        self._timeout_s = timeout_s

    # Payment intents

    def create_payment_intent(self, idempotency_key: str, **fields: Any) -> Document:
        """Ask for a fee. Use a key that names the fee in your own system: the same fee, the same key, for ever."""
        return self.send("POST", "/v1/payment-intents", fields, key=idempotency_key)

    def get_payment_intent(self, intent_id: str, *, expand: tuple[str, ...] = ()) -> Document:
        return self.send("GET", f"/v1/payment-intents/{intent_id}", query=[("expand[]", each) for each in expand])

    def list_payment_intents(self, **filters: str) -> Iterator[Document]:
        """Walk through all that fit, newest first: by status, reference, created_from, amount, metadata and more."""
        return self.pages("/v1/payment-intents", filters)

    def update_payment_intent(self, idempotency_key: str, intent_id: str, metadata: Mapping[str, str]) -> Document:
        path = f"/v1/payment-intents/{intent_id}"
        return self.send("POST", path, {"metadata": dict(metadata)}, key=idempotency_key)

    def cancel_payment_intent(self, idempotency_key: str, intent_id: str) -> Document:
        return self.send("POST", f"/v1/payment-intents/{intent_id}/cancel", {}, key=idempotency_key)

    def capture_payment_intent(self, idempotency_key: str, intent_id: str, **fields: Any) -> Document:
        """Take what the payer has reserved: all of it, or `amount`."""
        return self.send("POST", f"/v1/payment-intents/{intent_id}/capture", fields, key=idempotency_key)

    # Refunds

    def create_refund(self, idempotency_key: str, intent_id: str, reason: str, **fields: Any) -> Document:
        """Give back an amount, some lines, or all that is left."""
        path = f"/v1/payment-intents/{intent_id}/refunds"
        return self.send("POST", path, {"reason": reason, **fields}, key=idempotency_key)

    def get_refund(self, refund_id: str) -> Document:
        return self.send("GET", f"/v1/refunds/{refund_id}")

    # What happened

    def events(self, cursor: str | None = None) -> tuple[list[Document], str | None]:
        """Return what happened since a cursor, and the cursor to keep for next time."""
        page = self.send("GET", "/v1/events", query=[("cursor", cursor)] if cursor else [])
        return page["data"], page["next_cursor"] or cursor

    def list_services(self, **filters: str) -> Iterator[Document]:
        return self.pages("/v1/services", filters)

    def create_webhook_endpoint(self, idempotency_key: str, url: str) -> Document:
        return self.send("POST", "/v1/webhook-endpoints", {"url": url}, key=idempotency_key)

    # The wire

    def pages(self, path: str, filters: Mapping[str, str]) -> Iterator[Document]:
        """Walk through a list to its end."""
        cursor: str | None = None
        while True:
            query = [*filters.items(), *([("cursor", cursor)] if cursor else [])]
            page = self.send("GET", path, query=query)
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def send(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        key: str | None = None,
        query: list[tuple[str, str]] | None = None,
    ) -> Document:
        """Send one request, again where that is safe: GETs are, and POSTs are by their key."""
        url = self._address + path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {
            "Authorization": f"Bearer {self._credential}",
            "Mizan-Version": VERSION,
            "Accept": "application/json",
        }
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = f'"{key}"'
        pause_s = 0.5
        for left in range(_TRIES - 1, -1, -1):
            request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - the address you gave
            try:
                with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310 - as above
                    return dict(json.load(answer))
            except urllib.error.HTTPError as error:
                refusal = MizanError(error.code, _problem(error))
                if not left or not (error.code in _WORTH_REPEATING or refusal.retryable):
                    raise refusal from None
                asked = error.headers.get("Retry-After", "")
                pause_s = float(asked) if asked.isdigit() else pause_s
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                if not left:
                    raise
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 30)
        raise AssertionError("unreachable")


def _problem(error: urllib.error.HTTPError) -> Document:
    try:
        return dict(json.load(error))
    except ValueError:
        return {"code": "no_problem_document", "detail": error.reason}


class WebhookRefusedError(ValueError):
    """What came is not from Mizan, or is too old."""


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float, tolerance_s: int = 300
) -> Document:
    """Return the event of a delivery, or refuse it: `v1` of Standard Webhooks, over the very bytes that came.

    Keep `event["id"]` and drop what you have seen: the same event may come twice.
    """
    given = {name.lower(): value for name, value in headers.items()}
    identifier, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now_s - int(timestamp)) > tolerance_s:
        raise WebhookRefusedError("the delivery is too old, or its clock is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{identifier}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    signatures = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(f"v1,{expected}", each) for each in signatures):
        raise WebhookRefusedError("no signature fits")
    return dict(json.loads(body))
