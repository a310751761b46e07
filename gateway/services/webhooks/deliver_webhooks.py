"""Telling departments: Standard Webhooks 1.0.0, at least once, with one id a change, for three days.

Per endpoint and object the oldest waiting event goes first; an endpoint that hangs holds up nobody else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import aiohttp
import msgspec
import structlog

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.addresses import check_webhook_url
from gateway.domain.errors import InvalidError
from gateway.domain.sealing import SealedError
from gateway.domain.signing import SigningKey
from gateway.outbound import AddressRefusedError
from gateway.services.documents import Document, event_document, page_document
from gateway.store import events, webhooks
from gateway.store.events import Event
from gateway.store.webhooks import Delivery, Endpoint

_log: Final = structlog.get_logger(__name__)

WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each failed try the next one comes: the schedule of the specification, 75 hours in all."""

_LEASE: Final = timedelta(minutes=2)
_JITTER: Final = 0.1
_RETRY_AFTER_MAX_S: Final = 86_400
_ANSWER_BYTES_MAX: Final = 64 * 1024
_FAN_OUT_MAX: Final = 1_000


class Verdict(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said, for the log departments read."""

    verdict: Verdict
    word: str
    retry_after_s: int | None = None


async def deliver_webhooks(deps: Deps, limit: int) -> int:
    """Fan out what happened and deliver up to `limit` events; return how many were begun.

    An endpoint that has not answered after a moment is left to its own call, and the next round goes on without it.
    """
    couriers, limits = deps.couriers, deps.limits
    now = deps.clock()
    async with deps.connection() as connection:
        await events.fan_out(connection, now, _FAN_OUT_MAX)
        due = await webhooks.claim(
            connection,
            now,
            now + _LEASE,
            per_endpoint=limits.webhooks_per_endpoint,
            limit=min(limit, limits.webhooks_at_once - couriers.count),
            busy=couriers.busy,
            failing=couriers.failing,
        )
    for delivery in due:
        couriers.send(delivery.endpoint.id, _call(deps, delivery))
    await couriers.wait(limits.webhook_patience_s)
    return len(due)


async def _call(deps: Deps, delivery: Delivery) -> None:
    answer = await _deliver(deps, delivery)
    deps.couriers.note(delivery.endpoint.id, delivered=answer.verdict is Verdict.DELIVERED)
    await _settle(deps, delivery, answer)


def sign(secrets: Sequence[bytes], keys: Sequence[SigningKey], identifier: str, timestamp: int, payload: bytes) -> str:
    """Return the signature header: a `v1` each secret, a `v1a` each key, so that a rotation breaks no receiver."""
    signed = b".".join((identifier.encode(), str(timestamp).encode(), payload))
    shared = ["v1," + _text(hmac.new(secret, signed, hashlib.sha256).digest()) for secret in secrets]
    return " ".join(shared + ["v1a," + _text(key.private.sign(signed)) for key in keys])


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def published_webhook_keys(deps: Deps) -> Document:
    """Return the keys that verify `v1a` signatures, the one that stays first."""
    keys = [
        {"id": key.kid, "object": "webhook_key", "public_key": key.webhook_text(), "jwk": dict(key.jwk())}
        for key in deps.webhook_keys
    ]
    return page_document(keys, None)


def signing_secrets(deps: Deps, endpoint: Endpoint, now: datetime) -> tuple[bytes, ...]:
    """Return the secrets that sign now: the old ones too, each until its own overlap is over."""
    kept = [endpoint.secret]
    for secret, until in (
        (endpoint.previous_secret, endpoint.previous_until),
        (endpoint.earlier_secret, endpoint.earlier_until),
    ):
        if secret is not None and until is not None and now < until:
            kept.append(secret)
    return tuple(deps.sealer.open(secret, endpoint.id) for secret in kept)


def next_wait(deps: Deps, delivery: Delivery, answer: Answer) -> timedelta | None:
    """Return how long to wait before the next try, or None when three days are over."""
    if delivery.tries > len(WAITS):
        return None
    wait = WAITS[delivery.tries - 1]
    jitter = 1 + _JITTER * (int.from_bytes(deps.random_bytes(2)) / 0xFFFF)
    asked = timedelta(seconds=min(answer.retry_after_s or 0, _RETRY_AFTER_MAX_S))
    return max(wait * jitter, asked)


async def _deliver(deps: Deps, delivery: Delivery) -> Answer:
    endpoint = delivery.endpoint
    if endpoint.disabled_at is not None:
        return Answer(Verdict.DEAD, "endpoint disabled")
    now = deps.clock()
    try:
        check_webhook_url(endpoint.url, private=deps.private_webhooks)
        secrets = signing_secrets(deps, endpoint, now)
    except (InvalidError, SealedError) as error:
        refused = isinstance(error, InvalidError)
        return Answer(Verdict.RETRY, "address refused" if refused else "its secret cannot be opened")
    event = Event(delivery.event, endpoint.department, delivery.type, delivery.object, delivery.data, delivery.event_at)
    payload = msgspec.json.encode(event_document(event))
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Mizan-Webhooks/1.0",
        "webhook-id": delivery.event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, deps.webhook_keys, delivery.event, timestamp, payload),
    }
    try:
        async with (
            asyncio.timeout(deps.limits.webhook_call_s),
            deps.webhook_session.post(endpoint.url, data=payload, headers=headers, allow_redirects=False) as response,
        ):
            await response.content.read(_ANSWER_BYTES_MAX)
            return read_answer(response.status, response.headers.get("Retry-After"))
    except AddressRefusedError:
        return Answer(Verdict.RETRY, "address refused")
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, AddressRefusedError)
        return Answer(Verdict.RETRY, "address refused" if refused else "no connection")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Answer(Verdict.RETRY, type(error).__name__)


def read_answer(status: int, retry_after: str | None) -> Answer:
    """Judge an answer: 2xx is delivered, 410 ends the endpoint, everything else, redirects too, is tried again."""
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own borders
        return Answer(Verdict.DELIVERED, str(status))
    if status == 410:  # noqa: PLR2004 - Gone
        return Answer(Verdict.GONE, "410")
    seconds = int(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
    return Answer(Verdict.RETRY, str(status), seconds)


async def _settle(deps: Deps, delivery: Delivery, answer: Answer) -> None:
    now = deps.clock()
    verdict = answer.verdict
    wait = next_wait(deps, delivery, answer) if verdict is Verdict.RETRY else None
    if verdict is Verdict.RETRY and wait is None:
        verdict = Verdict.DEAD
    async with deps.transaction() as connection:
        match verdict:
            case Verdict.DELIVERED:
                await webhooks.settle(connection, delivery, "delivered", answer.word, now)
            case Verdict.GONE:
                await webhooks.disable(connection, delivery.endpoint.id, "410 Gone", now)
            case Verdict.DEAD:
                await webhooks.settle(connection, delivery, "dead", answer.word, now)
            case Verdict.RETRY:
                await webhooks.postpone(connection, delivery, answer.word, now + (wait or WAITS[-1]))
    metrics.DELIVERIES.labels(verdict.value).inc()
    if verdict is not Verdict.DELIVERED:
        _log.warning(
            "webhook_not_delivered",
            endpoint=delivery.endpoint.id,
            event_id=delivery.event,
            tries=delivery.tries,
            answer=answer.word,
            verdict=verdict.value,
        )
