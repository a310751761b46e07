"""Citizens: they pay, click twice, open two tabs, go back, give up, and pay again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

import aiohttp

from ops.demo.form_browser import FormBrowser, Page, WayLostError
from tests.simulation.trace import Trace
from tests.simulation.world import transfers
from tests.simulation.world.habits import Habit
from tests.simulation.world.providers import ADYEN, ALTAREQ, CARD_HOSTS, DARAJA, GSMA, PROVIDERS

GOOD_CARD: Final = "4111111111111111"
CHALLENGE_CARD: Final = "4000000000003220"
SILENT_CARD: Final = "4000000000000341"
PENDING_CARD: Final = "4000000000000077"
_CODE: Final = "123456"
_PATIENCE_S: Final = 60.0
_TRIES: Final = 6
_LOOKS_AT_PHONE: Final = 14

_EMPTY_ACCOUNT: Final = "AE980339000000000000012"
_GOOD_ACCOUNTS: Final = ("AE280339000000000000011", "AE280339000000000000011", "AE710339000000000000013")
# From which account a payer consents first; none of them means that they decline.
_ACCOUNTS: Final[dict[Habit, tuple[str, ...]]] = {
    Habit.DECLINED_FIRST: ("",),
    Habit.SECOND_CARD: (_EMPTY_ACCOUNT,),
    Habit.BACK: _GOOD_ACCOUNTS[:1],
    Habit.IMPATIENT: _GOOD_ACCOUNTS,
}

# What approves and what refuses a request, by the phone that shows it.
_DECISIONS: Final = {GSMA.host: ("approve", "requestDeclined"), DARAJA.host: ("approve", "1032")}

LOST: Final = (aiohttp.ClientError, TimeoutError, OSError, WayLostError)


class Phone(Protocol):
    """Where a wallet's requests to this payer are shown, and answered."""

    def prompts(self, mobile: str) -> list[tuple[str, str]]: ...


@dataclass(slots=True)
class Citizen:
    """One payer of one intent. `told_paid` is set when a page of ours has said so."""

    name: str
    intent_id: str
    checkout_url: str
    habit: Habit
    stream: random.Random
    trace: Trace
    language: str = "en"
    late_by_s: float = 0.0
    mobile: str = ""  # pays by wallet when there is one
    phone: Phone | None = None
    transfers: bool = False  # pays by a transfer from their own bank
    bank: str = ""  # pays on the page of this bank when there is one
    approved: str = ""  # the first request this payer approved on their phone
    told_paid: bool = False
    pages_broken: int = 0
    seen: list[int] = field(default_factory=list)

    async def live(self) -> None:
        """Do what the habit says; whatever breaks, a citizen tries again and then gives up."""
        self.trace.add(self.name, "citizen", f"{self.habit} {self.intent_id}")
        async with aiohttp.ClientSession() as session:
            browser = FormBrowser(session, language=self.language)
            await self._pause(1, 20)
            if self.phone is not None:
                await asyncio.gather(self._pay_by_wallet(browser), self._watch_phone(self.phone))
                await self._look(browser)
                return
            if self.transfers:
                await self._pay_by_transfer(browser)
            elif self.bank:
                await self._pay_at_bank(browser)
            else:
                await self._ways().get(self.habit, self._plainly)(browser)
            await self._look(browser)

    def _ways(self) -> dict[Habit, Callable[[FormBrowser], Awaitable[object]]]:
        return {
            Habit.TWO_TABS: self._in_two_tabs,
            Habit.DECLINED_FIRST: self._declined_first,
            Habit.SECOND_CARD: self._two_cards_on_one_page,
            Habit.IMPATIENT: self._on_every_page,
            Habit.BACK: self._back_and_again,
            Habit.ABANDON: self._abandon,
            Habit.LATE: self._late,
            Habit.CANCEL: self._give_it_up,
        }

    async def _plainly(self, browser: FormBrowser) -> None:
        await self._pay(browser, self._card())

    async def _in_two_tabs(self, browser: FormBrowser) -> None:
        async with aiohttp.ClientSession() as other:
            second = FormBrowser(other, language="ar")
            await asyncio.gather(self._pay(browser, GOOD_CARD), self._pay(second, GOOD_CARD))

    async def _declined_first(self, browser: FormBrowser) -> None:
        await self._pay(browser, None)
        await self._pause(5, 30)
        await self._pay(browser, GOOD_CARD)

    async def _two_cards_on_one_page(self, browser: FormBrowser) -> None:
        if (page := await self._persist(lambda: self._to_card_page(browser))) is not None:
            await self._persist(lambda: self._enter_card(browser, page, None))
            await self._pause(5, 60)
            await self._persist(lambda: self._enter_card(browser, page, GOOD_CARD))

    async def _on_every_page(self, browser: FormBrowser) -> None:
        """Press pay again and again, then pay on every page that ever opened, the last one first."""
        opened = [await self._persist(lambda: self._to_card_page(browser)) for _ in range(4)]
        for page in reversed([page for page in opened if page is not None]):
            await self._persist(lambda page=page: self._enter_card(browser, page, GOOD_CARD))  # type: ignore[misc]

    async def _back_and_again(self, browser: FormBrowser) -> None:
        await self._persist(lambda: self._to_card_page(browser))
        await self._pause(1, 10)
        await self._pay(browser, GOOD_CARD)
        await self._pause(1, 10)
        await self._pay(browser, GOOD_CARD)

    async def _abandon(self, browser: FormBrowser) -> None:
        await self._persist(lambda: self._to_card_page(browser))

    async def _late(self, browser: FormBrowser) -> None:
        page = await self._persist(lambda: self._to_card_page(browser))
        await asyncio.sleep(self.late_by_s)
        if page is not None:
            await self._persist(lambda: self._enter_card(browser, page, GOOD_CARD))

    async def _give_it_up(self, browser: FormBrowser) -> None:
        await self._persist(lambda: self._to_card_page(browser))
        await self._persist(lambda: self._cancel(browser))

    def _card(self) -> str:
        return self.stream.choice((GOOD_CARD, GOOD_CARD, GOOD_CARD, CHALLENGE_CARD, SILENT_CARD, PENDING_CARD))

    async def _pause(self, low_s: float, high_s: float) -> None:
        await asyncio.sleep(self.stream.uniform(low_s, high_s))

    async def _persist(self, act: Callable[[], Awaitable[Page]]) -> Page | None:
        """Try a few times, as people do: reload, wait, reload."""
        for turn in range(_TRIES):
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    page = await act()
            except LOST as error:
                self.trace.add(self.name, "citizen", f"lost: {type(error).__name__} {error}")
            else:
                self._note(page)
                if page.status < 500:
                    return page
            await self._pause(1, 5 * (turn + 1))
        return None

    def _note(self, page: Page) -> None:
        self.seen.append(page.status)
        self.trace.add(self.name, "sees", f"{page.status} {page.url.partition('?')[0][-60:]}")
        if page.status == 500:
            self.pages_broken += 1
        if page.url.partition("?")[0].endswith("/receipt") and page.status == 200:
            self.told_paid = True

    async def _to_card_page(self, browser: FormBrowser, method: str = "card") -> Page:
        page = await browser.open(f"{self.checkout_url}?method={method}")
        self._note(page)
        try:
            if self.habit is Habit.DOUBLE_CLICK:
                both = await asyncio.gather(*(self._press_pay(browser, page) for _ in range(2)))
                return both[-1]
            return await self._press_pay(browser, page)
        except WayLostError:
            pass
        if onward := page.links("/continue"):
            return await browser.open(onward[0])
        if _asks_to_go_on(page, urlsplit(self.checkout_url).path):
            return await browser.submit(page, {}, action=urlsplit(self.checkout_url).path)
        return page  # nothing to pay any more, or nothing just now

    async def _press_pay(self, browser: FormBrowser, page: Page) -> Page:
        """Press the button of the form that asks where the receipt should go, and no other."""
        values = {"email": "payer@mail.example"}
        if self.mobile:
            values["mobile"] = self.mobile
        if self.bank:
            values["bank"] = self.bank
        return await browser.submit(page, values, action="/pay/")

    async def _pay(self, browser: FormBrowser, card: str | None) -> None:
        page = await self._persist(lambda: self._to_card_page(browser))
        if page is None or _host(page.url) not in CARD_HOSTS:
            return
        await self._pause(5, 40)
        await self._persist(lambda: self._enter_card(browser, page, card))
        if self.habit is Habit.RELOAD:
            await self._persist(lambda: browser.open(self.checkout_url))

    async def _enter_card(self, browser: FormBrowser, page: Page, card: str | None) -> Page:
        """Enter a card on the provider's page; without one, a card that this provider declines."""
        provider = next((each for each in PROVIDERS.values() if each.host == _host(page.url)), None)
        if provider is None:
            return page  # there was nothing to pay any more
        number = self.stream.choice(provider.declined_cards) if card is None else card
        fields = {"card": number}
        if provider is not ADYEN:
            fields |= {"expiry": "12/30", "cvv": "123", "holder": "A Citizen"}
        try:
            after = await browser.submit(page, fields)
        except WayLostError:
            after = await browser.open(page.url)
        try:
            return await browser.submit(after, {"code": _CODE}, action="/challenge")
        except WayLostError:
            return after

    async def _pay_by_wallet(self, browser: FormBrowser) -> None:
        """Ask for the request on the phone; who sees nothing of it asks again."""
        await self._persist(lambda: self._to_card_page(browser, "mobile"))
        if self.habit in (Habit.TWO_TABS, Habit.DOUBLE_CLICK, Habit.BACK, Habit.RELOAD, Habit.IMPATIENT):
            await self._pause(10, 100)
            await self._persist(lambda: self._to_card_page(browser, "mobile"))
        await self._pause(60, 200)
        if not self.told_paid:
            await self._persist(lambda: self._to_card_page(browser, "mobile"))

    async def _pay_by_transfer(self, browser: FormBrowser) -> None:
        """Send what the page says from one's own bank; who wrote it badly sends it again, or what is missing."""
        page = await self._persist(lambda: self._to_card_page(browser, "bank_transfer"))
        slip = transfers.read_slip(page) if page is not None else None
        if slip is None or self.habit is Habit.ABANDON:
            return
        await self._pause(20, 200)
        if self.habit is Habit.CANCEL:  # and sends it all the same
            await self._persist(lambda: self._cancel(browser))
        if self.habit is Habit.LATE:
            await asyncio.sleep(self.late_by_s)
        mistake = transfers.MISTAKES.get(self.habit, "none")
        await self._persist(lambda: transfers.send(browser, slip, mistake))
        if (rest := transfers.missing(slip, mistake)) is not None:
            await self._pause(60, 300)
            await self._persist(lambda: transfers.send(browser, rest))

    async def _pay_at_bank(self, browser: FormBrowser) -> None:
        """Consent on the bank's page, from one account or another; some refuse first, or come back and do it again."""
        for account in (*_ACCOUNTS.get(self.habit, ()), self.stream.choice(_GOOD_ACCOUNTS)):
            page = await self._persist(lambda: self._to_card_page(browser, "bank"))
            if page is None or _host(page.url) != ALTAREQ.host or self.habit is Habit.ABANDON:
                return
            await self._pause(5, 50)
            if self.habit is Habit.LATE:
                await asyncio.sleep(self.late_by_s)
            await self._persist(lambda page=page, account=account: _consent(browser, page, account))  # type: ignore[misc]
            await self._pause(5, 200)
        if self.habit is Habit.CANCEL:
            await self._persist(lambda: self._cancel(browser))

    async def _watch_phone(self, phone: Phone) -> None:
        """Approve what the phone asks, as people do who want to have paid; some refuse first, some never look."""
        refusals = 1 if self.habit is Habit.DECLINED_FIRST else 0
        if self.habit is Habit.ABANDON:
            return
        async with aiohttp.ClientSession() as session:
            browser = FormBrowser(session)
            for _ in range(_LOOKS_AT_PHONE):
                await self._pause(5, 60)
                for place, prompt in phone.prompts(self.mobile):
                    approves, refuses = _DECISIONS[_host(place)]
                    again = _host(place) == DARAJA.host and self.approved not in ("", prompt)
                    # Nobody approves a second request for the same money; only M-Pesa can have sent two.
                    decision = refuses if refusals or again else approves
                    self.approved = self.approved or (prompt if decision == approves else "")
                    refusals = 0
                    await self._persist(lambda p=prompt, at=place, d=decision: self._answer(browser, at, p, d))  # type: ignore[misc]

    async def _answer(self, browser: FormBrowser, place: str, prompt: str, decision: str) -> Page:
        page = await browser.open(place)
        try:
            return await browser.submit(page, {}, action=prompt, button=decision)
        except WayLostError:
            return page  # somebody was quicker, or its time is over

    async def _cancel(self, browser: FormBrowser) -> Page:
        page = await browser.open(self.checkout_url)
        try:
            return await browser.submit(page, {}, action="/cancel")
        except WayLostError:
            return page

    async def _look(self, browser: FormBrowser) -> None:
        """Come back once more, later, and read what the page says."""
        await self._pause(20, 120)
        await self._persist(lambda: browser.open(self.checkout_url + "/result"))


async def _consent(browser: FormBrowser, page: Page, account: str) -> Page:
    """Approve on the bank's page, or decline where no account is named."""
    if not account:
        return await browser.submit(page, {}, button="decline")
    return await browser.submit(page, {"account": account}, button="approve")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _asks_to_go_on(page: Page, path: str) -> bool:
    """Tell whether a page offers to take up a payment whose request may have been lost: a form of its token alone."""
    return any((form.get("action") or "") == path and set(form.fields.keys()) == {"csrf"} for form in page.tree.forms)
