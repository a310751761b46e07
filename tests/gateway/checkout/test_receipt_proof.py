"""The receipt's PDF and its check code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from adapters.contract import Method
from gateway.checkout.receipt_pdf import Proof, receipt_data, receipt_pdf, set_receipt
from gateway.checkout.seal import check_code, is_genuine, show_code
from gateway.domain.department import Names
from gateway.services.payers.views import LineView, PartView, ReceiptView, TariffView
from gateway.web.pages import Pages
from ledger.money import Money

SECRET, OLDER = b"s" * 32, b"o" * 32


def proof(receipt: ReceiptView) -> Proof:
    code = check_code(SECRET, receipt)
    return Proof(f"https://pay.gov.example/verify/{receipt.receipt_number}/{code}", code)


def test_a_code_is_read_as_people_type_it(receipt_of: Callable[..., ReceiptView]):
    receipt = receipt_of()
    code = check_code(SECRET, receipt)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{16}", code)
    assert is_genuine([SECRET], receipt, code)
    assert is_genuine([SECRET], receipt, show_code(code).lower().replace("0", "o").replace("1", "l"))
    assert is_genuine([OLDER, SECRET], receipt, code)


def test_nothing_on_a_receipt_can_be_altered(receipt_of: Callable[..., ReceiptView]):
    receipt = receipt_of()
    code = check_code(SECRET, receipt)
    for altered in (
        replace(receipt, total=Money(125051, "AED")),
        replace(receipt, total=Money(125050, "SAR")),
        replace(receipt, receipt_number="ECONOMY-2026-000418"),
        replace(receipt, paid_at=receipt.paid_at + timedelta(seconds=1)),
        replace(receipt, intent_id="pi_other"),
    ):
        assert not is_genuine([SECRET], altered, code)
    assert not is_genuine([OLDER], receipt, code)
    assert not is_genuine([SECRET], receipt, "")
    assert not is_genuine([SECRET], receipt, "ü" * 16)


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_pdf_is_tagged_small_and_names_what_was_paid(
    pages: Pages, receipt_of: Callable[..., ReceiptView], language: str, tmp_path: Path
):
    receipt = receipt_of(refunded=Money(1000, "AED"))
    body = await receipt_pdf(receipt, proof(receipt), pages.identity, pages.languages[language], trial=True)
    assert body.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in body
    assert f"/Lang({language})".encode() in body.replace(b" ", b"")
    assert b"pdfuaid" in body
    assert len(body) <= 60_000
    if shutil.which("pdftotext"):
        (tmp_path / "receipt.pdf").write_bytes(body)
        said = subprocess.run(
            ["pdftotext", "-layout", tmp_path / "receipt.pdf", "-"], capture_output=True, text=True, check=True
        ).stdout
        for value in ("ECONOMY-2026-000417", "AED 1,250.50", "TL-2026-004417", "AED 10.00"):
            assert value in said


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_bundle_s_pdf_cites_tariffs_and_says_who_receives_what(
    pages: Pages, receipt_of: Callable[..., ReceiptView], language: str, tmp_path: Path
):
    receipt = receipt_of()
    police = Names("القيادة العامة للشرطة", "Police Headquarters")
    cited = TariffView(3, date(2026, 1, 1), Money(5000, "AED"), Names("كبار السن", "Senior citizens"))
    fine = LineView(police, Names("مخالفة", "Fine"), Money(20000, "AED"), Money(0, "AED"), tariff=cited)
    parts = (
        PartView(receipt.department, Money(125050, "AED"), Money(48, "AED"), "100234567800003"),
        PartView(police, Money(20000, "AED"), Money(0, "AED"), None),
    )
    receipt = replace(receipt, lines=(*receipt.lines, fine), parts=parts, total=Money(145050, "AED"))
    body = await receipt_pdf(receipt, proof(receipt), pages.identity, pages.languages[language], trial=False)
    assert len(body) <= 60_000
    if shutil.which("pdftotext"):
        (tmp_path / "receipt.pdf").write_bytes(body)
        said = subprocess.run(
            ["pdftotext", "-layout", tmp_path / "receipt.pdf", "-"], capture_output=True, text=True, check=True
        ).stdout
        for value in ("AED 1,450.50", "AED 1,250.50", "AED 200.00", "100234567800003"):
            assert value in said
        if language == "en":
            assert "tariff version 3, in force since 1 January 2026" in said
            assert "Who receives it" in said


def test_the_same_receipt_is_the_same_file(pages: Pages, receipt_of: Callable[..., ReceiptView]):
    receipt = receipt_of()
    data = receipt_data(receipt, proof(receipt), pages.identity, pages.languages["ar"], trial=False)
    assert set_receipt(data) == set_receipt(data)


def test_text_in_a_receipt_is_never_code_of_the_typesetter(pages: Pages, receipt_of: Callable[..., ReceiptView]):
    receipt = receipt_of(reference='#read("/etc/passwd") $x$ *b* `c` <d> @e')
    data = receipt_data(receipt, proof(receipt), pages.identity, pages.languages["en"], trial=False)
    assert set_receipt(data).startswith(b"%PDF-")


def test_the_square_code_carries_no_style_or_script(receipt_of: Callable[..., ReceiptView]):
    drawn = proof(receipt_of()).qr_svg()
    assert "style" not in drawn
    assert "script" not in drawn


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("code", ["ar", "en"])
def test_every_way_to_pay_has_its_name_on_the_file(pages: Pages, receipt_of, code: str, method: Method):
    receipt = receipt_of(method=method, card={})
    data = json.loads(receipt_data(receipt, proof(receipt), pages.identity, pages.languages[code], trial=False))
    [said] = [fact["value"] for fact in data["facts"] if fact["name"] == pages.languages[code].text("Paid by")]
    assert said
    assert "_" not in said
    assert said.isascii() is (code == "en")
