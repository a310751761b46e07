"""One request of an agent: their session, their form, their answer."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.web.csrf import FIELD, csrf_token, form_is_ours
from gateway.web.headers import PAGE_HEADERS
from gateway.web.i18n import LANGUAGE_COOKIE, browser_language, languages, negotiate
from gateway.web.pages import Pages

COOKIE: Final = "mizan_centre"
_PATH: Final = "/centre"
_YEAR_S: Final = 365 * 24 * 3600
_TOKEN_BYTES: Final = 32
_TOKEN_LENGTH: Final = 2 * _TOKEN_BYTES
FORM_BYTES_MAX: Final = 16 * 1024
_TYPED_MAX: Final = 200


class Visit:
    """A request to a page of the counters. `agent` is who is signed in; nobody on the page to sign in."""

    def __init__(self, request: web.Request, deps: Deps, pages: Pages) -> None:
        self.request = request
        self.agent: Agent | None = None
        self._deps = deps
        self._pages = pages
        self._key = hmac.new(deps.link_secrets[0], b"forms of centres", hashlib.sha256).digest()
        self._secure = deps.public_url.startswith("https://")
        self._chosen = request.query.get("language")
        browser = browser_language(request.headers.get("Accept-Language", ""))
        self.language = negotiate(self._chosen, request.cookies.get(LANGUAGE_COOKIE), browser)
        self.session = request.cookies.get(COOKIE, "")[:_TOKEN_LENGTH]
        self._new_session: str | None = None

    def say(self, message: str, **values: object) -> str:
        return self._pages.languages[self.language].text(message, **values)

    def begin(self, session: str) -> None:
        """Give the browser another session, or none; the old one's value is never used again."""
        self.session = self._new_session = session

    def ensure_session(self) -> None:
        """Give a browser without one a value nobody else knows, so that even the first form proves to be ours."""
        if len(self.session) != _TOKEN_LENGTH:
            self.begin(self._deps.random_bytes(_TOKEN_BYTES).hex())

    def once(self) -> str:
        return self._deps.random_bytes(12).hex()

    async def form(self, purpose: str) -> Mapping[str, str] | None:
        """Read a posted form, or None when it does not prove that it is ours."""
        if self.request.content_type != "application/x-www-form-urlencoded" or not self.session:
            return None
        if (self.request.content_length or 0) > FORM_BYTES_MAX:
            raise web.HTTPRequestEntityTooLarge(FORM_BYTES_MAX, self.request.content_length or 0)
        posted = await self.request.post()
        if not form_is_ours(self._key, purpose, self.session, str(posted.get(FIELD) or ""), self.request.headers):
            return None
        return {name: str(value)[:_TYPED_MAX] for name, value in posted.items()}

    def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        def csrf(purpose: str) -> str:
            return csrf_token(self._key, purpose, self.session)

        body = self._pages.render(
            template,
            self.language,
            agent=self.agent,
            csrf=csrf,
            trial=self._pages.trial_of(self._deps.live),
            **{"problem": "", "typed": {}, **values},
        )
        response = web.Response(
            body=body, status=status, content_type="text/html", charset="utf-8", headers=PAGE_HEADERS
        )
        return self._remember(response)

    def go(self, path: str) -> web.Response:
        return self._remember(web.Response(status=303, headers={**PAGE_HEADERS, "Location": path}))

    def notice(self, status: int, title: str, sentence: str) -> web.Response:
        return self.page("notice.html", status=status, title=title, sentences=[sentence], again=_PATH)

    def stale(self) -> web.Response:
        """Refuse a form that is not ours. Nothing was done."""
        title = self.say("This page is no longer fresh")
        said = self.say("Nothing was done, and no money was taken. Open the page again and press the button once more.")
        return self.notice(403, title, said)

    def _remember(self, response: web.Response) -> web.Response:
        if self._new_session is not None:
            response.set_cookie(
                COOKIE, self._new_session, path=_PATH, httponly=True, secure=self._secure, samesite="Strict"
            )
        if self._chosen is not None and self._chosen in languages():
            response.set_cookie(
                LANGUAGE_COOKIE, self._chosen, max_age=_YEAR_S, path="/", httponly=True, secure=self._secure,
                samesite="Lax",
            )  # fmt: skip
        return response
