"""An agent's shift at a counter, in a real browser: on a small and a large screen, in Arabic and in English."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest

from gateway.domain.department import Names
from gateway.domain.errors import TransitionError
from gateway.services.centres import centre_people
from tests.browser.test_for_everyone import AXE, violations

pytestmark = pytest.mark.asyncio(loop_scope="session")

CARD = "784-1990-1234567-6"
OWN = "a word of the agent's own"
SCREENS = {"phone": {"width": 375, "height": 812}, "desk": {"width": 1280, "height": 900}}
SAID = {
    "ar": {
        "choose": "اختر كلمة مرور خاصة بك",
        "open": "افتح",
        "paid": "مدفوع",
        "agrees": "الدرج مطابق وأُغلقت الوردية",
        "wrong": "هذا ليس رقم هوية",
    },
    "en": {
        "choose": "Choose a password of your own",
        "open": "Open your shift",
        "paid": "Paid",
        "agrees": "The drawer agrees and the shift is closed",
        "wrong": "This is not the number of an Emirates ID",
    },
}


async def plain(page: Any, selector: str) -> str:
    return re.sub(r"\s+", " ", await page.inner_text(selector)).strip()


class Looking:
    """Looks at every page an agent meets: nothing wider than the screen, nothing axe objects to, a picture kept."""

    def __init__(self, page: Any, artefacts: Any, name: str) -> None:
        self.page = page
        self._artefacts = artefacts
        self._name = name
        self._axe = AXE.read_text()
        self.faults: list[str] = []

    async def at(self, what: str) -> None:
        wide = await self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        self.faults += [f"{what}: wider than the screen"] if wide else []
        self.faults += [f"{what}: {each}" for each in await violations(self.page, self._axe)]
        await self._artefacts.keep(self.page, f"centre-{what}-{self._name}.png")

    async def press(self, button: str) -> None:
        async with self.page.expect_navigation():
            await self.page.click(button)


async def new_agent(site: Any, code: str, *, supervisor: bool = False) -> str:
    """Let an agent in, as two people do; return the first password."""
    names = Names("مركز ديرة لخدمة المتعاملين", "Deira customer happiness centre")
    with contextlib.suppress(TransitionError):  # the other screens' agents work in the same centre
        await centre_people.add_centre(site.deps, "deira", "economy", names, "ngenius")
    await centre_people.propose_agent(site.deps, code, "deira", "عمر الهاشمي", supervisor=supervisor, by="amal")
    return await centre_people.approve_agent(site.deps, code, by="faisal")


async def come_in(looking: Looking, code: str, first: str, language: str) -> None:
    """Sign in, choose a password of one's own, and open the shift."""
    page, said = looking.page, SAID[language]
    await looking.at("sign-in")
    await page.fill("#code", code)
    await page.fill("#password", first)
    await looking.press("main form button")
    assert said["choose"] in await plain(page, "h1")
    await looking.at("password")
    await page.fill("#old", first)
    await page.fill("#new", OWN)
    await looking.press("main form button")
    await page.fill("#code", code)
    await page.fill("#password", OWN)
    await looking.press("main form button")
    assert said["open"] in await plain(page, "main")
    await looking.at("before")
    await page.fill("#float", "٢٠٠" if language == "ar" else "200")
    await looking.press("form[action='/centre/shift'] button")
    await looking.at("desk")


async def take_cash(looking: Looking, reference: str, language: str) -> None:
    """Open a bill for a citizen, with the card first read wrongly, and take the cash."""
    page, said = looking.page, SAID[language]
    await looking.press("a[href='/centre/new']")
    await looking.at("new")
    await page.select_option("#service", "economy.innovation")
    await looking.press("form[action='/centre/new'] button")
    await looking.at("fee")
    await page.fill("#reference", reference)
    await page.fill("#emirates_id", "784-1990-1")
    await looking.press("form[action='/centre/new'] button")
    assert said["wrong"] in await plain(page, "#problem")
    await looking.at("refused")
    await page.fill("#emirates_id", CARD)
    await looking.press("form[action='/centre/new'] button")
    await looking.at("bill")
    await looking.press("form[action$='/cash'] button")
    assert await plain(page, "main h2") == said["paid"]
    await looking.at("paid")


async def give_back(site: Any, looking: Looking, supervisor: Any, artefacts: Any, language: str) -> None:
    """The agent asks for the cash back; a supervisor, in a browser of their own, agrees."""
    await looking.page.fill("#reason", "رخصة أخرى" if language == "ar" else "the wrong licence")
    await looking.press("form[action$='/give-back'] button")
    await looking.at("asked")
    code = f"huda.{language}"
    first = await new_agent(site, code, supervisor=True)
    page = await supervisor.new_page()
    await page.goto(f"{site.address}/centre?language={language}")
    theirs = Looking(page, artefacts, f"{language}-supervisor")
    await come_in(theirs, code, first, language)
    await theirs.press("button[value=approve]")
    assert await page.locator("button[value=approve]").count() == 0
    looking.faults += theirs.faults


@pytest.mark.parametrize("screen", list(SCREENS))
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_an_agent_takes_cash_and_cashes_up(site: Any, browser: Any, artefacts: Any, language: str, screen: str):
    said, code = SAID[language], f"omar.{language}.{screen}"
    first = await new_agent(site, code)
    context = await browser.new_context(
        viewport=SCREENS[screen], reduced_motion="reduce", locale=f"{language}-AE", java_script_enabled=True
    )
    page = await context.new_page()
    looking = Looking(page, artefacts, f"{language}-{screen}")
    await page.goto(f"{site.address}/centre?language={language}")
    await come_in(looking, code, first, language)
    await take_cash(looking, f"WALK-{language}-{screen}", language)
    bill = page.url
    async with page.expect_navigation():
        await page.click("main .acts a[href$='/receipt']")
    await looking.at("receipt")
    if screen == "phone":
        await page.goto(bill)
        supervisor = await browser.new_context(viewport=SCREENS[screen], locale=f"{language}-AE")
        await give_back(site, looking, supervisor, artefacts, language)
        await supervisor.close()

    await page.goto(f"{site.address}/centre/find")
    await page.fill("#asked", "NOBODY-KNOWS")
    await looking.press("form[action='/centre/find'] button")
    await looking.at("find")
    await page.goto(f"{site.address}/centre/count")
    await looking.at("count")
    in_drawer = "200" if screen == "phone" else "210"
    await page.fill("#counted", in_drawer.translate(str.maketrans("012", "٠١٢")) if language == "ar" else in_drawer)
    await looking.press("form[action='/centre/count'] button")
    assert said["agrees"] in await plain(page, "main h1")
    await looking.at("counted")
    await page.goto(f"{site.address}/centre")
    await looking.press("form[action='/centre/sign-out'] button")
    assert page.url.endswith("/centre/sign-in")
    await context.close()
    assert looking.faults == []
