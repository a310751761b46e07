"""A simulated Adyen: payment links, signed notifications, settlement details, its own book, faults on command."""

from __future__ import annotations

import binascii
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

import aiohttp
from aiohttp import web

from adapters.adyen.simulator.api import Api
from adapters.adyen.simulator.book import Book
from adapters.adyen.simulator.notifications import Notifications
from adapters.adyen.simulator.pages import Pages
from adapters.adyen.simulator.settlement import Settlement
from adapters.simulation.faults import Faults
from adapters.simulation.levers import Levers

__all__ = ["API_KEY", "HMAC_KEY", "MERCHANT_ACCOUNT", "SETTINGS", "build_app"]

API_KEY: Final = "simulated-adyen-api-key"
MERCHANT_ACCOUNT: Final = "SimulatedGovernment"
HMAC_KEY: Final = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
SETTINGS: Final = {"api_key": API_KEY, "merchant_account": MERCHANT_ACCOUNT, "hmac_key": HMAC_KEY}
"""What the adapter needs beside `base_url` to talk to this simulator as it is built by default."""


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    book_path: str = ":memory:",
    callback_url: str | None = None,
    bank_url: str | None = None,
    api_key: str = API_KEY,
    merchant_account: str = MERCHANT_ACCOUNT,
    hmac_key: str = HMAC_KEY,
    page_url: str | None = None,
    fee_basis_points: int = 150,
    session: aiohttp.ClientSession | None = None,
) -> web.Application:
    """Build the simulator. Time comes from the clock alone; `page_url` is where a browser reaches the page."""
    book = Book(book_path, clock, random_bytes)
    faults = Faults()
    sessions: list[aiohttp.ClientSession] = [session] if session else []
    notifications = Notifications(
        book,
        faults,
        hmac_key=binascii.unhexlify(hmac_key),
        merchant_account=merchant_account,
        callback_url=callback_url,
        session=lambda: sessions[0],
    )
    settlement = Settlement(
        book,
        faults,
        clock,
        merchant_account=merchant_account,
        fee_basis_points=fee_basis_points,
        bank_url=bank_url,
        session=lambda: sessions[0],
    )
    api = Api(
        book,
        faults,
        notifications,
        settlement,
        api_key=api_key,
        merchant_account=merchant_account,
        page_url=page_url,
    )

    async def outward(_: web.Application) -> AsyncIterator[None]:
        if session is None:
            sessions.append(aiohttp.ClientSession(trust_env=False))
        yield
        await notifications.deliveries.stop()
        if session is None:
            await sessions.pop().close()
        book.close()

    app = web.Application()
    app.cleanup_ctx.append(outward)
    for part in (api, Pages(api), Levers(faults, notifications.deliveries)):
        app.router.add_routes(part.routes())
    return app
