"""A fee paid by mobile wallet, as a citizen sees it: a number, then the phone decides."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 375, "height": 812}
SAID = {
    "ar": {
        "number": "أدخل رقم الهاتف",
        "approve": "وافق من هاتفك",
        "received": "تم استلام الدفع",
        "failed": "لم تتم عملية الدفع",
    },
    "en": {
        "number": "Enter the mobile number of your wallet",
        "approve": "Approve on your phone",
        "received": "Payment received",
        "failed": "Your payment did not go through",
    },
}


async def plain(page: Any, selector: str) -> str:
    return re.sub(r"\s+", " ", await page.inner_text(selector)).strip()


async def ask_the_wallet(page: Any, link: str, number: str) -> None:
    await page.goto(f"{link}?method=mobile")
    await page.fill("#mobile", number)
    await page.click("#pay .acts button")
    await page.wait_for_url("**/result**")


async def decide_on_the_phone(site: Any, context: Any, decision: str) -> None:
    """Press what the payer presses on the phone, on a page of its own.

    The page stays open until its context is closed: Chromium drops the order to close a page while it changes to the
    next one (crbug.com/536385539), and then the order is waited for without end.
    """
    phone = await context.new_page()
    await phone.goto(f"{site.wallet}/phone")
    async with phone.expect_navigation():
        await phone.locator(f"button[value={decision}]").last.click()


async def until(page: Any, selector: str, said: str) -> None:
    """Look again as a payer does, by the page's own button."""
    for _ in range(10):
        if said in await plain(page, "main"):
            break
        await page.locator("main .acts a").first.click()
        await page.wait_for_load_state()
    assert said in await plain(page, selector)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_citizen_pays_by_wallet(site: Any, browser: Any, artefacts: Any, language: str, *, scripts: bool):
    link = await site.new_link(language=language)
    context = await browser.new_context(
        viewport=PHONE, reduced_motion="reduce", java_script_enabled=scripts, locale=f"{language}-AE"
    )
    page = await context.new_page()
    await page.goto(f"{link}?method=mobile")
    await page.click("#pay .acts button")
    assert SAID[language]["number"] in await plain(page, "#problem")
    await ask_the_wallet(page, link, "٠٥٠ ١٢٣ ٤٥٦٧" if language == "ar" else "050 123 4567")
    assert await plain(page, "h1") == SAID[language]["approve"]
    await artefacts.keep(page, f"wallet-approve-{language}.png")
    await decide_on_the_phone(site, context, "approve")
    await until(page, "h1", SAID[language]["received"])
    assert page.url.partition("?")[0].endswith("/receipt")
    await artefacts.keep(page, f"wallet-receipt-{language}.png")
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_wallet_that_declines_keeps_the_bill_payable(site: Any, browser: Any, artefacts: Any, language: str):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE")
    page = await context.new_page()
    await ask_the_wallet(page, link, "+971501234568")
    await decide_on_the_phone(site, context, "insufficientFunds")
    await until(page, "main", SAID[language]["failed"])
    await artefacts.keep(page, f"wallet-declined-{language}.png")
    await ask_the_wallet(page, link, "+971501234568")
    await decide_on_the_phone(site, context, "approve")
    await until(page, "h1", SAID[language]["received"])
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_phone_that_is_left_alone_leaves_the_payment_undecided(
    site: Any, browser: Any, artefacts: Any, language: str
):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE")
    page = await context.new_page()
    await ask_the_wallet(page, link, "+971501234569")
    await page.locator("main .acts a").first.click()
    await page.wait_for_load_state()
    assert await plain(page, "h1") == SAID[language]["approve"]
    status = await site.owner.fetchval("SELECT status FROM gateway.attempt ORDER BY id DESC LIMIT 1")
    assert status == "pending"
    await artefacts.keep(page, f"wallet-left-{language}.png")
    await context.close()
