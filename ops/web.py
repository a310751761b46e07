"""The web process: API, checkout and callbacks, with the operators' port beside it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import Final

import structlog
from aiohttp import web

from gateway.app import build_app
from gateway.centres.routes import add_centres
from gateway.checkout.routes import add_routes
from gateway.web.identity import Identity
from ops import operations
from ops.database import database
from ops.first_words import FirstWords
from ops.settings import Settings
from ops.wiring import Parts, assemble, public_url

log = structlog.get_logger()

_LOCK_TIMEOUT_S: Final = 2.0
"""A request that waits longer for another's row is answered: 409 for a key in use, else 503."""

_DRAIN_S: Final = 15.0
"""Requests that are being served get this long to finish when the process is told to stop."""


_COLLECT_AFTER: Final = 20_000
"""So many new objects before the collector of cycles looks at them; requests make few cycles and many objects."""


def _spare_the_collector() -> None:
    """Keep what was loaded at the start out of the collector's rounds, and have fewer of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def identity_of(settings: Settings) -> Identity:
    return Identity(
        ar=settings.government_ar,
        en=settings.government_en,
        address=public_url(settings).partition("://")[2],
        zone=settings.time_zone,
        trial=settings.demo,
    )


def build(parts: Parts) -> web.Application:
    """Build the public application."""
    app = build_app(parts.gateway)
    identity = identity_of(parts.settings)
    add_routes(app, parts.gateway, identity)
    add_centres(app, parts.gateway, identity)
    return app


def runner_of(app: web.Application) -> web.AppRunner:
    """Make what serves an application.

    Bodies are taken as they came: the application itself refuses those that are packed. aiohttp would unpack them
    first, and answer what it cannot unpack in its own words, with a trace in the log for each.
    """
    return web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_S, handle_signals=False, auto_decompress=False)


async def serve(settings: Settings, stopping: asyncio.Event) -> None:
    """Serve until told to stop, then finish what is being served."""
    async with (
        database(settings) as url,
        assemble(settings, url, lock_timeout_s=_LOCK_TIMEOUT_S) as parts,
        contextlib.AsyncExitStack() as stack,
    ):
        for app, port in ((build(parts), settings.port), (operations.build_app(parts.pool), settings.operations_port)):
            first_words = FirstWords()
            app.middlewares.insert(0, first_words.hear)
            runner = runner_of(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            # Several web processes share the port; the kernel deals connections out to them.
            server = await first_words.listen(runner, settings.host, port)
            stack.callback(server.close)  # nobody new, then those being served finish
        _spare_the_collector()
        log.info("web serves", host=settings.host, port=settings.port)
        await stopping.wait()
