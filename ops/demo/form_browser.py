"""A browser without a screen: opens pages, fills forms, follows redirects. What works here works without script."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from lxml import html

_REDIRECTS_MAX: Final = 10
_RELOADS_MAX: Final = 180
_RELOAD_PAUSE_S: Final = 0.5
_EMPTY_PAGE: Final = "<html></html>"
_REFRESH: Final = re.compile(r"0;\s*url=(\S+)", re.IGNORECASE)


class WayLostError(RuntimeError):
    """A page had no form or link of the kind its visitor looked for."""


@dataclass(slots=True)
class Page:
    url: str
    status: int
    text: str
    _tree: Any = field(default=None, repr=False)

    @property
    def tree(self) -> Any:
        if self._tree is None:
            self._tree = html.document_fromstring(self.text)
        return self._tree

    @property
    def language(self) -> str:
        return str(self.tree.get("lang", ""))

    def words(self) -> str:
        """Return the visible text, white space folded."""
        return " ".join(self.tree.text_content().split())

    def links(self, part: str) -> list[str]:
        """Return the addresses of the links that hold the given part, as they stand on the page."""
        addresses = (anchor.get("href") or "" for anchor in self.tree.iter("a"))
        return [str(urljoin(self.url, address)) for address in addresses if part in address]


async def _text(answer: aiohttp.ClientResponse) -> str:
    """Read the page as far as it came: a server may die while it answers."""
    try:
        return await answer.text(errors="replace") or _EMPTY_PAGE
    except aiohttp.ClientError:
        return _EMPTY_PAGE


class FormBrowser:
    """One visitor's session: its cookies, its language, the page it is on."""

    def __init__(self, session: aiohttp.ClientSession, *, language: str = "en") -> None:
        self._session = session
        self._headers = {"Accept-Language": language, "Accept": "text/html"}

    async def open(self, url: str) -> Page:
        return await self._go("GET", url, None)

    async def submit(
        self, page: Page, values: Mapping[str, str] | None = None, *, action: str = "", button: str = ""
    ) -> Page:
        """Fill the first form whose address holds `action` and that has the button, and send it."""
        for form in page.tree.forms:
            buttons = form.xpath(".//button[@name] | .//input[@type='submit'][@name]")
            chosen = [each for each in buttons if each.get("value") == button] if button else []
            if action not in (form.get("action") or "") or (button and not chosen):
                continue
            fields = {name: value or "" for name, value in form.form_values()}
            unknown = set(values or {}) - set(form.fields.keys())
            if unknown:
                continue
            fields.update(values or {})
            for each in chosen:
                fields[each.get("name")] = each.get("value")
            target = urljoin(page.url, form.get("action") or page.url)
            if (form.get("method") or "get").lower() == "get":
                return await self._go("GET", target, None, fields)
            return await self._go("POST", target, fields)
        raise WayLostError(f"no form {action!r} {sorted(values or {})} {button!r} on {page.url} ({page.status})")

    async def _go(
        self, method: str, url: str, data: Mapping[str, str] | None, query: Mapping[str, str] | None = None
    ) -> Page:
        reloads = _RELOADS_MAX
        redirects = _REDIRECTS_MAX
        while redirects:
            try:
                answer = await self._session.request(
                    method, url, data=data, params=query, headers=self._headers, allow_redirects=False
                )
            except aiohttp.ClientError as error:
                # What a person does: a page that does not load is loaded again; a form that was sent is not sent twice.
                if method != "GET" or not reloads:
                    raise WayLostError(f"{url} cannot be reached: {error}") from error
                reloads -= 1
                await asyncio.sleep(_RELOAD_PAUSE_S)
                continue
            redirects -= 1
            async with answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = urljoin(str(answer.url), answer.headers["Location"])
                    method, data, query = (
                        ("GET", None, None) if answer.status not in (307, 308) else (method, data, None)
                    )
                    continue
                page = Page(str(answer.url), answer.status, await _text(answer))
            # A page may send its reader on by the Refresh header, which browsers follow without script.
            if not (refresh := _REFRESH.fullmatch(answer.headers.get("Refresh", ""))):
                return page
            url, method, data, query = urljoin(page.url, refresh[1]), "GET", None, None
        raise WayLostError(f"more than {_REDIRECTS_MAX} redirects, the last to {url}")
