"""Network International N-Genius Online: cards on the acquirer's hosted payment page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from adapters.contract import PaymentReport
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.ngenius.client import NGenius
from adapters.ngenius.manifest import MANIFEST
from adapters.ngenius.mapping import DECLINES, read_report
from adapters.ngenius.settlement import read_profile
from adapters.ngenius.wire import ACTIONS, read_order
from adapters.redaction import Redaction

__all__ = ["DECLINES", "MANIFEST", "NGenius", "build", "read_answer"]

HEADER_CHARS_MIN = 16
"""A webhook header shorter than this could be guessed."""


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],  # noqa: ARG001 (every provider is made alike; this one mints nothing)
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> NGenius:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    if values["action"] not in ACTIONS:
        raise SettingsError(f"ngenius: setting 'action' must be one of {', '.join(sorted(ACTIONS))}")
    if values["order_lookup"] not in {"yes", "no"}:
        raise SettingsError("ngenius: setting 'order_lookup' must be yes or no")
    if len(values["webhook_header_value"]) < HEADER_CHARS_MIN:
        raise SettingsError(f"ngenius: setting 'webhook_header_value' needs {HEADER_CHARS_MIN} characters or more")
    try:
        timeout_s = float(values["timeout_s"])
    except ValueError:
        raise SettingsError("ngenius: setting 'timeout_s' must be a number of seconds") from None
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction(MANIFEST.secrets(values)),
        transcript=transcript,
        correlation=correlation,
    )
    return NGenius(wire, settings=values, profile=read_profile(values["settlement_profile"]), clock=clock)


def read_answer(body: bytes) -> PaymentReport:
    """Read one answer about an order, without a network."""
    return read_report(read_order(body))
