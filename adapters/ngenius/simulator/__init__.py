"""A simulated N-Genius Online: the same wire, a payment page, its own book, and faults on command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

import aiohttp
from aiohttp import web

from adapters.ngenius.simulator.acquirer import Acquirer
from adapters.ngenius.simulator.api import Api
from adapters.ngenius.simulator.book import Book
from adapters.ngenius.simulator.cards import CHALLENGE_CODE, TEST_CARDS, CardSample
from adapters.ngenius.simulator.control import Control
from adapters.ngenius.simulator.pages import Pages
from adapters.ngenius.simulator.settlement import Settlement
from adapters.ngenius.simulator.webhooks import Outlet, Webhooks
from adapters.simulation.faults import Faults
from adapters.simulation.levers import Levers

__all__ = [
    "API_KEY",
    "CHALLENGE_CODE",
    "HEADER_NAME",
    "HEADER_VALUE",
    "OUTLET",
    "SETTINGS",
    "TEST_CARDS",
    "CardSample",
    "build_app",
]

API_KEY: Final = "c2ltdWxhdG9yOm5vdC1hLXNlY3JldA=="
OUTLET: Final = "5d8a2c1e-0b7f-4c52-9a35-3f2b1e6d7c40"
HEADER_NAME: Final = "X-Mizan-Webhook"
HEADER_VALUE: Final = "simulated-webhook-header"
SETTINGS: Final = {
    "api_key": API_KEY,
    "outlet": OUTLET,
    "webhook_header_name": HEADER_NAME,
    "webhook_header_value": HEADER_VALUE,
}
"""What the adapter needs beside `base_url` to talk to this simulator as it is built by default."""


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    book_path: str = ":memory:",
    callback_url: str | None = None,
    header_name: str = HEADER_NAME,
    header_value: str = HEADER_VALUE,
    bank_url: str | None = None,
    api_key: str = API_KEY,
    page_url: str | None = None,
    fee_basis_points: int = 120,
    credit_after_days: int = 0,
    session: aiohttp.ClientSession | None = None,
) -> web.Application:
    """Build the simulator. Time comes from the clock alone; `page_url` is where a browser reaches the page."""
    book = Book(book_path, clock, random_bytes)
    faults = Faults()
    acquirer = Acquirer(book, faults)
    sessions: list[aiohttp.ClientSession] = [session] if session else []
    webhooks = Webhooks(book, faults, Outlet(callback_url, header_name, header_value), lambda: sessions[0])
    settlement = Settlement(
        book,
        faults,
        clock,
        fee_basis_points=fee_basis_points,
        credit_after_days=credit_after_days,
        bank_url=bank_url,
        session=lambda: sessions[0],
    )
    api = Api(acquirer, webhooks, settlement, clock=clock, api_key=api_key, page_url=page_url)

    async def outward(_: web.Application) -> AsyncIterator[None]:
        if session is None:
            sessions.append(aiohttp.ClientSession(trust_env=False))
        yield
        await webhooks.deliveries.stop()
        if session is None:
            await sessions.pop().close()
        book.close()

    app = web.Application()
    app.cleanup_ctx.append(outward)
    control = Control(acquirer, webhooks, settlement, api)
    levers = Levers(faults, webhooks.deliveries)
    for part in (api, Pages(acquirer, webhooks, api), control, levers):
        app.router.add_routes(part.routes())
    return app
