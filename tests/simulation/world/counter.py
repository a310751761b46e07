"""A service centre: an agent who takes cash for one department's bills, counts the drawer and brings it to the bank."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from gateway.domain.department import Names
from gateway.services.centres import centre_people
from ledger.money import Money
from ops.demo.form_browser import FormBrowser, Page, WayLostError
from ops.wiring import Parts
from tests.simulation.world.product import URL

if TYPE_CHECKING:
    from tests.simulation.world.world import World

DEPARTMENT: Final = "dept0"
_CENTRE: Final = "deira"
_AGENT: Final = "omar"
_PASSWORD: Final = "a word of the agent's own"
_CARD: Final = "784-1990-1234567-6"
_FLOAT_MINOR: Final = 200_00
_CASH: Final = ("Cash", "نقد")
_TRIES: Final = 200
_PATIENCE_S: Final = 60.0
_REFUSED: Final = 422
_LOST: Final = (aiohttp.ClientError, TimeoutError, OSError, WayLostError)


class Counter:
    """What lies in the drawer is what the agent took for bills whose receipt says cash: this rail's own book."""

    def __init__(self, world: World, stream: random.Random) -> None:
        self._world = world
        self._stream = stream
        self._turn = asyncio.Lock()
        self._password = ""
        self._is_shut = False
        self._process = world.simulation.process("counter")
        self._drawer: dict[str, int] = {}
        self.taken: dict[str, int] = {}

    @property
    def is_open(self) -> bool:
        return bool(self._password) and not self._is_shut

    async def found(self, parts: Parts) -> None:
        """Set up the centre; two people let its agent in."""
        await centre_people.add_centre(parts.gateway, _CENTRE, DEPARTMENT, Names("مركز ديرة", "Deira centre"), None)
        await centre_people.propose_agent(parts.gateway, _AGENT, _CENTRE, "Omar", supervisor=False, by="amal")
        first = await centre_people.approve_agent(parts.gateway, _AGENT, by="faisal")
        session = await centre_people.sign_in(parts.gateway, _AGENT, first)
        agent = await centre_people.signed_in(parts.gateway, session)
        assert agent is not None
        await centre_people.change_password(parts.gateway, agent, first, _PASSWORD)
        self._password = _PASSWORD

    async def receive(self, intent: dict[str, Any]) -> None:
        """Serve a citizen, one after the other."""
        async with self._turn:
            if self.is_open:
                await self._world.simulation.spawn(self._process, self._serve(intent), "counter")

    async def _serve(self, intent: dict[str, Any]) -> None:
        """Take cash for one bill; whatever breaks, look at the bill again."""
        async with aiohttp.ClientSession() as session:
            browser = FormBrowser(session)
            bill = f"{URL}/centre/bills/{intent['id']}"
            for _ in range(_TRIES):
                page = await self._look(lambda: self._step(browser, bill))
                if page is None:  # it is out of order: no agent presses forty times in a second
                    await asyncio.sleep(self._stream.uniform(2, 20))
                    continue
                if receipt := page.links("/receipt"):
                    await self._keep_cash(browser, receipt[-1], intent)
                    return
                if page.status == 200 and not _has(page, "/identity") and not _has(page, "/cash"):
                    return  # it can no longer be paid
                await asyncio.sleep(self._stream.uniform(2, 20))
            self._world.note(f"the counter never learned what became of {intent['id']}")

    def open(self) -> None:
        self._is_shut = False

    async def close(self) -> None:
        """Count what lies in the drawer, and bring the day's takings to the bank under the shift's reference."""
        async with self._turn:
            self._is_shut = True
            await self._cash_up()

    async def _cash_up(self) -> None:
        control = self._world.simulation.control
        for shift in control.rows("SELECT id FROM gateway.shift WHERE closed_at IS NULL ORDER BY id"):
            counted = Money(_FLOAT_MINOR + sum(self._drawer.values()), "AED")
            async with aiohttp.ClientSession() as session:
                browser = FormBrowser(session)
                for _ in range(_TRIES):
                    if control.value(f"SELECT counted_at IS NOT NULL FROM gateway.shift WHERE id = '{shift['id']}'"):
                        break
                    await self._look(lambda browser=browser, counted=counted: self._count(browser, counted))  # type: ignore[misc]
                    await asyncio.sleep(10)
            row = control.rows(
                f"SELECT expected_minor, counted_minor, deposit_reference FROM gateway.shift WHERE id = '{shift['id']}'"
            )[0]
            if row["expected_minor"] != row["counted_minor"]:
                self._world.note(f"the drawer holds {row['counted_minor']}, our books say {row['expected_minor']}")
            if row["deposit_reference"]:
                await self._world.outside.deposit(row["deposit_reference"], sum(self._drawer.values()))
            self._drawer.clear()

    async def _step(self, browser: FormBrowser, bill: str) -> Page:
        """Do the next thing the page of the bill asks for: sign in, open a shift, show a card, take cash."""
        page = await browser.open(bill)
        if _has(page, "/sign-in"):
            await browser.submit(page, {"code": _AGENT, "password": self._password}, action="/sign-in")
            await self._open_shift(browser)
            page = await browser.open(bill)
        if _has(page, "/identity"):
            page = await browser.submit(page, {"emirates_id": _CARD}, action="/identity")
        if _has(page, "/cash"):
            page = await browser.submit(page, {}, action="/cash")
        if page.status == _REFUSED:  # perhaps the shift was never opened: its request may have been lost
            await self._open_shift(browser)
        return page

    async def _open_shift(self, browser: FormBrowser) -> None:
        desk = await browser.open(f"{URL}/centre")
        if _has(desk, "/centre/shift"):
            await browser.submit(desk, {"float": f"{_FLOAT_MINOR // 100}"}, action="/centre/shift")

    async def _keep_cash(self, browser: FormBrowser, receipt: str, intent: dict[str, Any]) -> None:
        """Keep the money where the receipt says that this bill was paid in cash; else hand it back."""
        for _ in range(_TRIES):
            page = await self._look(lambda: browser.open(receipt))
            if page is not None and page.status == 200:
                if any(word in page.words() for word in _CASH):
                    self._drawer[intent["id"]] = self.taken[intent["id"]] = intent["amount"]["amount"]
                    self._world.simulation.trace.happened("a bill was paid in cash")
                return
            await asyncio.sleep(self._stream.uniform(2, 20))

    async def _count(self, browser: FormBrowser, counted: Money) -> Page:
        page = await browser.open(f"{URL}/centre/count")
        if _has(page, "/sign-in"):
            await browser.submit(page, {"code": _AGENT, "password": self._password}, action="/sign-in")
            page = await browser.open(f"{URL}/centre/count")
        return await browser.submit(page, {"counted": counted.decimal()}, action="/centre/count")

    async def _look(self, act: Callable[[], Awaitable[Page]]) -> Page | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                page = await act()
        except _LOST as error:
            self._world.simulation.trace.add("counter", "agent", f"lost: {type(error).__name__} {error}")
            return None
        self._world.simulation.trace.add("counter", "sees", f"{page.status} {page.url.partition('?')[0][-60:]}")
        if page.status == 500:
            self._world.note("the counter saw a broken page")
        return page if page.status < 500 else None


def _has(page: Page, action: str) -> bool:
    return any(str(form.get("action") or "").endswith(action) for form in page.tree.forms)
