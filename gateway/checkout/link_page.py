"""The page behind a payment link: what it is for, how much, and one button to the payment itself."""

from __future__ import annotations

import base64
from typing import Final

from aiohttp import web

from gateway.checkout.visit import Visit, form_key
from gateway.deps import Deps
from gateway.domain.errors import InvalidError, NothingToPayError
from gateway.services.intents.pay_by_link import LinkView, open_link, pay_by_link
from gateway.web.csrf import csrf_token
from gateway.web.pages import Pages, money
from gateway.web.typed import read_amount

_ONCE_BYTES: Final = 12
_ONCE_LENGTH_MAX: Final = 32
_TYPED_MAX: Final = 40


class LinkPage:
    """Shows a payment link, and makes the payment of whoever presses."""

    def __init__(self, deps: Deps, pages: Pages) -> None:
        self._deps = deps
        self._pages = pages
        self._key = form_key(deps.link_secrets[0])

    async def show(self, visit: Visit) -> web.Response:
        view = await open_link(self._deps, visit.token)
        visit.settle_language(view.language)
        if view.begun is not None:
            return visit.go_to(f"/pay/{view.begun}")
        return self._page(visit, view)

    async def press(self, visit: Visit) -> web.Response:
        view = await open_link(self._deps, visit.token)
        visit.settle_language(view.language)
        posted = await visit.form(self._key, "link")
        if posted is None:
            return visit.stale()
        typed = str(posted.get("amount") or "")[:_TYPED_MAX]
        once = str(posted.get("once") or "")[:_ONCE_LENGTH_MAX]
        try:
            named = read_amount(typed, view.currency) if view.least is not None else None
            token = await pay_by_link(self._deps, visit.token, named=named, once=once, language=visit.language)
        except InvalidError:
            return self._page(visit, view, typed=typed, once=once, wrong=True)
        except NothingToPayError:
            return visit.go_to(f"/link/{visit.token}")
        return visit.go_to(f"/pay/{token}")

    def _page(
        self, visit: Visit, view: LinkView, *, typed: str = "", once: str = "", wrong: bool = False
    ) -> web.Response:
        fault = ""
        if wrong and view.least is not None and view.most is not None:
            fault = self._pages.languages[visit.language].text(
                "Enter an amount from %(least)s to %(most)s", least=money(view.least), most=money(view.most)
            )
        page = self._pages.render(
            "link.html",
            visit.language,
            link=view,
            usable=view.usable,
            typed=typed,
            fault=fault,
            once=once or base64.urlsafe_b64encode(self._deps.random_bytes(_ONCE_BYTES)).decode("ascii"),
            csrf=csrf_token(self._key, "link", visit.token),
            trial=self._pages.trial_of(view.live),
        )
        return visit.page(page, status=422 if wrong else 200)
