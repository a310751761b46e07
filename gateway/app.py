"""The public application: the API for departments and the callbacks of providers; pages are added by their own."""

from __future__ import annotations

from aiohttp import web

from gateway.api.calls import refuse_unknown
from gateway.api.routes import add_api
from gateway.callbacks.routes import add_callbacks
from gateway.deps import Deps
from gateway.web.admission import DEPS, correlate
from gateway.web.guesses import GUESSES, Guesses


def build_app(deps: Deps) -> web.Application:
    """Build the application. Writes that queue when it stops are finished before it ends."""
    app = web.Application(middlewares=[correlate, refuse_unknown], client_max_size=deps.limits.body_bytes_max)
    app[DEPS] = deps
    app[GUESSES] = Guesses(deps)
    add_api(app, deps)
    add_callbacks(app, deps)

    async def drain(_: web.Application) -> None:
        await deps.creations.drain()

    app.on_cleanup.append(drain)
    return app
