"""Every page of the citizen, for people who see, hear, read and hold things differently, and on any screen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = 375
HERE = Path(__file__).parent
ORDER = (HERE / "order.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Path(__import__("axe_playwright_python").__file__).parent / "axe.min.js"


@pytest.fixture(scope="session")
def axe_source() -> str:
    return AXE.read_text()


async def violations(page: Any, axe_source: str) -> list[str]:
    await page.evaluate(axe_source)
    async with asyncio.timeout(60):
        found = await page.evaluate("tags => axe.run({runOnly: tags})", TAGS)
    return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]


async def paid_link(site: Any, language: str) -> str:
    """Pay without a browser, as the acquirer's test bench can."""
    link = await site.new_link(language=language, payer_email="fatima@example.ae")
    async with site.session.get(link) as page:
        csrf = (await page.text()).split('name="csrf" value="')[1].split('"')[0]
    async with site.session.post(link, data={"csrf": csrf, "method": "card"}) as answer:
        assert answer.status == 200, answer.status
    reference = await site.owner.fetchval("SELECT id FROM gateway.attempt ORDER BY id DESC LIMIT 1")
    async with site.session.post(f"{site.simulator}/simulator/pay", json={"reference": reference}) as answer:
        assert answer.status == 200, await answer.text()
    async with site.session.get(f"{link}/result") as answer:
        assert answer.url.path.endswith("/receipt")
    return link


@pytest.fixture(scope="module")
def links() -> dict[str, dict[str, str]]:
    return {}


async def every_page(site: Any, links: dict[str, dict[str, str]], language: str) -> dict[str, str]:
    if language not in links:
        paid = await paid_link(site, language)
        async with site.session.get(f"{paid}/receipt") as answer:
            verify = (await answer.text()).split('class="code" href="')[1].split('"')[0]
        cancelled = await site.new_link(language=language)
        async with site.session.get(cancelled) as answer:
            csrf = (await answer.text()).split('name="csrf" value="')[2].split('"')[0]
        async with site.session.post(f"{cancelled}/cancel", data={"csrf": csrf}) as answer:
            assert answer.status == 200
        transfer = await site.new_link(language=language, payer_email="fatima@example.ae")
        async with site.session.get(transfer) as answer:
            csrf = (await answer.text()).split('name="csrf" value="')[1].split('"')[0]
        async with site.session.post(transfer, data={"csrf": csrf, "method": "bank_transfer"}) as answer:
            assert answer.status == 200
        links[language] = {
            "transfer": transfer,
            "pay": await site.new_link(
                language=language, payer_email="fatima@example.ae", payer_mobile="+971501234567"
            ),
            "paid": paid,
            "receipt": f"{paid}/receipt",
            "cancelled": cancelled,
            "verify": f"{site.address}{verify}",
            "not-genuine": f"{site.address}/verify/ECONOMY-2026-0000001/0000000000000000",
            "check": f"{site.address}/verify",
            "unknown": f"{site.address}/pay/nothing",
            "accessibility": f"{site.address}/accessibility",
            "privacy": f"{site.address}/privacy",
        }
    return {name: f"{link}?language={language}" for name, link in links[language].items()}


@pytest.mark.parametrize("width", [PHONE, 1280])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_axe_finds_nothing_and_no_code_is_turned_round(
    site: Any,
    browser: Any,
    artefacts: Any,
    axe_source: str,
    links: dict[str, dict[str, str]],
    language: str,
    width: int,
):
    found: dict[str, list[str]] = {}
    seen = 0
    for scheme in ("light", "dark") if width == PHONE else ("light",):
        context = await browser.new_context(
            viewport={"width": width, "height": 812}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = await context.new_page()
        for name, address in (await every_page(site, links, language)).items():
            await page.goto(address)
            assert await page.get_attribute("html", "lang") == language
            if name == "pay":  # the strip is open and the form is wrong: the fullest page there is
                await page.click(".official summary")
                await page.fill("#email", "x@")
                await page.fill("#mobile", "٠٥")
                await page.click("#pay .acts button")
                await page.click(".official summary")
            faults = await violations(page, axe_source)
            order = await page.evaluate(ORDER)
            seen += order["seen"]
            faults += [f"misordered: {token}" for token in order["wrong"]]
            if faults:
                found[f"{name}/{scheme}"] = faults
            await artefacts.keep(page, f"{name}-{language}-{width}-{scheme}.png")
        await context.close()
    assert found == {}
    assert seen > 30


async def test_the_order_check_sees_what_is_turned_round(browser: Any):
    page = await browser.new_page()
    await page.set_content(
        "<html dir=rtl lang=ar><p>المرجع 2026-11-22 و 4111 1111 1111 1234 و <bdi dir=ltr>TL-2026-004417</bdi>"
        "<p>الرقم +971 50 123 4567</p><p>النهاية •••• 1234</p><p>المبلغ -12.50</p>"
    )
    order = await page.evaluate(ORDER)
    assert len(order["wrong"]) >= 4
    assert "TL-2026-004417" not in order["wrong"]
    await page.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_narrow_phones_and_large_text_lose_nothing(
    site: Any, browser: Any, large_text_browser: Any, links: dict[str, dict[str, str]], artefacts: Any, language: str
):
    """320 CSS pixels, at the usual text size and at twice that, as a reader sets it in the browser."""
    wide: list[str] = []
    for size, each in (("100", browser), ("200", large_text_browser)):
        page = await each.new_page(viewport={"width": 320, "height": 640})
        for name, address in (await every_page(site, links, language)).items():
            await page.goto(address)
            overflow = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            clipped = await page.evaluate(
                """[...document.querySelectorAll('main *:not(input)')].filter(e => e.scrollWidth > e.clientWidth + 1
                   && getComputedStyle(e).overflowX !== 'visible' && !e.closest('.unseen')).map(e => e.className)"""
            )
            if overflow > 0 or clipped:
                wide.append(f"{name} at {size} %: {overflow} px, {clipped}")
            await artefacts.keep(page, f"{name}-{language}-320-text-{size}.png")
        await page.close()
    assert wide == []


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_everything_to_press_is_large_enough(
    site: Any, browser: Any, links: dict[str, dict[str, str]], language: str
):
    page = await browser.new_page(viewport={"width": 375, "height": 812})
    small: list[str] = []
    for name, address in (await every_page(site, links, language)).items():
        await page.goto(address)
        found = await page.evaluate(
            """[...document.querySelectorAll('button, input:not([type=hidden]), summary, main a, footer a, .tongue')]
               .map(e => [e.textContent.trim().slice(0, 30) || e.id, e.getBoundingClientRect()])
               .filter(([, box]) => box.width > 1 && box.height < 44).map(([what, box]) => `${what} ${box.height}`)"""
        )
        small += [f"{name}: {each}" for each in found]
    assert small == []
    await page.close()


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_first_view_is_light_and_loads_nothing_from_elsewhere(site: Any, browser: Any, language: str):
    link = await site.new_link(language=language)
    context = await browser.new_context(viewport={"width": 375, "height": 812}, locale=f"{language}-AE")
    page = await context.new_page()
    sizes: dict[str, int] = {}

    async def weigh(response: Any) -> None:
        measured = await response.request.sizes()
        sizes[response.url] = measured["responseBodySize"] + measured["responseHeadersSize"]

    waiting: list[asyncio.Task[None]] = []
    page.on("response", lambda response: waiting.append(asyncio.ensure_future(weigh(response))))
    answer = await page.goto(link)
    await page.wait_for_load_state("networkidle")
    await asyncio.gather(*waiting)
    assert all(url.startswith(site.address) for url in sizes), sizes
    assert len(sizes) <= 8, sizes
    assert sum(sizes.values()) <= 100_000, sizes
    headers = await answer.all_headers()
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    await context.close()
