"""A citizen, as the demo plays one: opens the link, chooses card, types a number on the provider's page, comes back."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from ops.demo.form_browser import FormBrowser, Page, WayLostError

_CHALLENGE_CODE = "123456"


@dataclass(slots=True)
class Citizen:
    """One visit of one payer, in one language."""

    browser: FormBrowser
    email: str = ""

    @classmethod
    def arrive(cls, session: aiohttp.ClientSession, language: str, *, email: str = "") -> Citizen:
        return cls(FormBrowser(session, language=language), email)

    async def choose_card(self, checkout_url: str) -> Page:
        """Open the checkout and press Pay, or go on with what was begun there.

        What is returned is the provider's page; or ours, when there is nothing to pay or the bank is being asked.
        """
        page = await self.browser.open(checkout_url)
        if way_on := page.links("/continue"):
            return await self.browser.open(way_on[0])
        values = {"email": self.email} if self.email else {}
        try:
            return await self.browser.submit(page, values, action="/pay/")
        except WayLostError:
            return await self.browser.open(f"{checkout_url}/result")

    async def enter_card(self, page: Page, number: str) -> Page:
        """Type a card on the provider's page, pass the bank's challenge when there is one, and end where that leads."""
        page = await self.browser.submit(page, {"card": number, "expiry": "12/30", "cvv": "123", "holder": "A Citizen"})
        try:
            return await self.browser.submit(page, {"code": _CHALLENGE_CODE}, action="/challenge")
        except WayLostError:
            return page

    async def pay(self, checkout_url: str, number: str) -> Page:
        return await self.enter_card(await self.choose_card(checkout_url), number)
