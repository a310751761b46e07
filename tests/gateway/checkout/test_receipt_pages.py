"""What a payer keeps: the receipt as page and file, its check by anyone, the rating, the copy sent again."""

from __future__ import annotations

import re
from typing import Any

from gateway.checkout.seal import check_code
from gateway.services import links
from gateway.services.payers.read_receipt import read_receipt
from tests.gateway.checkout.conftest import Window


async def test_the_waiting_page_promises_a_word_and_the_promise_is_kept_in_mind(window: Window, town: Any):
    intent = await town.intent(payer={"language": "en", "email": "fatima@example.ae"})
    await town.fault("create", "drop")
    await window.press_pay(intent)
    _, _, page = await window.get(f"{window.path(intent)}/result?language=en")
    assert "As soon as the bank says yes or no, we write to" in page
    assert await town.deps.pool.fetch("SELECT attempt FROM gateway.promise") == [
        ((await town.attempt_of(intent))["id"],)
    ]


async def test_the_payer_has_the_receipt_sent_again(window: Window, town: Any):
    intent = await town.paid()
    path = f"{window.path(intent)}/receipt"
    _, _, page = await window.get(f"{path}?language=en")
    csrf = page.split("/receipt/send")[1].split('value="')[1].split('"')[0]
    for wait_s, said in ((0, "sent a moment ago"), (61, "on its way again")):
        town.clock.advance(seconds=wait_s)
        status, headers, _ = await window.post(f"{path}/send", {"csrf": csrf})
        assert status == 303
        _, _, page = await window.get(f"{headers['Location']}&language=en")
        assert said in page
    status, _, _ = await window.post(f"{path}/send", {"csrf": "forged"})
    assert status == 403


async def test_a_receipt_is_checked_by_anyone_and_shows_nobody(window: Window, town: Any):
    intent = await town.paid(payer={"email": "fatima@example.ae", "mobile": "+971501234567"})
    receipt = await read_receipt(town.deps, links.token_of(town.deps, intent["id"]))
    code = check_code(town.deps.link_secrets[0], receipt)
    status, _, page = await window.get(f"/verify/{receipt.receipt_number}/{code}?language=en")
    assert status == 200
    assert "Genuine receipt" in page
    assert receipt.receipt_number in page
    for personal in ("fatima", "501234567", intent["reference"], "1111", receipt.token):
        assert personal not in page
    typed = f"/verify?number={receipt.receipt_number.lower()}&code={code.lower()[:4]}-{code[4:]}&language=en"
    status, _, page = await window.get(typed)
    assert (status, "Genuine receipt" in page) == (200, True)
    for wrong in (
        f"/verify/{receipt.receipt_number}/{code[:-1]}{'0' if code[-1] != '0' else '1'}",
        f"/verify/{receipt.receipt_number[:-1]}9/{code}",
        f"/verify/{receipt.receipt_number}/%20",
        "/verify?number=&code=x",
    ):
        status, _, page = await window.get(wrong)
        assert status == 404, wrong
        assert "إيصال غير صحيح" in page


async def test_the_receipt_is_a_page_and_a_file_in_both_languages(window: Window, town: Any):
    intent = await town.paid()
    for language in ("ar", "en"):
        address = f"{window.url}{window.path(intent)}/receipt.pdf?language={language}"
        async with window.session.get(address) as answer:
            body = await answer.read()
            assert answer.content_type == "application/pdf"
            assert re.fullmatch(
                r'attachment; filename="ECONOMY-2026-\d{7}\.pdf"', answer.headers["Content-Disposition"]
            )
        assert body.startswith(b"%PDF-")
    town.clock.advance(days=400)
    status, _, page = await window.get(f"{window.path(intent)}/receipt?language=en")
    assert (status, "Payment received" in page) == (200, True)


async def test_rating_is_one_tap_and_only_from_our_own_page(window: Window, town: Any):
    path = window.path(await town.paid())
    _, _, page = await window.get(f"{path}/receipt?language=en")
    assert "How was paying?" in page
    assert "Where is my money?" in page
    csrf = page.split('/rating"')[1].split('name="csrf" value="')[1].split('"')[0]
    assert (await window.post(f"{path}/rating", {"score": "5"}))[0] == 403
    for score in ("9", "x", ""):
        assert (await window.post(f"{path}/rating", {"csrf": csrf, "score": score}))[0] == 303
    _, _, page = await window.get(f"{path}/receipt?language=en")
    assert "How was paying?" in page
    status, headers, _ = await window.post(f"{path}/rating", {"csrf": csrf, "score": "5"})
    assert (status, headers["Location"]) == (303, f"{path}/receipt#rating")
    _, _, page = await window.get(f"{path}/receipt?language=en")
    assert "Thank you" in page
