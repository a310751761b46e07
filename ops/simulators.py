"""The providers' simulators as one process: real HTTP servers on ports of their own, with books that last."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from adapters import registry
from ops.clock import Clock
from ops.settings import Settings


@dataclass(frozen=True, slots=True)
class Address:
    """Where one simulator listens, and the settings its adapter needs to reach it."""

    name: str
    port: int
    settings: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def addresses(settings: Settings) -> list[Address]:
    """Lay out one port per simulator from the first one set: the bank, then the providers in the registry's order.

    A provider that a bank's simulator plays as well has no port of its own.
    """
    port = settings.simulators_port
    found = []
    for name, bank in registry.BANKS.items():
        found.append(Address(name, port, {**bank.simulator_settings, "url": f"http://127.0.0.1:{port}"}))
        port += 1
    for name, provider in registry.PROVIDERS.items():
        if provider.served_by is not None:
            continue
        found.append(Address(name, port, {**provider.simulator_settings, "base_url": f"http://127.0.0.1:{port}"}))
        port += 1
    return found


def keys_folder(settings: Settings, name: str) -> Path:
    """Return where a simulated rail's own test keys are kept: with the demo's data, never in the source."""
    return settings.home.absolute() / "simulators" / f"{name}-keys"


def _credentials(settings: Settings, name: str) -> Mapping[str, str]:
    """Make the keys of a simulated rail that needs some, and return the settings that name them."""
    provider = registry.PROVIDERS.get(name)
    return provider.credentials(keys_folder(settings, name)) if provider and provider.credentials else {}


def simulator_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that point every adapter at its simulator."""
    served = addresses(settings)
    at = {address.name: address.url for address in served}
    ours = {"account_iban": settings.bank_iban, "beneficiary": settings.bank_name}
    needed = {address.name: address.settings for address in served} | {
        name: {**provider.simulator_settings, **ours, "base_url": at[provider.served_by]}
        for name, provider in registry.PROVIDERS.items()
        if provider.served_by is not None
    }
    return {
        f"MIZAN_PROVIDER_{name}__{key}".upper(): value
        for name, values in needed.items()
        for key, value in {**values, **_credentials(settings, name)}.items()
    }


def _apps(settings: Settings, clock: Clock, public_url: str) -> list[tuple[Address, web.Application]]:
    books = settings.home / "simulators"
    books.mkdir(parents=True, exist_ok=True)
    built = []
    bank_url = None
    for address in addresses(settings):
        kept: dict[str, Any] = {
            "clock": clock,
            "random_bytes": os.urandom,
            "book_path": str(books / f"{address.name}.db"),
        }
        if address.name in registry.BANKS:
            bank_url = address.url
            app = registry.BANKS[address.name].simulator(
                **kept, account_iban=settings.bank_iban, account_owner=settings.bank_name, booking_delay_days=0
            )
        else:
            callback_url = f"{public_url}/callbacks/{address.name}"
            provider = registry.PROVIDERS[address.name]
            if provider.credentials:
                kept["keys"] = keys_folder(settings, address.name)
            app = provider.simulator(**kept, callback_url=callback_url, bank_url=bank_url)
        built.append((address, app))
    return built


async def run_simulators(settings: Settings, clock: Clock, public_url: str, stopping: asyncio.Event) -> None:
    """Serve every simulator until told to stop."""
    async with AsyncExitStack() as stack:
        for address, app in _apps(settings, clock, public_url):
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", address.port).start()
        await stopping.wait()
