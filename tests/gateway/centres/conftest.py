"""Counters with two people who may sign in, and a browser without a script."""

from __future__ import annotations

import re

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from gateway.app import build_app
from gateway.centres.routes import add_centres
from gateway.checkout.routes import add_routes
from gateway.domain.department import Names
from gateway.services.centres import centre_people as people
from gateway.web.identity import Identity

CARD = "784-1990-1234567-6"
OWN = "a word of the agent's own: "


class Browser:
    """A browser that keeps cookies and posts forms as they stand on the page."""

    def __init__(self, url, session):
        self.url = url
        self.session = session
        self.text = ""
        self.path = ""
        self.status = 0

    async def open(self, path, **headers):
        async with self.session.get(self.url + path, headers=headers) as answer:
            await self._take(answer)

    async def post(self, action, headers=None, **fields):
        form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', self.text, re.DOTALL)
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])) if form else {}
        async with self.session.post(self.url + action, data={**hidden, **fields}, headers=headers or {}) as answer:
            await self._take(answer)

    async def _take(self, answer):
        self.text, self.path, self.status = await answer.text(), answer.url.path, answer.status

    @property
    def cookie(self):
        return next((one for one in self.session.cookie_jar if one.key == "mizan_centre"), None)


@pytest.fixture
async def counter(town):
    """The application with its counters, and who may sign in there."""
    deps = town.deps
    await people.add_centre(deps, "deira", "economy", Names("مركز ديرة", "Deira centre"), "ngenius")
    passwords = {}
    for code, supervisor in (("omar", False), ("huda", True)):
        await people.propose_agent(deps, code, "deira", code.title(), supervisor=supervisor, by="amal")
        passwords[code] = await people.approve_agent(deps, code, by="faisal")
    app = build_app(deps)
    add_routes(app, deps, Identity())
    add_centres(app, deps, Identity())
    server = TestServer(app)
    await server.start_server()
    sessions = []

    def browser():
        sessions.append(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        return Browser(str(server.make_url("")).rstrip("/"), sessions[-1])

    async def agent(code):
        """Sign in; the first time with the password that was read out, which opens nothing but choosing another."""
        made = browser()
        await made.open("/centre?language=en")
        if code in passwords:
            first = passwords.pop(code)
            await made.post("/centre/sign-in", code=code, password=first)
            assert (made.status, made.path) == (200, "/centre/password")
            await made.post("/centre/password", old=first, new=OWN + code)
        await made.post("/centre/sign-in", code=code, password=OWN + code)
        assert (made.status, made.path) == (200, "/centre")
        return made

    yield type(
        "Counter",
        (),
        {"browser": staticmethod(browser), "agent": staticmethod(agent), "town": town, "passwords": passwords},
    )
    for session in sessions:
        await session.close()
    await server.close()
