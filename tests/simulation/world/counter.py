"""A service centre: an agent who takes cash and cards for one department's bills, and hands refunds of cash out again.

The agent counts the drawer at the end of the day and brings its takings to the bank; a supervisor agrees before cash
leaves the drawer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from gateway.domain.department import Names
from gateway.services.centres import centre_people
from ledger.money import Money
from ops.demo.form_browser import FormBrowser, Page, WayLostError
from ops.wiring import Parts
from tests.simulation.world.product import URL
from tests.simulation.world.providers import ADYEN

if TYPE_CHECKING:
    from tests.simulation.world.world import World

DEPARTMENT: Final = "dept0"
_CENTRE: Final = "deira"
_AGENT: Final = "omar"
_SUPERVISOR: Final = "huda"
_PASSWORD: Final = "a word of the agent's own"
_CARD: Final = "784-1990-1234567-6"
_FLOAT_MINOR: Final = 5_000_00
_CASH: Final = ("Cash", "نقد")
_TERMINAL: Final = ("Card at the counter", "بطاقة عند الشباك")
_HOLDS_LESS: Final = "The drawer holds less than this"
_UNDER_WAY: Final = "A payment of this bill is under way"
_UNDER_WAY_MAX: Final = 30  # looks in quiet times, longer than a worker needs for what lies with us
_TRIES: Final = 400
_PATIENCE_S: Final = 60.0
_REFUSED: Final = 422
_REFUSES_SHARE: Final = 0.25
_AGREES_TWICE_SHARE: Final = 0.4
_LOST: Final = (aiohttp.ClientError, TimeoutError, OSError, WayLostError)


@dataclass(frozen=True, slots=True)
class Slip:
    """What the card terminal printed."""

    reference: str
    approval_code: str


class Counter:
    """What lies in the drawer is what the agent took for bills whose receipt says cash: this rail's own book."""

    def __init__(self, world: World, stream: random.Random) -> None:
        self._world = world
        self._stream = stream
        self._turn = asyncio.Lock()
        self._password = ""
        self._is_shut = False
        self._process = world.simulation.process("counter")
        self._drawer_minor = 0  # beside the float
        self.taken: dict[str, int] = {}
        self.given: dict[str, int] = {}  # by refund
        self._charges: dict[str, asyncio.Task[tuple[str, str]]] = {}  # by bill: whose slip is still in hand
        self.float_spent_minor = 0

    @property
    def is_open(self) -> bool:
        return bool(self._password) and not self._is_shut

    async def found(self, parts: Parts) -> None:
        """Set up the centre; two people let its agent in, and its supervisor."""
        names = Names("مركز ديرة", "Deira centre")
        terminals = ADYEN.name if self._world.plan.terminals else None
        await centre_people.add_centre(parts.gateway, _CENTRE, DEPARTMENT, names, terminals)
        for code in (_AGENT, _SUPERVISOR):
            supervisor = code == _SUPERVISOR
            await centre_people.propose_agent(parts.gateway, code, _CENTRE, code, supervisor=supervisor, by="amal")
            first = await centre_people.approve_agent(parts.gateway, code, by="faisal")
            session = await centre_people.sign_in(parts.gateway, code, first)
            agent = await centre_people.signed_in(parts.gateway, session)
            assert agent is not None
            await centre_people.change_password(parts.gateway, agent, first, _PASSWORD)
        self._password = _PASSWORD

    async def receive(self, intent: dict[str, Any], *, by_card: bool = False) -> None:
        """Serve a citizen, one after the other."""
        async with self._turn:
            if self.is_open:
                await self._world.simulation.spawn(self._process, self._serve(intent, by_card=by_card), "counter")

    async def _serve(self, intent: dict[str, Any], *, by_card: bool) -> None:
        """Take cash or a card for one bill; whatever breaks, look at the bill again."""
        async with aiohttp.ClientSession() as session:
            browser = FormBrowser(session)
            bill = f"{URL}/centre/bills/{intent['id']}"
            under_way = 0
            for _ in range(_TRIES):
                page = await self._look(lambda: self._step(browser, bill, intent, by_card=by_card))
                if page is None:  # it is out of order: no agent presses forty times in a second
                    await asyncio.sleep(self._stream.uniform(2, 20))
                    continue
                if receipt := page.links("/receipt"):
                    await self._keep(browser, receipt[-1], intent)
                    return
                if page.status == 200 and not _has(page, "/identity") and not _has(page, "/cash"):
                    await self._take_back(intent)
                    return  # it can no longer be paid
                under_way = under_way + 1 if _UNDER_WAY in page.words() and not self._world.chaos.on else 0
                if under_way > _UNDER_WAY_MAX:  # the citizen began online what a provider leaves undecided for hours
                    await self._take_back(intent)
                    self._world.simulation.trace.happened("a counter sent away whose payment was under way elsewhere")
                    return
                await asyncio.sleep(self._stream.uniform(2, 20))
            self._world.note(f"the counter never learned what became of {intent['id']}")

    async def hand_out(self, intent: dict[str, Any], refund: dict[str, Any]) -> None:
        """Serve a citizen who comes for a refund of cash."""
        async with self._turn:
            if self.is_open:
                await self._world.simulation.spawn(self._process, self._hand_out(intent, refund), "hand out")

    async def _hand_out(self, intent: dict[str, Any], refund: dict[str, Any]) -> None:
        """Ask, let the supervisor decide, and give the cash once the citizen's receipt says that it was given."""
        bill = f"{URL}/centre/bills/{intent['id']}"
        async with aiohttp.ClientSession() as one, aiohttp.ClientSession() as other:
            agent, supervisor = FormBrowser(one), FormBrowser(other)
            before: int | None = None
            for _ in range(_TRIES):
                if before is None:
                    before = await self._given_back(agent, bill)
                elif (page := await self._look(lambda: self._ask(agent, bill, refund["id"]))) is not None:
                    if _HOLDS_LESS in page.words():
                        self._world.simulation.trace.happened("a drawer held too little to hand a refund out")
                        return
                    await self._look(lambda: self._decide(supervisor, refund["id"]))
                    now = await self._given_back(agent, bill)
                    if now is not None and now > before:
                        self.given[refund["id"]] = refund["amount"]["amount"]
                        self._drawer_minor -= refund["amount"]["amount"]
                        self._world.simulation.trace.happened("cash was handed out by two people")
                        return
                await asyncio.sleep(self._stream.uniform(2, 20))
            self._world.note(f"the counter never learned whether {refund['id']} was handed out")

    async def _ask(self, browser: FormBrowser, bill: str, refund_id: str) -> Page:
        """Ask to hand a refund out, where the bill offers it; else somebody has it in hand, or it is done."""
        page = await self._open(browser, bill, _AGENT)
        if any(form.fields.get("refund") == refund_id for form in page.tree.forms):
            values = {"refund": refund_id, "emirates_id": _CARD}
            page = await browser.submit(page, values, action="/hand-out")
            if page.status == _REFUSED and _HOLDS_LESS not in page.words():
                await self._open_shift(browser)
        return page

    async def _decide(self, browser: FormBrowser, refund_id: str) -> Page:
        """Agree or refuse, where it is asked; some press twice at once."""
        page = await self._open(browser, f"{URL}/centre", _SUPERVISOR)
        action, trace = f"/centre/hand-outs/{refund_id}", self._world.simulation.trace
        if not _has(page, action):
            return page
        if self._stream.random() < _REFUSES_SHARE:
            trace.happened("a supervisor refused to hand cash out")
            return await browser.submit(page, {}, action=action, button="refuse")
        if self._stream.random() < _AGREES_TWICE_SHARE:
            trace.happened("a supervisor agreed twice at once")
            pressed = (browser.submit(page, {}, action=action, button="approve") for _ in range(2))
            return (await asyncio.gather(*pressed))[-1]
        return await browser.submit(page, {}, action=action, button="approve")

    async def _given_back(self, browser: FormBrowser, bill: str) -> int | None:
        """Count on a bill's receipt what was given back to its payer; None where the page does not come."""
        page = await self._look(lambda: self._open(browser, bill, _AGENT))
        if page is None or not (receipt := page.links("/receipt")):
            return None
        shown = await self._look(lambda: browser.open(f"{receipt[-1]}?language=en"))
        if shown is None or shown.status != 200:
            return None
        steps = shown.tree.xpath("//li[contains(@class, 'done')]")
        return sum("given back to you" in step.text_content() for step in steps)

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
            counted = Money(_FLOAT_MINOR + self._drawer_minor, "AED")
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
                await self._world.outside.deposit(row["deposit_reference"], self._drawer_minor)
            self.float_spent_minor += max(0, -self._drawer_minor)
            self._drawer_minor = 0

    async def _step(self, browser: FormBrowser, bill: str, intent: dict[str, Any], *, by_card: bool) -> Page:
        """Do the next thing the page of the bill asks for: sign in, open a shift, show a card, take cash."""
        page = await self._open(browser, bill, _AGENT)
        if _has(page, "/identity"):
            page = await browser.submit(page, {"emirates_id": _CARD}, action="/identity")
        if by_card and _has(page, "/slip"):
            slip = await self._charge(intent)
            values = {"terminal_reference": slip.reference, "approval_code": slip.approval_code}
            page = await browser.submit(page, values, action="/slip")
        elif not by_card and _has(page, "/cash"):
            page = await browser.submit(page, {}, action="/cash")
        if page.status == _REFUSED:  # perhaps the shift was never opened: its request may have been lost
            await self._open_shift(browser)
        return page

    async def _open(self, browser: FormBrowser, address: str, code: str) -> Page:
        """Open a page of the counters, signing in where it asks for it."""
        page = await browser.open(address)
        if _has(page, "/sign-in"):
            await browser.submit(page, {"code": code, "password": self._password}, action="/sign-in")
            if code == _AGENT:
                await self._open_shift(browser)
            page = await browser.open(address)
        return page

    async def _open_shift(self, browser: FormBrowser) -> None:
        desk = await browser.open(f"{URL}/centre")
        if _has(desk, "/centre/shift"):
            await browser.submit(desk, {"float": f"{_FLOAT_MINOR // 100}"}, action="/centre/shift")

    async def _charge(self, intent: dict[str, Any]) -> Slip:
        """Let the terminal charge the citizen's card, once for a bill: its slip is kept until the bill is settled."""
        if intent["id"] not in self._charges:
            charging = self._world.outside.charge_at_terminal(intent["amount"]["amount"], intent["amount"]["currency"])
            self._charges[intent["id"]] = self._world.simulation.spawn(None, charging, "terminal")
        # An agent who loses patience with our page does not tear the slip out of the terminal.
        return Slip(*await asyncio.shield(self._charges[intent["id"]]))

    async def _take_back(self, intent: dict[str, Any]) -> None:
        """Cancel at the terminal what it charged for a bill that was paid otherwise, or cannot be paid any more."""
        if (charge := self._charges.pop(intent["id"], None)) is None:
            return
        slip = Slip(*await charge)
        await self._world.simulation.spawn(None, self._world.outside.void_at_terminal(slip.reference), "terminal")
        self._world.simulation.trace.happened("a terminal took back what it had charged")

    async def _keep(self, browser: FormBrowser, receipt: str, intent: dict[str, Any]) -> None:
        """Keep the money where the receipt says that this bill was paid so; else give it back."""
        for _ in range(_TRIES):
            page = await self._look(lambda: browser.open(receipt))
            if page is not None and page.status == 200:
                if any(word in page.words() for word in _TERMINAL):
                    self._charges.pop(intent["id"], None)
                    self._world.simulation.trace.happened("a bill was paid at a card terminal")
                elif any(word in page.words() for word in _CASH):
                    self.taken[intent["id"]] = intent["amount"]["amount"]
                    self._drawer_minor += intent["amount"]["amount"]
                    self._world.simulation.trace.happened("a bill was paid in cash")
                await self._take_back(intent)
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
