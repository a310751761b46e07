"""The addresses of the counters' pages: who may open them, and what is shown when something is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from aiohttp import web

from gateway.centres import TEMPLATES
from gateway.centres.desk import Desk
from gateway.centres.visit import Visit
from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.domain.errors import NotFoundError, OverloadedError, RateLimitedError, UnavailableError
from gateway.services.centres.centre_people import signed_in
from gateway.web.guesses import GUESSES, Guesses
from gateway.web.identity import Identity
from gateway.web.pages import Pages

_log: Final = structlog.get_logger(__name__)
Handler = Callable[[Visit, Agent], Awaitable[web.Response]]
OpenHandler = Callable[[Visit], Awaitable[web.Response]]
_WITH_FIRST_PASSWORD: Final = frozenset({"/centre/password", "/centre/sign-out"})
"""All that a password somebody else has read out opens."""


def add_centres(app: web.Application, deps: Deps, identity: Identity) -> None:
    """Put the counters' pages into the application, beside the citizens' own."""
    app.setdefault(GUESSES, Guesses(deps))
    pages = Pages(identity, TEMPLATES)
    desk = Desk(deps)

    def answering(handler: OpenHandler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return await _answer(Visit(request, deps, pages), handler)

        return handle

    def agents_only(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def checked(visit: Visit) -> web.Response:
            visit.agent = await signed_in(deps, visit.session)
            if visit.agent is None:
                return visit.go("/centre/sign-in")
            if not visit.agent.chose_password and visit.request.path not in _WITH_FIRST_PASSWORD:
                return visit.go("/centre/password")
            return await handler(visit, visit.agent)

        return answering(checked)

    async def to_bill(visit: Visit, _: Agent) -> web.Response:
        return visit.go(f"/centre/bills/{visit.request.match_info['id']}")

    gets: Mapping[str, Handler] = {
        "/centre": desk.home,
        "/centre/password": desk.ask_password,
        "/centre/new": desk.ask_bill,
        "/centre/find": desk.ask_find,
        "/centre/count": desk.ask_count,
        "/centre/shift": desk.home,
        "/centre/bills/{id}": desk.bill,
        "/centre/bills/{id}/{what:identity|cash|slip|give-back|hand-out}": to_bill,
        "/centre/give-backs/{id}": desk.home,
        "/centre/hand-outs/{id}": desk.home,
    }
    posts: Mapping[str, Handler] = {
        "/centre/sign-out": desk.sign_out,
        "/centre/password": desk.change_password,
        "/centre/shift": desk.open_shift,
        "/centre/new": desk.open_bill,
        "/centre/find": desk.find,
        "/centre/count": desk.count,
        "/centre/shifts/{id}": desk.approve,
        "/centre/bills/{id}/{what:identity|cash|slip|give-back|hand-out}": desk.act,
        "/centre/give-backs/{id}": desk.decide_give_back,
        "/centre/hand-outs/{id}": desk.decide_hand_out,
    }
    app.router.add_get("/centre/sign-in", answering(desk.ask_sign_in))
    app.router.add_post("/centre/sign-in", answering(desk.sign_in))
    for path, handler in gets.items():
        app.router.add_get(path, agents_only(handler))
    for path, handler in posts.items():
        app.router.add_post(path, agents_only(handler))


async def _answer(visit: Visit, handler: OpenHandler) -> web.Response:
    """Run the handler; whatever goes wrong, the agent gets a page that says what it means for the money."""
    try:
        return await handler(visit)
    except NotFoundError:
        said = visit.say("There is no such bill or shift of your centre.")
        return visit.notice(404, visit.say("Not found"), said)
    except (OverloadedError, UnavailableError, RateLimitedError) as error:
        said = visit.say("Wait a moment, then look at the bill before you take money: it shows whether it is paid.")
        response = visit.notice(503, visit.say("We are very busy just now"), said)
        response.headers["Retry-After"] = str(error.retry_after_s or 1)
        return response
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - an agent who may hold a citizen's money gets a page, whatever broke
        _log.exception("centre_page_failed")
        said = visit.say("Look at the bill before you take money: it shows whether it is paid.")
        return visit.notice(500, visit.say("Something went wrong on our side"), said)
