"""The statement that creates an intent, as the service itself sends it, for pgbench and for the peer to send too.

It is recorded from one real creation, so that what is measured against never falls behind what is measured.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from gateway.deps import Deps
from gateway.domain.idempotency import Claim
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.intents.create_intent import IntentRequest, create_intent

_PARAMETER: Final = re.compile(r"\$(\d+)::([a-z]+)(\[\])?")
_KEY: Final = "the key of the recorded creation"
_REFERENCE: Final = "the reference of the recorded creation"
_DAY_S: Final = 86_400


class Statement(msgspec.Struct):
    """Its text, and its arguments with names where they differ from request to request."""

    text: str
    template: list[Any]

    def arguments(self, *, now: datetime, **values: Any) -> list[Any]:
        """Return the arguments of one creation."""
        return [_fill(each, {**values, "now": now}) for each in self.template]

    def pgbench_script(self) -> str:
        """Write it for pgbench: literals, but for ids and keys, which count up as ours do."""
        counted = {
            "intent": "'pi_' || lpad((:n)::text, 12, '0') || lpad((:client_id)::text, 14, '0')",
            "event": "'ev_' || lpad((:n)::text, 12, '0') || lpad((:client_id)::text, 14, '0')",
            "key": "'key-' || (:client_id)::text || '-' || (:n)::text",
        }
        constant = {
            "department": "bench-00",
            "reference": "CASE-2026-004711",
            "answer": b"{" + b"a" * 1_200 + b"}",
            "event_data": '{"payment_intent": "pi_", "status": "requires_payment", "amount": {"amount": 10500}}',
            "body_sha256": bytes(32),
            "now": datetime.fromisoformat("2026-11-22T06:00:00+00:00"),
        }

        def literal(match: re.Match[str]) -> str:
            value, kind = self.template[int(match[1]) - 1], match[2]
            items = value if match[3] else [value]
            said = [_literal(each, kind, counted, constant) for each in items]
            return f"ARRAY[{', '.join(said)}]::{kind}[]" if match[3] else f"({said[0]})::{kind}"

        return "\\set n :n + 1\n" + _PARAMETER.sub(literal, self.text).strip() + ";\n"


async def record_creation(deps: Deps, department: str, service: str) -> Statement:
    """Create one intent and return what the service sent to the database for it."""
    sent: list[tuple[str, tuple[Any, ...]]] = []

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        if "INSERT INTO gateway.intent" in query.query:
            sent.append((query.query, query.args))

    request = IntentRequest(
        reference=_REFERENCE,
        lines=[LineRequest(service=service)],
        language="en",
        payer_email="fatima@example.ae",
        payer_mobile="+971501234567",
        metadata={"officer": "17", "channel": "web"},
    )
    body = hashlib.sha256(b"the body of the recorded creation").digest()
    claim = Claim(department, "POST /v1/payment-intents", _KEY, body)
    async with deps.pool.acquire() as connection:
        connection.add_query_logger(note)
        # A pool hands out the connection that came back last: this one, to the creation below.
    stored = await create_intent(deps, department, request, claim)
    [(text, arguments)] = sent
    names: dict[Any, str] = {
        stored.resource: "intent",
        _KEY: "key",
        _REFERENCE: "reference",
        department: "department",
        body: "body_sha256",
        stored.answer: "answer",
    }
    return Statement(text, [_named(each, names) for each in arguments])


def _named(value: Any, names: dict[Any, str]) -> Any:  # noqa: PLR0911 - one line a kind of value
    if isinstance(value, (list, tuple)):
        return [_named(each, names) for each in value]
    if isinstance(value, (str, bytes)):
        if value in names:
            return {"name": names[value]}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode()}
        if value.startswith("ev_"):
            return {"name": "event"}
        if value.startswith('{"payment_intent"'):
            return {"name": "event_data"}
    if isinstance(value, datetime):
        return {"name": "now"}
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    return value


def _fill(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_fill(each, values) for each in value]
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    return timedelta(seconds=value["seconds"]) if "seconds" in value else values[value["name"]]


def _literal(  # noqa: PLR0911 - one line a kind of value
    value: Any, kind: str, counted: dict[str, str], constant: dict[str, Any]
) -> str:
    if isinstance(value, dict) and value.get("name") in counted:
        return counted[value["name"]]
    match _fill(value, constant):
        case None:
            return "NULL"
        case bool() as flag:
            return "true" if flag else "false"
        case int() as number:
            return str(number)
        case bytes() as data:
            return f"'\\x{data.hex()}'"
        case timedelta() as span:
            return f"'{span.total_seconds() / _DAY_S:g} days'"
        case datetime() as at:
            return f"'{at.isoformat()}'"
        case other:
            text = str(other).replace("'", "''")
            return f"'{text}'::{kind}"
