"""The way of one fee as a citizen clicks it, in both languages, with the outcomes a bank can give."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 375, "height": 812}
APPROVED, NO_MONEY, CHALLENGE, PENDING = "4111111111111111", "4000000000009995", "4000000000003220", "4000000000000077"
SAID = {
    "ar": {
        "pay": "ادفع AED 1,250.50",
        "received": "تم استلام الدفع",
        "none": "لم يُخصم أي مبلغ.",
        "failed": "لم تتم عملية الدفع",
        "again": "لا تدفع مرة أخرى",
        "cancelled": "أُلغي الدفع",
        "genuine": "إيصال صحيح",
    },
    "en": {
        "pay": "Pay AED 1,250.50",
        "received": "Payment received",
        "none": "No money was taken.",
        "failed": "Your payment did not go through",
        "again": "Do not pay again",
        "cancelled": "Payment cancelled",
        "genuine": "Genuine receipt",
    },
}


async def plain(page: Any, selector: str) -> str:
    return re.sub(r"\s+", " ", await page.inner_text(selector)).strip()


async def enter_card(page: Any, number: str) -> None:
    """Fill in the acquirer's own page and, where it asks, the bank's challenge."""
    await page.wait_for_url("**/page/**")
    await page.fill("#card", number)
    await page.click("#pay")
    if number == CHALLENGE:
        await page.fill("#code", "123456")
        await page.click("#confirm")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_citizen_pays_by_card(site: Any, browser: Any, artefacts: Any, language: str, scripts: bool):  # noqa: FBT001
    link = await site.new_link(language=language)
    other_sites: list[str] = []
    complaints: list[str] = []
    context = await browser.new_context(
        viewport=PHONE, reduced_motion="reduce", java_script_enabled=scripts, locale=f"{language}-AE"
    )
    page = await context.new_page()
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning") and message.location["url"].startswith(site.address)
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    ours, theirs = site.address, site.simulator
    page.on("request", lambda r: None if r.url.startswith((ours, theirs)) else other_sites.append(r.url))

    await page.goto(link)
    assert await plain(page, "#pay .acts button") == SAID[language]["pay"]
    await artefacts.keep(page, f"pay-{language}.png")
    await page.fill("#email", "fatima@example.ae")
    await page.fill("#mobile", "٠٥٠ ١٢٣ ٤٥٦٧")
    await page.click("#pay .acts button")
    await enter_card(page, CHALLENGE)
    await page.wait_for_url("**/receipt")
    assert await plain(page, "h1") == SAID[language]["received"]
    said = await plain(page, "main")
    assert "ECONOMY-" in said
    assert "1,250.50" in said
    assert "fatima@example.ae" in said
    assert "Visa •••• 3220" in said
    await artefacts.keep(page, f"receipt-{language}.png")

    # Coming back, reloading and pressing Pay once more change nothing.
    await page.goto(link)
    assert await page.query_selector("#pay") is None
    assert await page.query_selector("a[href$='/receipt']")
    charges = await site.owner.fetchval(
        "SELECT count(*) FROM gateway.attempt WHERE intent = (SELECT id FROM gateway.intent ORDER BY id DESC LIMIT 1)"
    )
    assert charges == 1

    # Anyone can check the receipt; the page shows nobody's data.
    await page.goto(link + "/receipt")
    await page.click("a.code")
    assert await plain(page, "h1") == SAID[language]["genuine"]
    shown = await page.content()
    assert "fatima" not in shown
    assert "TL-2026" not in shown
    await artefacts.keep(page, f"verify-{language}.png")
    assert other_sites == []
    assert complaints == []
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_decline_keeps_the_same_page_and_the_next_card_pays(
    site: Any, browser: Any, artefacts: Any, language: str
):
    link = await site.new_link(language=language)
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE")
    await page.goto(link)
    await page.click("#pay .acts button")
    await enter_card(page, NO_MONEY)
    await page.wait_for_selector("#problem")
    assert page.url == link
    problem = await plain(page, "#problem")
    assert SAID[language]["failed"] in problem
    assert SAID[language]["none"] in problem
    assert (await page.title()).startswith({"ar": "خطأ:", "en": "Error:"}[language])
    assert await page.evaluate("document.activeElement.id") == "problem"
    assert await plain(page, "#pay .acts button") == SAID[language]["pay"]
    await artefacts.keep(page, f"declined-{language}.png")
    await page.click("#pay .acts button")
    await enter_card(page, APPROVED)
    await page.wait_for_url("**/receipt")
    await page.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_bank_that_does_not_answer_is_waited_for(site: Any, browser: Any, artefacts: Any, language: str):
    link = await site.new_link(language=language, payer_email="fatima@example.ae")
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE")
    await page.goto(link)
    await page.click("#pay .acts button")
    await enter_card(page, PENDING)
    await page.wait_for_selector(".end", timeout=25_000)
    assert "/result" in page.url
    assert SAID[language]["again"] in await plain(page, "main")
    assert await page.query_selector("meta[http-equiv]") is None
    await artefacts.keep(page, f"checking-{language}.png")
    reference = await site.owner.fetchval("SELECT id FROM gateway.attempt ORDER BY id DESC LIMIT 1")
    async with site.session.post(
        f"{site.simulator}/simulator/resolve", json={"reference": reference, "state": "CAPTURED"}
    ) as answer:
        assert answer.status == 200, await answer.text()
    # With scripts the page moves on by itself once the bank has said yes.
    await page.wait_for_url("**/receipt", timeout=15_000)
    await page.close()


async def test_a_lost_callback_costs_a_second_not_a_minute(site: Any, browser: Any):
    await site.fault(call="callback", fault="none")
    link = await site.new_link(language="en")
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale="en-GB")
    await page.goto(link)
    await page.click("#pay .acts button")
    await enter_card(page, APPROVED)
    await page.wait_for_url("**/receipt", timeout=14_000)
    await page.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_cancelling_says_that_nothing_was_taken(site: Any, browser: Any, artefacts: Any, language: str):
    link = await site.new_link(language=language)
    page = await browser.new_page(
        viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE", java_script_enabled=False
    )
    await page.goto(link)
    await page.click("form[action$='/cancel'] button")
    assert await plain(page, "h1") == SAID[language]["cancelled"]
    assert SAID[language]["none"] in await plain(page, "main")
    assert await page.get_attribute(".acts a", "href") == "https://economy.example/licences"
    await artefacts.keep(page, f"cancelled-{language}.png")
    await page.close()


async def test_the_language_switch_keeps_what_was_typed(site: Any, browser: Any):
    link = await site.new_link(language="ar")
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale="ar-AE", java_script_enabled=False)
    await page.goto(link)
    await page.fill("#email", "fatima@example")
    await page.click(".tongue")
    assert await page.get_attribute("html", "dir") == "ltr"
    assert await page.input_value("#email") == "fatima@example"
    assert await page.query_selector("#problem") is None
    assert "fatima" not in page.url
    # Enter in a field pays; it does not press the language button, which stands before it.
    await page.fill("#email", "x@")
    await page.press("#email", "Enter")
    assert await page.get_attribute("html", "dir") == "ltr"
    assert await page.get_attribute("#email", "aria-invalid") == "true"
    assert (await page.title()).startswith("Error:")
    await page.close()


async def test_the_way_by_keyboard_alone(site: Any, browser: Any):
    link = await site.new_link(language="en")
    page = await browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    await page.goto(link)
    stops: list[str] = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(
            "(e => ({name: e.className || e.id || e.tagName, outline: parseFloat(getComputedStyle(e).outlineWidth)}))"
            "(document.activeElement)"
        )
        stops.append(stop["name"])
        assert stop["outline"] >= 2, stop
        if stop["name"] == "button" and "Pay" in await page.evaluate("document.activeElement.innerText"):
            break
    assert stops[0] == "skip"
    assert stops[-1] == "button"
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/page/**")
    await page.close()


async def test_two_tabs_and_a_double_click_charge_once(site: Any, browser: Any):
    link = await site.new_link(language="en")
    context = await browser.new_context(viewport=PHONE, reduced_motion="reduce", locale="en-GB")
    tabs = [await context.new_page() for _ in range(2)]
    await asyncio.gather(*(tab.goto(link) for tab in tabs))
    await asyncio.gather(*(tab.dblclick("#pay .acts button", no_wait_after=True) for tab in tabs))
    await asyncio.gather(*(tab.wait_for_url("**/page/**", timeout=20_000) for tab in tabs))
    assert tabs[0].url == tabs[1].url
    await enter_card(tabs[0], APPROVED)
    await tabs[0].wait_for_url("**/receipt")
    await context.close()
