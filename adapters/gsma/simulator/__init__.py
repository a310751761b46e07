"""A simulated mobile wallet: the specification's wire, a payer's phone, its own book, and faults on command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

import aiohttp
from aiohttp import web

from adapters.gsma.simulator.api import Api
from adapters.gsma.simulator.payouts import Payouts
from adapters.gsma.simulator.phone import Phone
from adapters.gsma.simulator.wallet import Wallet
from adapters.simulation.faults import Faults
from adapters.simulation.levers import Levers

__all__ = ["API_KEY", "CALLBACK_KEY", "SETTINGS", "build_app"]

API_KEY: Final = "simulated-wallet-key"
CALLBACK_KEY: Final = "simulated-callback-key"
SETTINGS: Final = {"api_key": API_KEY, "callback_key": CALLBACK_KEY, "organisation": "GOV"}
"""What the adapter needs beside `base_url` to talk to this simulator as it is built by default."""


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    book_path: str = ":memory:",
    callback_url: str | None = None,
    bank_url: str | None = None,
    api_key: str = API_KEY,
    callback_key: str = CALLBACK_KEY,
    fee_basis_points: int = 100,
    session: aiohttp.ClientSession | None = None,
) -> web.Application:
    """Build the simulator. Time comes from the clock alone."""
    faults = Faults()
    wallet = Wallet(book_path, clock, random_bytes, fee_basis_points=fee_basis_points)
    sessions: list[aiohttp.ClientSession] = [session] if session else []
    payouts = Payouts(wallet, faults, clock, bank_url=bank_url, session=lambda: sessions[0])
    api = Api(
        wallet,
        faults,
        payouts,
        api_key=api_key,
        callback_key=callback_key,
        callback_url=callback_url,
        session=lambda: sessions[0],
    )

    async def outward(_: web.Application) -> AsyncIterator[None]:
        if session is None:
            sessions.append(aiohttp.ClientSession(trust_env=False))
        yield
        await api.deliveries.stop()
        if session is None:
            await sessions.pop().close()
        wallet.close()

    app = web.Application()
    app.cleanup_ctx.append(outward)
    for part in (api, Phone(api), Levers(faults, api.deliveries)):
        app.router.add_routes(part.routes())
    return app
