"""Simulated banks of the Open Finance hub: mutual TLS, signed and encrypted messages, bank pages, their own book.

Two listeners, as in the world: pages, directory and levers on plain HTTP at the simulator's address; everything the
standard puts behind mutual TLS on a port of its own, which the directory names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from aiohttp import web

from adapters.altareq.simulator.authorization import Authorization
from adapters.altareq.simulator.banks import BANKS, Notary
from adapters.altareq.simulator.book import Book
from adapters.altareq.simulator.credentials import CLIENT_ID, open_vault
from adapters.altareq.simulator.notices import Notices
from adapters.altareq.simulator.pages import Pages
from adapters.altareq.simulator.payments import Resources
from adapters.simulation.faults import Faults
from adapters.simulation.levers import Levers

__all__ = ["SETTINGS", "build_app", "credentials"]

SETTINGS: Final[Mapping[str, str]] = {
    "client_id": CLIENT_ID,
    "signing_kid": "simulated-signing",
    "state_key": "simulated-state-key-of-forty-characters-",
    "banks": msgspec.json.encode(
        [{"code": bank.code, "en": bank.en, "ar": bank.ar} for bank in BANKS.values()]
    ).decode(),
    "creditor_iban": "AE070331234567890123456",
    "creditor_name_en": "Government Treasury",
    "creditor_name_ar": "خزانة الحكومة",
}
"""What the adapter needs to talk to this simulator beside `base_url` and what `credentials` names."""


def credentials(folder: Path) -> dict[str, str]:
    """Return the adapter's settings that name keys; they are made in the folder at first use."""
    vault = open_vault(folder)
    return {
        "client_certificate": vault.path("client.pem"),
        "client_key": vault.path("client.pem"),
        "ca_certificate": vault.path("ca.pem"),
        "signing_key": vault.path("signing.key"),
        "encryption_key": vault.path("encryption.key"),
        "event_keys": vault.path("banks.jwks"),
    }


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    keys: Path,
    book_path: str = ":memory:",
    callback_url: str | None = None,
    bank_url: str | None = None,
    session: aiohttp.ClientSession | None = None,
) -> web.Application:
    """Build the simulator. Time comes from the clock alone; `keys` is the folder `credentials` was given."""
    vault = open_vault(keys)
    faults = Faults()
    book = Book(book_path, clock, random_bytes)
    notary = Notary(vault, clock)
    sessions: list[aiohttp.ClientSession] = [session] if session else []
    places: list[str] = []
    origins: list[str] = []
    notices = Notices(book, notary, faults, callback_url=callback_url, bank_url=bank_url, session=lambda: sessions[0])
    authorization = Authorization(book, notary, notices, faults, vault, lambda: places[0])
    resources = Resources(book, notary, notices, faults, lambda: origins[0])

    closed = web.Application()
    closed.router.add_routes(authorization.closed_routes())
    closed.router.add_routes(resources.routes())

    async def both_sides(_: web.Application) -> AsyncIterator[None]:
        runner = web.AppRunner(closed, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=vault.server_context()).start()
        places.append(f"https://127.0.0.1:{runner.addresses[0][1]}")
        if session is None:
            sessions.append(aiohttp.ClientSession(trust_env=False))
        yield
        await runner.cleanup()
        await notices.deliveries.stop()
        if session is None:
            await sessions.pop().close()
        book.close()

    @web.middleware
    async def note_origin(request: web.Request, handler: Callable[[web.Request], object]) -> web.StreamResponse:
        """Remember where the open side is reached, for the addresses the closed side names."""
        origins[:] = [f"{request.scheme}://{request.host}"]
        return await handler(request)  # type: ignore[misc, no-any-return]

    app = web.Application(middlewares=[note_origin])
    app.cleanup_ctx.append(both_sides)
    app.router.add_routes(authorization.open_routes())
    for part in (Pages(book, notices, faults), Levers(faults, notices.deliveries)):
        app.router.add_routes(part.routes())
    return app
