"""One request to a citizen's page: its language, its form, its answer, and the pages shown when something is wrong."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from aiohttp import web

from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, OverloadedError, RateLimitedError, UnavailableError
from gateway.web.csrf import FIELD, form_is_ours
from gateway.web.guesses import GUESSES
from gateway.web.headers import PAGE_HEADERS
from gateway.web.i18n import LANGUAGE_COOKIE, browser_language, languages, negotiate
from gateway.web.pages import Pages

_log: Final = structlog.get_logger(__name__)
_YEAR_S: Final = 365 * 24 * 3600
FORM_BYTES_MAX: Final = 16 * 1024


def form_key(secret: bytes) -> bytes:
    """Derive the key of the forms, so that a form's token can never stand in for a link's."""
    return hmac.new(secret, b"forms", hashlib.sha256).digest()


class Visit:
    """A citizen's request, and how to answer it."""

    def __init__(self, request: web.Request, deps: Deps, pages: Pages) -> None:
        self.request = request
        self._pages = pages
        self._secure = deps.public_url.startswith("https://")
        self._chosen = request.query.get("language")
        self._browser = browser_language(request.headers.get("Accept-Language", ""))
        self.language = negotiate(self._chosen, request.cookies.get(LANGUAGE_COOKIE), self._browser)

    @property
    def token(self) -> str:
        return self.request.match_info["token"]

    def settle_language(self, payers: str) -> None:
        """Let the department's word on the payer's language count, after the payer's own and an Arabic browser's."""
        arabic_browser = self._browser if self._browser == "ar" else None
        self.language = negotiate(self._chosen, self.request.cookies.get(LANGUAGE_COOKIE), arabic_browser, payers)

    def choose_language(self, code: str) -> None:
        self._chosen = code if code in languages() else self._chosen
        self.language = negotiate(self._chosen, self.language)

    async def answer(self, handler: Callable[[Visit], Awaitable[web.Response]]) -> web.Response:
        """Run the handler; whatever goes wrong, the citizen gets a page of ours that says what it means for them."""
        language = self._pages.languages[self.language].text
        try:
            return await handler(self)
        except RateLimitedError as error:
            return self._guessed(error.retry_after_s or 1)
        except NotFoundError:
            return self._not_found()
        except OverloadedError as error:
            title = language("We are very busy just now")
            said = language("No money was taken by this step. Wait a moment and try again.")
            response = self._notice(503, title, said, again=self._safe_address())
            response.headers["Retry-After"] = str(error.retry_after_s or 1)
            return response
        except UnavailableError as error:
            # The database went away, perhaps in the middle of paying: nobody here can say that no money was taken.
            response = self._failed(503)
            response.headers["Retry-After"] = str(error.retry_after_s or 1)
            return response
        except web.HTTPException:
            raise
        except Exception:  # noqa: BLE001 - a citizen who may have paid gets a page, whatever broke
            # The address holds the token, so that only the route is logged.
            route = self.request.match_info.route.resource
            _log.exception("page_failed", route=route.canonical if route else None)
            return self._failed(500)

    def _not_found(self) -> web.Response:
        if (wait_s := self.request.app[GUESSES].note(self.request)) is not None:
            return self._guessed(wait_s)
        language = self._pages.languages[self.language].text
        title = language("We could not find this payment")
        said = language("Check that the link is complete, or ask the department that sent it for a new one.")
        return self._notice(404, title, said)

    def _guessed(self, wait_s: int) -> web.Response:
        language = self._pages.languages[self.language].text
        title = language("Too many wrong links were tried from your network")
        said = language("Wait a minute, then open the link exactly as you received it.")
        response = self._notice(429, title, said)
        response.headers["Retry-After"] = str(wait_s)
        return response

    def _failed(self, status: int) -> web.Response:
        language = self._pages.languages[self.language].text
        title = language("Something went wrong on our side")
        said = language(
            "If you were paying, do not pay again. Check the result first: it shows whether money was taken."
        )
        return self._notice(status, title, said, again=self._safe_address())

    def _safe_address(self) -> str:
        token = self.request.match_info.get("token")
        return f"/pay/{token}" if token else self.request.path

    async def form(self, key: bytes, purpose: str) -> Mapping[str, object] | None:
        """Read a posted form, or None when it does not prove that it is ours."""
        if self.request.content_type != "application/x-www-form-urlencoded":
            return None
        if (self.request.content_length or 0) > FORM_BYTES_MAX:
            raise web.HTTPRequestEntityTooLarge(FORM_BYTES_MAX, self.request.content_length or 0)
        posted = await self.request.post()
        given = str(posted.get(FIELD) or "")
        return posted if form_is_ours(key, purpose, self.token, given, self.request.headers) else None

    def page(self, body: bytes, *, status: int = 200) -> web.Response:
        response = web.Response(
            body=body, status=status, content_type="text/html", charset="utf-8", headers=PAGE_HEADERS
        )
        response.enable_compression()
        return self._remember_language(response)

    def data(self, values: Mapping[str, Any]) -> web.Response:
        return web.json_response(values, headers=PAGE_HEADERS)

    def file(self, body: bytes, content_type: str, name: str) -> web.Response:
        headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type=content_type, headers=headers)

    def go(self, part: str) -> web.Response:
        """Send the browser on to another page of this payment, by GET."""
        return self.go_to(f"/pay/{self.token}{part}")

    def go_to(self, path: str) -> web.Response:
        """Send the browser on to another page of ours, by GET."""
        response = web.Response(status=303, headers={**PAGE_HEADERS, "Location": path})
        return self._remember_language(response)

    def lead(self, address: str) -> web.Response:
        """Send a browser that came from elsewhere to an address of ours."""
        return self._remember_language(web.Response(status=303, headers={**PAGE_HEADERS, "Location": address}))

    def stale(self) -> web.Response:
        """Refuse a form that is not ours. Nothing was done."""
        language = self._pages.languages[self.language].text
        title = language("This page is no longer fresh")
        said = language("Nothing was done, and no money was taken. Open the page again and press the button once more.")
        return self._notice(403, title, said, again=f"/pay/{self.token}")

    def _notice(self, status: int, title: str, sentence: str, *, again: str | None = None) -> web.Response:
        page = self._pages.render(
            "notice.html",
            self.language,
            title=title,
            sentences=[sentence],
            again=again,
            trial=self._pages.identity.trial,
        )
        return self.page(page, status=status)

    def _remember_language(self, response: web.Response) -> web.Response:
        if self._chosen in languages() and self._chosen is not None:
            response.set_cookie(
                LANGUAGE_COOKIE,
                self._chosen,
                max_age=_YEAR_S,
                path="/",
                httponly=True,
                secure=self._secure,
                samesite="Lax",
            )
        return response
