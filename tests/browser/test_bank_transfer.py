"""A transfer as a citizen makes it: copy, send it from one's own bank, well or badly, and see what became of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from tests.browser.conftest import ARTEFACTS, BANK_ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 375, "height": 812}
SAID = {
    "ar": {
        "send": "أرسل الحوالة", "part": "وصل جزء من حوالتك", "received": "تم استلام الدفع", "late": "وصل مبلغك متأخرًا",
        "partly closed": "وصل جزء فقط من حوالتك في الموعد", "copied": "تم النسخ",
    },
    "en": {
        "send": "Send the transfer", "part": "A part of your transfer has arrived", "received": "Payment received",
        "late": "Your money arrived late", "partly closed": "Only a part of your transfer arrived in time",
        "copied": "Copied",
    },
}  # fmt: skip


async def plain(page: Any, selector: str) -> str:
    return re.sub(r"\s+", " ", await page.inner_text(selector)).strip()


async def choose_transfer(page: Any, link: str) -> None:
    await page.goto(link)
    await page.click("a[href='?method=bank_transfer']")
    await page.fill("#email", "fatima@example.ae")
    await page.click("#pay .acts button")
    await page.wait_for_selector(".slip")


async def slip(page: Any) -> dict[str, str]:
    """Read what a payer copies, as the copy buttons give it."""
    amount, iban, name, reference = await page.eval_on_selector_all(
        ".slip [data-copy]", "buttons => buttons.map((each) => each.dataset.copy)"
    )
    return {"amount": amount, "iban": iban, "name": name, "reference": reference}


async def send(context: Any, site: Any, told: dict[str, str], *, mistake: str = "none", amount: str = "") -> None:
    """Type it into the payer's own internet bank and press its button."""
    bank = await context.new_page()
    await bank.goto(f"{site.bank}/internet-bank?lang=en")
    await bank.fill("#iban", told["iban"])
    await bank.fill("#amount", amount or told["amount"])
    await bank.fill("#reference", told["reference"])
    await bank.fill("#name", "Fatima Al Ali")
    await bank.select_option("#mistake", mistake)
    await bank.click("button")
    assert "Sent" in await plain(bank, "[role=status]")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_citizen_pays_by_transfer(site: Any, browser: Any, artefacts: Any, language: str, scripts: bool):  # noqa: FBT001
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE, reduced_motion="reduce", java_script_enabled=scripts)
    page = await context.new_page()
    await choose_transfer(page, link)
    assert await plain(page, "h1") == SAID[language]["send"]
    told = await slip(page)
    assert (told["iban"], told["name"], told["amount"]) == (BANK_ACCOUNT, "Government Treasury", "1250.50")
    assert re.fullmatch(r"RF\d\d[0-9A-Z]{12}", told["reference"])
    # What is read out stands in fours, left to right, in either language.
    groups = re.findall("....", told["reference"])
    assert " ".join(groups) in await plain(page, ".slip")
    assert await page.is_visible("[data-copy]") is scripts
    await artefacts.keep(page, f"transfer-{language}.png")
    await send(context, site, told)
    await page.click(".acts a.button")
    await page.wait_for_url("**/receipt", timeout=30_000)
    assert await plain(page, "h1") == SAID[language]["received"]
    await artefacts.keep(page, f"transfer-paid-{language}.png")
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_waiting_page_moves_on_by_itself_and_a_button_copies(site: Any, browser: Any, language: str):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE, permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await choose_transfer(page, link)
    told = await slip(page)
    await page.click(f".slip [data-copy='{told['reference']}']")
    await page.wait_for_function("word => document.querySelector('.slip').innerText.includes(word)",
                                 arg=SAID[language]["copied"])  # fmt: skip
    assert await page.evaluate("navigator.clipboard.readText()") == told["reference"]
    await send(context, site, told, mistake="split")
    await page.wait_for_function("word => document.querySelector('h1').innerText.includes(word)",
                                 arg=SAID[language]["received"], timeout=30_000)  # fmt: skip
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_part_is_shown_with_what_is_still_to_be_sent(site: Any, browser: Any, artefacts: Any, language: str):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await choose_transfer(page, link)
    told = await slip(page)
    await send(context, site, told, mistake="too_little")
    for _ in range(20):
        await page.click(".acts a.button")
        if await plain(page, "h1") == SAID[language]["part"]:
            break
    assert await plain(page, "h1") == SAID[language]["part"]
    assert "1,240.50" in await plain(page, ".moved")
    rest = await slip(page)
    assert (rest["amount"], rest["reference"]) == ("10.00", told["reference"])
    await artefacts.keep(page, f"transfer-part-{language}.png")
    await send(context, site, rest)
    await page.click(".acts a.button")
    await page.wait_for_url("**/receipt", timeout=30_000)
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("mistake", ["no_reference", "mistyped"])
async def test_an_unknown_transfer_leaves_the_page_waiting(site: Any, browser: Any, language: str, mistake: str):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await choose_transfer(page, link)
    await send(context, site, await slip(page), mistake=mistake)
    await page.click(".acts a.button")
    assert await plain(page, "h1") == SAID[language]["send"]
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(("mistake", "state"), [("none", "late"), ("too_little", "partly closed")])
async def test_what_comes_after_the_end_is_told_as_money_that_is_safe(
    site: Any, browser: Any, artefacts: Any, language: str, mistake: str, state: str
):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await choose_transfer(page, link)
    told = await slip(page)
    await page.click(".acts form button")  # cancelled, though the transfer is on its way
    await page.wait_for_selector(".end:not(:has(.slip))")
    await send(context, site, told, mistake=mistake)
    for _ in range(60):
        await page.goto(link)
        if await plain(page, "h1") == SAID[language][state]:
            break
        await page.wait_for_timeout(250)
    assert await plain(page, "h1") == SAID[language][state]
    await artefacts.keep(page, f"transfer-{state.replace(' ', '-')}-{language}.png")
    await context.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_square_code_says_the_same_to_a_machine(site: Any, browser: Any, artefacts: Any, language: str):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport=PHONE, device_scale_factor=2, color_scheme="dark")
    page = await context.new_page()
    await choose_transfer(page, link)
    told = await slip(page)
    await artefacts.keep(page, f"transfer-dark-{language}.png")
    await page.locator(".slip .code svg").screenshot(path=ARTEFACTS / f"transfer-code-{language}.png")
    with Image.open(ARTEFACTS / f"transfer-code-{language}.png") as picture:
        [code] = zxingcpp.read_barcodes(picture)
    assert code.text.split("\n") == [
        "BCD", "002", "1", "SCT", "", "Government Treasury", BANK_ACCOUNT, "AED1250.50", "", told["reference"],
    ]  # fmt: skip
    await context.close()
