"""A provider that does not exist: the smallest complete folder, copied to start a real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from adapters.contract import PaymentReport
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.redaction import Redaction
from adapters.template.client import TemplateProvider
from adapters.template.manifest import MANIFEST
from adapters.template.mapping import DECLINES, read_report
from adapters.template.wire import read_payment

__all__ = ["DECLINES", "MANIFEST", "TemplateProvider", "build", "read_answer"]

SECRET_CHARS_MIN = 16
"""A callback secret shorter than this could be guessed."""


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],  # noqa: ARG001 (every provider is made alike; this one mints nothing)
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> TemplateProvider:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    if len(values["callback_secret"]) < SECRET_CHARS_MIN:
        raise SettingsError(f"template: setting 'callback_secret' needs {SECRET_CHARS_MIN} characters or more")
    try:
        timeout_s = float(values["timeout_s"])
    except ValueError:
        raise SettingsError("template: setting 'timeout_s' must be a number of seconds") from None
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction(MANIFEST.secrets(values)),
        transcript=transcript,
        correlation=correlation,
    )
    return TemplateProvider(wire, settings=values, clock=clock)


def read_answer(body: bytes) -> PaymentReport:
    """Read one payment, without a network."""
    return read_report(read_payment(body))
