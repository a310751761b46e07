"""A simulated M-Pesa: Daraja's wire with its oddities, a payer's phone, its own book, and faults on command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

import aiohttp
from aiohttp import web

from adapters.daraja.simulator.api import Api, Credentials
from adapters.daraja.simulator.payouts import Payouts
from adapters.daraja.simulator.phone import Phone
from adapters.daraja.simulator.till import Till
from adapters.simulation.faults import Faults
from adapters.simulation.levers import Levers

__all__ = ["SETTINGS", "build_app"]

SETTINGS: Final = {
    "consumer_key": "simulated-consumer-key",
    "consumer_secret": "simulated-consumer-secret",
    "short_code": "174379",
    "passkey": "simulated-passkey-of-the-short-code",
    "callback_key": "simulatedCallbackKey",
}
"""What the adapter needs beside `base_url` to talk to this simulator as it is built by default."""


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    book_path: str = ":memory:",
    callback_url: str | None = None,  # noqa: ARG001 - every push brings its own address
    bank_url: str | None = None,
    session: aiohttp.ClientSession | None = None,
) -> web.Application:
    """Build the simulator. Time comes from the clock alone."""
    faults = Faults()
    till = Till(book_path, clock, random_bytes)
    sessions: list[aiohttp.ClientSession] = [session] if session else []
    payouts = Payouts(till, faults, clock, bank_url=bank_url, session=lambda: sessions[0])
    credentials = Credentials(
        SETTINGS["consumer_key"], SETTINGS["consumer_secret"], SETTINGS["short_code"], SETTINGS["passkey"]
    )
    api = Api(till, faults, payouts, credentials, session=lambda: sessions[0])

    async def outward(_: web.Application) -> AsyncIterator[None]:
        if session is None:
            sessions.append(aiohttp.ClientSession(trust_env=False))
        yield
        await api.deliveries.stop()
        if session is None:
            await sessions.pop().close()
        till.close()

    app = web.Application()
    app.cleanup_ctx.append(outward)
    for part in (api, Phone(api), Levers(faults, api.deliveries)):
        app.router.add_routes(part.routes())
    return app
