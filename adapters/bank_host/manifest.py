"""What our own bank can do, and what it needs to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import aiohttp

from adapters.bank_host.client import BankHost
from adapters.bank_host.wire import Channel
from adapters.formats.pain001 import ChargeBearer, OrderProfile, Version
from adapters.http import WireClient
from adapters.manifest import Manifest, Setting, SettingsError
from adapters.redaction import Redaction

MANIFEST: Final = Manifest(
    name="bank_host",
    title="Own bank, host-to-host file channel",
    methods=frozenset(),
    capabilities=frozenset({"states", "pays"}),
    settings=(
        Setting("url", "address of the bank's file channel"),
        Setting("api_key", "the key the bank gave us for it", secret=True),
        Setting("timeout_s", "how long one call may take, in seconds", default="30"),
        Setting("order_version", "pain.001.001.09, or pain.001.001.03 where the bank asks for it", default=Version.V09),
        Setting("charge_bearer", "DEBT when we pay all charges, SHAR when each side pays its own", default="DEBT"),
        Setting("book_as_one_debit", "yes when a file is booked as one debit instead of one per line", default="no"),
    ),
    callbacks_proven=False,
)


def build(
    settings: Mapping[str, str],
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],  # noqa: ARG001 - every provider is built alike
) -> BankHost:
    values = MANIFEST.read(settings)
    try:
        timeout_s = float(values["timeout_s"])
        profile = OrderProfile(
            version=Version(values["order_version"]),
            charge_bearer=ChargeBearer(values["charge_bearer"]),
            book_as_one_debit=values["book_as_one_debit"] == "yes",
        )
    except ValueError as error:
        raise SettingsError(f"{MANIFEST.name}: {error}") from error
    redact = Redaction(MANIFEST.secrets(values))
    wire = WireClient(session, name=MANIFEST.name, timeout_s=timeout_s, redact=redact)
    return BankHost(wire, Channel(values["url"], values["api_key"]), profile=profile)
