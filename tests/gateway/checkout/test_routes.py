"""The pages over HTTP: what they refuse, what they carry, what survives being asked twice."""

from __future__ import annotations

import asyncio
import re
import threading
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.checkout.routes import add_routes
from gateway.deps import Limits
from gateway.domain.contact import Contact
from gateway.services.contacts import contact_of
from gateway.store import attempts
from gateway.web.identity import Identity
from tests.gateway.checkout.conftest import Window

PAGES = ("", "/result", "/receipt", "/continue", "/state")


async def test_every_answer_carries_the_walls(window: Window, town: Any):
    intent = await town.intent()
    paid = await town.paid()
    addresses = [window.path(each) + part for each in (intent, paid) for part in PAGES]
    for path in [*addresses, "/verify", "/privacy", "/accessibility", "/pay/nothing", "/verify/X/Y"]:
        _, headers, _ = await window.get(path)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


async def test_a_forged_form_changes_nothing(window: Window, town: Any):
    intent = await town.intent()
    path = window.path(intent)
    csrf, cancel = await window.csrf(path), await window.csrf(path, 1)
    for fields, headers in (
        ({"method": "card"}, {}),
        ({"csrf": "0" * 40, "method": "card"}, {}),
        ({"csrf": cancel, "method": "card"}, {}),
        ({"csrf": csrf, "method": "card"}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": csrf, "method": "card"}, {"Sec-Fetch-Site": "same-site"}),
        ({"csrf": csrf, "method": "card"}, {"Content-Type": "text/plain"}),
    ):
        body = fields if "Content-Type" not in headers else {}
        status, _, page = await window.post(path, body, **headers)
        assert status == 403
        assert "لم يُخصم أي مبلغ" in page
    for fields in ({}, {"csrf": csrf}):
        status, _, _ = await window.post(f"{path}/cancel", fields)
        assert status == 403
    other = window.path(await town.intent())
    status, _, _ = await window.post(path, {"csrf": await window.csrf(other), "method": "card"})
    assert status == 403
    assert (await town.read(intent))["status"] == "requires_payment"


async def test_pressing_pay_goes_to_the_providers_page_by_a_page_of_ours(window: Window, town: Any):
    intent = await town.intent()
    status, headers, _ = await window.press_pay(intent, email="fatima@example.ae", mobile="٠٥٠١٢٣٤٥٦٧")
    assert (status, headers["Location"]) == (303, f"{window.path(intent)}/continue")
    status, headers, page = await window.get(headers["Location"])
    address = headers["Refresh"].removeprefix("0; url=")
    assert address.startswith(town.acquirer)
    assert f'href="{address.replace("&", "&amp;")}"' in page
    async with town.deps.connection() as connection:
        [attempt] = await attempts.of_intent(connection, intent["id"])
    assert contact_of(town.deps, attempt) == Contact("fatima@example.ae", "+971501234567")


async def test_what_was_typed_for_a_declined_try_is_still_there(window: Window, town: Any):
    intent = await town.intent(payer={"email": "office@example.ae"})
    await window.press_pay(intent, email="fatima@example.ae", mobile="0501234567")
    await town.pay(intent, card="4000000000009995")
    await town.work()
    _, _, page = await window.get(f"{window.path(intent)}?language=en")
    assert "There was not enough money on the card or account." in page
    assert 'value="fatima@example.ae"' in page
    assert 'value="+971 50 123 4567"' in page


async def test_the_providers_page_opens_in_the_language_chosen_here(window: Window, town: Any):
    intent = await town.intent(payer={"language": "ar"})
    path = window.path(intent)
    fields = {"csrf": await window.csrf(path), "method": "card"}
    await window.post(path, fields, Cookie="mizan_language=en")
    _, headers, _ = await window.get(f"{path}/continue")
    async with window.session.get(headers["Refresh"].removeprefix("0; url=")) as page:
        assert "<html lang='en'" in await page.text()


async def test_pressing_pay_twice_is_one_charge(window: Window, town: Any):
    intent = await town.intent()
    answers = await asyncio.gather(*(window.press_pay(intent) for _ in range(5)))
    assert {status for status, _, _ in answers} == {303}
    await town.pay(intent)
    await town.work()
    status, headers, _ = await window.press_pay(await town.intent())
    assert status == 303
    assert await town.charges(intent) == 10_500
    status, headers, _ = await window.get(f"{window.path(intent)}/result")
    assert headers["Location"].endswith("/receipt")


async def test_a_fault_in_the_form_starts_nothing(window: Window, town: Any):
    intent = await town.intent()
    status, _, page = await window.press_pay(intent, email="x@", mobile="1")
    assert status == 422
    assert page.count('aria-invalid="true"') == 2
    assert (await town.read(intent))["status"] == "requires_payment"


async def test_a_request_lost_on_its_way_is_taken_up_again(window: Window, town: Any):
    intent = await town.intent()
    await town.fault("create", "refuse")
    status, headers, _ = await window.press_pay(intent)
    assert (status, headers["Location"]) == (303, f"{window.path(intent)}/result")
    _, _, page = await window.get(f"{window.path(intent)}?language=en")
    assert "We are waiting for your bank’s answer" in page
    town.clock.advance(seconds=61)
    csrf = re.findall(r'name="csrf" value="([0-9a-f]+)"', page)[0]
    status, headers, _ = await window.post(window.path(intent), {"csrf": csrf})
    assert (status, headers["Location"]) == (303, f"{window.path(intent)}/continue")
    assert await town.charges(intent) == 0


async def test_cancelling_a_paid_bill_shows_that_it_is_paid(window: Window, town: Any):
    intent = await town.intent()
    cancel = await window.csrf(window.path(intent), 1)
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    status, headers, _ = await window.post(f"{window.path(intent)}/cancel", {"csrf": cancel})
    assert (status, headers["Location"]) == (303, window.path(intent))
    assert (await town.read(intent))["status"] == "paid"


async def test_the_same_bill_through_a_second_link_is_warned_of(window: Window, town: Any):
    first, second = await town.intent(reference="LIC-77"), await town.intent(reference="LIC-77")
    _, _, page = await window.get(f"{window.path(second)}?language=en")
    assert "This bill may be paid already." not in page
    await town.start(first)
    await town.pay(first)
    await town.work()
    _, _, page = await window.get(f"{window.path(second)}?language=en")
    assert "This bill may be paid already." in page


async def test_money_that_came_late_is_said_to_be_safe(window: Window, town: Any):
    intent = await town.intent()
    await town.start(intent)
    attempt = await town.attempt_of(intent)
    await town.fault("void", "http", times=50, status=500)
    await town.deps.pool.execute("UPDATE gateway.intent SET status = 'expired' WHERE id = $1", intent["id"])
    await town.control("pay", {"reference": attempt["id"]})
    await town.work()
    _, _, page = await window.get(f"{window.path(intent)}?language=en")
    assert "Money was taken, and it is safe." in page
    assert "Do not pay again." in page


async def test_an_expired_link_says_that_nothing_was_taken(window: Window, town: Any):
    intent = await town.intent(return_url="https://economy.example.ae/back")
    csrf = await window.csrf(window.path(intent))
    town.clock.advance(hours=25)
    _, _, page = await window.get(f"{window.path(intent)}?language=en")
    assert "This payment link has expired" in page
    assert "No money was taken." in page
    assert 'href="https://economy.example.ae/back"' in page
    status, headers, _ = await window.post(window.path(intent), {"csrf": csrf, "method": "card"})
    assert (status, headers["Location"]) == (303, window.path(intent))


async def test_the_return_decides_nothing(window: Window, town: Any):
    """Whatever the browser brings back, the page shows what is committed."""
    intent = await town.intent()
    await window.press_pay(intent)
    for query in ("", "?ref=x&status=success", "?paid=1", "?state=CAPTURED"):
        status, headers, page = await window.get(f"{window.path(intent)}/result{query}")
        assert (status, "Location" in headers) == (200, False)
        assert "لا تدفع مرة أخرى" in page
    status, headers, _ = await window.get(f"{window.path(intent)}/receipt")
    assert (status, headers["Location"]) == (303, window.path(intent))


async def test_language_comes_from_the_payer_before_the_department(window: Window, town: Any):
    path = window.path(await town.intent(payer={"language": "en"}))
    for headers, expected in (
        ({}, "en"),
        ({"Accept-Language": "ar-AE"}, "ar"),
        ({"Accept-Language": "fr"}, "en"),
        ({"Accept-Language": "ar", "Cookie": "mizan_language=en"}, "en"),
        ({"Cookie": "mizan_language=xx"}, "en"),
    ):
        _, _, page = await window.get(path, **headers)
        assert f'<html lang="{expected}"' in page, headers
    _, headers, page = await window.get(f"{path}?language=ar")
    assert '<html lang="ar" dir="rtl">' in page
    cookie = headers["Set-Cookie"]
    assert all(part in cookie for part in ("mizan_language=ar", "HttpOnly", "SameSite=Lax", "Path=/"))
    _, headers, _ = await window.get(f"{path}?language=%22%3E%3Cscript")
    assert "Set-Cookie" not in headers


async def test_links_that_are_not_ours_find_nothing(window: Window, town: Any):
    good = window.path(await town.intent())
    for path in (good[:-1] + ("0" if good[-1] != "0" else "1"), "/pay/x", "/pay/%00", f"{good}%20", "/pay/" + "a" * 58):
        status, _, page = await window.get(path)
        assert status == 404, path
        assert "<h1>" in page


async def test_a_page_that_breaks_says_not_to_pay_again_and_logs_no_token(
    window: Window, town: Any, capsys: pytest.CaptureFixture[str], owner: Any
):
    path = window.path(await town.intent())
    await owner.execute("ALTER TABLE gateway.attempt RENAME TO attempt_gone")
    status, _, page = await window.get(path, **{"Accept-Language": "en"})
    assert status == 500
    assert "لا تدفع مرة أخرى" in page or "do not pay again" in page
    said = capsys.readouterr()
    assert "page_failed" in said.out + said.err
    assert path.removeprefix("/pay/") not in said.out + said.err


async def test_static_files_keep_for_ever_and_only_ours_are_served(window: Window):
    _, _, page = await window.get("/privacy")
    sheet = re.search(r'href="(/static/[0-9a-f]{12}/mizan\.css)"', page)
    assert sheet
    status, headers, body = await window.get(sheet[1])
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/css")
    assert "immutable" in headers["Cache-Control"]
    assert "--brand:#0b5d4b" in body
    assert (await window.get("/static/000000000000/mizan.css"))[1]["Cache-Control"] == "public, max-age=60"
    for name in ("../headers.py", "..%2fheaders.py", "nothing.css", "fonts/README.md"):
        assert (await window.get(f"/static/000000000000/{name}"))[0] == 404


async def test_the_waiting_page_asks_the_provider_sooner(town: Any):
    app = web.Application()
    add_routes(app, town.deps, Identity(), result_wait_s=0.6)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        window = Window(town, str(server.make_url("")).rstrip("/"), session)
        intent = await town.intent()
        await window.press_pay(intent)
        town.clock.advance(seconds=5)
        await window.get(f"{window.path(intent)}/result")
        attempt = await town.attempt_of(intent)
        assert attempt["next_check_at"] - town.clock() <= timedelta(0)
    await server.close()


async def test_five_hundred_wait_without_a_thread_or_a_connection_each(open_town: Any):
    town = await open_town(limits=Limits(connection_wait_s=10.0))
    app = web.Application()
    add_routes(app, town.deps, Identity(), result_wait_s=2.0)
    server = TestServer(app)
    await server.start_server()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        window = Window(town, str(server.make_url("")).rstrip("/"), session)
        intent = await town.intent()
        await window.press_pay(intent)
        threads = threading.active_count()
        waiting = [asyncio.create_task(window.get(f"{window.path(intent)}/result")) for _ in range(500)]
        await asyncio.sleep(0.5)
        assert threading.active_count() == threads
        await town.pay(intent)
        await town.work()
        answers = await asyncio.gather(*waiting)
        assert town.deps.pool.get_size() <= 10
        assert {status for status, _, _ in answers} <= {200, 303}
        assert sum(headers.get("Location", "").endswith("/receipt") for _, headers, _ in answers) > 400
    await server.close()


async def test_without_its_database_a_page_asks_for_patience_and_promises_nothing(window: Window, town: Any):
    path = window.path(await town.intent())
    await town.deps.pool.close()
    status, headers, page = await window.get(path, **{"Accept-Language": "en"})
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "do not pay again" in page
    assert "No money was taken" not in page
