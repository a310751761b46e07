"""A fee paid from a bank account, as a citizen clicks it: a bank is chosen, the consent given on its own page."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 375, "height": 812}
POOR, SLOW = "AE980339000000000000012", "AE710339000000000000013"
SAID = {
    "ar": {
        "received": "تم استلام الدفع",
        "choose": "اختر البنك الذي تتعامل معه",
        "failed": "لم تتم عملية الدفع",
        "not_yet": "لم تدفع بعد",
        "again": "لا تدفع مرة أخرى",
        "bank": "بنك اللؤلؤ التجاري",
    },
    "en": {
        "received": "Payment received",
        "choose": "Choose your bank",
        "failed": "Your payment did not go through",
        "not_yet": "You have not paid yet",
        "again": "Do not pay again",
        "bank": "Pearl Commercial Bank",
    },
}


async def plain(page: Any, selector: str) -> str:
    return re.sub(r"\s+", " ", await page.inner_text(selector)).strip()


async def fits(page: Any) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def choose_bank(page: Any, link: str, code: str = "pearl") -> None:
    """Choose to pay from a bank account, then the bank, and arrive at its page."""
    await page.goto(f"{link}?method=bank")
    await page.check(f"input[name=bank][value={code}]")
    await page.click("#pay .acts button")
    await page.wait_for_url(f"**/banks/{code}/authorize**")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_citizen_pays_from_a_bank_account(
    site: Any, browser: Any, artefacts: Any, language: str, *, scripts: bool
):
    link = await site.new_link(language=language)
    context = await browser.new_context(
        viewport=PHONE, reduced_motion="reduce", java_script_enabled=scripts, locale=f"{language}-AE"
    )
    page = await context.new_page()
    await page.goto(f"{link}?method=bank")
    if scripts:
        assert await fits(page)
    # Nothing chosen is told, and nothing else that was typed is lost.
    await page.fill("#email", "fatima@example.ae")
    await page.click("#pay .acts button")
    assert SAID[language]["choose"] in await plain(page, "#problem")
    assert await page.input_value("#email") == "fatima@example.ae"
    await artefacts.keep(page, f"bank-choice-error-{language}.png")
    await page.check("input[name=bank][value=pearl]")
    await artefacts.keep(page, f"bank-choice-{language}.png")
    await page.click("#pay .acts button")
    await page.wait_for_url("**/banks/pearl/authorize**")
    assert SAID[language]["bank"] in await plain(page, "header")
    assert "1,250.50" in (await plain(page, "main")).replace("1250.50", "1,250.50")
    await artefacts.keep(page, f"bank-page-{language}.png")
    await page.click("#approve")
    await page.wait_for_url("**/receipt")
    assert await plain(page, "h1") == SAID[language]["received"]
    await artefacts.keep(page, f"bank-receipt-{language}.png")
    attempts = await site.owner.fetch(
        "SELECT provider, payer_bank, status FROM gateway.attempt"
        " WHERE intent = (SELECT id FROM gateway.intent ORDER BY id DESC LIMIT 1)"
    )
    assert [tuple(row) for row in attempts] == [("altareq", "pearl", "succeeded")]
    kept = await site.owner.fetchval("SELECT count(*) FROM gateway.inbox WHERE continuation IS NOT NULL")
    assert kept == 0  # what the payer brought back is forgotten once it has served
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_payer_who_declines_or_has_no_money_may_try_again(
    site: Any, browser: Any, artefacts: Any, language: str
):
    link = await site.new_link(language=language)
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE")
    await choose_bank(page, link)
    await page.click("#decline")
    await page.wait_for_selector("#problem")
    assert SAID[language]["not_yet"] in await plain(page, "#problem")
    await artefacts.keep(page, f"bank-declined-{language}.png")
    await choose_bank(page, link, "oasis")
    await page.check(f"input[value={POOR}]")
    await page.click("#approve")
    await page.wait_for_selector("#problem")
    assert SAID[language]["failed"] in await plain(page, "#problem")
    await choose_bank(page, link, "falcon")
    await page.click("#approve")
    await page.wait_for_url("**/receipt")
    await page.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_payment_the_bank_has_not_settled_is_left_unknown(
    site: Any, browser: Any, artefacts: Any, language: str
):
    link = await site.new_link(language=language)
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale=f"{language}-AE")
    await choose_bank(page, link)
    await page.check(f"input[value={SLOW}]")
    await page.click("#approve")
    await page.wait_for_url("**/result")
    assert SAID[language]["again"] in await plain(page, "main")
    assert await fits(page)
    await artefacts.keep(page, f"bank-unknown-{language}.png")
    status = await site.owner.fetchval("SELECT status FROM gateway.attempt ORDER BY id DESC LIMIT 1")
    assert status == "pending"
    await page.close()


async def test_another_bank_may_be_chosen_and_the_first_consent_is_taken_back(site: Any, browser: Any):
    link = await site.new_link(language="en")
    page = await browser.new_page(viewport=PHONE, reduced_motion="reduce", locale="en-AE")
    await choose_bank(page, link)
    await page.wait_for_timeout(3200)  # a moment later: a second click right away is a double click
    await choose_bank(page, link, "falcon")
    await page.click("#approve")
    await page.wait_for_url("**/receipt")
    statuses = await site.owner.fetch(
        "SELECT payer_bank, status FROM gateway.attempt"
        " WHERE intent = (SELECT id FROM gateway.intent ORDER BY id DESC LIMIT 1) ORDER BY id"
    )
    assert [tuple(row) for row in statuses] == [("pearl", "voided"), ("falcon", "succeeded")]
    async with site.session.get(f"{site.banks}/simulator/book") as answer:
        consents = (await answer.json())["consents"]
    assert [each["status"] for each in consents[-2:]] == ["Revoked", "Consumed"]
    await page.close()


async def test_a_return_that_is_not_ours_shows_a_page_and_changes_nothing(site: Any, browser: Any):
    page = await browser.new_page(viewport=PHONE, locale="en-AE")
    before = await site.owner.fetchval("SELECT count(*) FROM gateway.inbox")
    answer = await page.goto(f"{site.address}/returns/altareq?code=x&state=pa_1.0&iss=https://evil.example")
    assert answer.status == 404
    assert await site.owner.fetchval("SELECT count(*) FROM gateway.inbox") == before
    await page.close()
