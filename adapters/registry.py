"""Every provider, in one literal table. Only `ops.wiring` reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import aiohttp
from aiohttp import web

from adapters import adyen, altareq, bank_transfer, daraja, gsma, ngenius
from adapters.adyen import simulator as adyen_simulator
from adapters.altareq import simulator as altareq_simulator
from adapters.bank_host import manifest as bank_host
from adapters.bank_host import simulator as bank_host_simulator
from adapters.contract import DeclineReason, PaymentReport, Pays, Provider, States
from adapters.daraja import simulator as daraja_simulator
from adapters.gsma import simulator as gsma_simulator
from adapters.http import Exchange
from adapters.manifest import Manifest, SettingsError
from adapters.ngenius import simulator as ngenius_simulator
from adapters.ngenius.manifest import MANIFEST as NGENIUS
from ledger.money import Money

SAMPLE_AMOUNT: Final = Money(12_550, "AED")


class Builds(Protocol):
    """Makes a provider from its settings; nothing is sent yet."""

    def __call__(
        self,
        settings: Mapping[str, str],
        *,
        session: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        transcript: Callable[[Exchange], None] | None = None,
        correlation: Callable[[], str | None] | None = None,
    ) -> Provider: ...


@dataclass(frozen=True, slots=True)
class SimulatedFees:
    """A share of the payment, and the VAT on it that is reported apart."""

    basis_points: int
    vat_basis_points: int = 500


@dataclass(frozen=True, slots=True)
class Registered:
    """A provider's description, how it is made, its simulator, and what the contract suite reads on its own."""

    manifest: Manifest
    build: Builds
    simulator: Callable[..., web.Application]
    simulator_settings: Mapping[str, str]
    """What the provider needs to talk to its simulator, but for addresses."""
    read_answer: Callable[[bytes], PaymentReport]
    """The pure reader of one answer about a payment."""
    declines: Mapping[str, DeclineReason]
    credentials: Callable[[Path], Mapping[str, str]] | None = None
    """Where the rail needs keys: makes the simulation's own in a folder, and returns the settings that name them.

    Its simulator is then given the same folder as `keys`.
    """
    sample_amount: Money = SAMPLE_AMOUNT
    """An amount this provider takes, for the contract suite."""
    simulated_fees: SimulatedFees | None = None
    """What its simulator keeps of each payment in its settlement files, where it makes some."""
    served_by: str | None = None
    """The bank whose simulator plays this provider too: there is one bank, and its papers are the provider's word."""


PROVIDERS: Final[Mapping[str, Registered]] = {
    "ngenius": Registered(
        manifest=NGENIUS,
        build=ngenius.build,
        simulator=ngenius_simulator.build_app,
        simulator_settings=ngenius_simulator.SETTINGS,
        read_answer=ngenius.read_answer,
        simulated_fees=SimulatedFees(120),
        declines=ngenius.DECLINES,
    ),
    "gsma": Registered(
        manifest=gsma.MANIFEST,
        build=gsma.build,
        simulator=gsma_simulator.build_app,
        simulator_settings=gsma_simulator.SETTINGS,
        read_answer=gsma.read_answer,
        simulated_fees=SimulatedFees(100),
        declines=gsma.DECLINES,
    ),
    "adyen": Registered(
        manifest=adyen.MANIFEST,
        build=adyen.build,
        simulator=adyen_simulator.build_app,
        simulator_settings=adyen_simulator.SETTINGS,
        read_answer=adyen.read_answer,
        simulated_fees=SimulatedFees(150, vat_basis_points=0),
        declines=adyen.DECLINES,
    ),
    "altareq": Registered(
        manifest=altareq.MANIFEST,
        build=altareq.build,
        simulator=altareq_simulator.build_app,
        simulator_settings=altareq_simulator.SETTINGS,
        read_answer=altareq.read_answer,
        declines=altareq.DECLINES,
        credentials=altareq_simulator.credentials,
    ),
    "daraja": Registered(
        manifest=daraja.MANIFEST,
        build=daraja.build,
        simulator=daraja_simulator.build_app,
        simulator_settings=daraja_simulator.SETTINGS,
        read_answer=daraja.read_answer,
        simulated_fees=SimulatedFees(0, vat_basis_points=0),
        declines=daraja.DECLINES,
        sample_amount=Money(12_500, "KES"),
    ),
    "bank_transfer": Registered(
        manifest=bank_transfer.MANIFEST,
        build=bank_transfer.build,
        simulator=bank_host_simulator.build_app,
        simulator_settings={**bank_host_simulator.SETTINGS, "refresh_s": "0"},
        read_answer=bank_transfer.read_answer,
        declines=bank_transfer.DECLINES,
        served_by="bank_host",
    ),
}


class Bank(States, Pays, Protocol):
    """A bank that gives statements of our account and takes our payment files."""


class BuildsBank(Protocol):
    """Makes a bank's channel from its settings; nothing is sent yet."""

    def __call__(
        self, settings: Mapping[str, str], session: aiohttp.ClientSession, clock: Callable[[], datetime]
    ) -> Bank: ...


@dataclass(frozen=True, slots=True)
class RegisteredBank:
    manifest: Manifest
    build: BuildsBank
    simulator: Callable[..., web.Application]
    simulator_settings: Mapping[str, str]


BANKS: Final[Mapping[str, RegisteredBank]] = {
    "bank_host": RegisteredBank(
        manifest=bank_host.MANIFEST,
        build=bank_host.build,
        simulator=bank_host_simulator.build_app,
        simulator_settings=bank_host_simulator.SETTINGS,
    ),
}
"""Banks that hold our own account; they take no payments from citizens."""


def build(
    name: str,
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> Provider:
    """Make the named provider; `SettingsError` names the provider, the key and what it means."""
    registered = PROVIDERS.get(name)
    if registered is None:
        raise SettingsError(f"{name!r} is not a provider; there are {', '.join(sorted(PROVIDERS))}")
    return registered.build(
        settings,
        session=session,
        clock=clock,
        random_bytes=random_bytes,
        transcript=transcript,
        correlation=correlation,
    )
