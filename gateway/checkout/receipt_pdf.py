"""The receipt as a tagged PDF (PDF/UA-1), set by typst from the same values as the page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import segno
import typst

from adapters.contract import Method
from gateway.checkout.seal import show_code
from gateway.services.payers.views import ReceiptView, TariffView
from gateway.web.i18n import Language, sentence
from gateway.web.identity import Identity
from ledger.money import Money

_FOLDER: Final = Path(__file__).parent
_FONTS: Final = _FOLDER / "fonts"
_TEMPLATE: Final = (_FOLDER / "receipt.typ").read_bytes()
_SETTING_AT_ONCE: Final = 2
_gate: Final = asyncio.Semaphore(_SETTING_AT_ONCE)
QR_SCALE: Final = 4


@dataclass(frozen=True, slots=True)
class Proof:
    """How anyone checks a receipt: the address in the square code, and the code to type."""

    url: str
    code: str

    def qr_svg(self) -> str:
        """Return the square code as SVG without style or script, in black on white for every reader."""
        return str(segno.make(self.url, error="m", boost_error=False).svg_inline(border=2, omitsize=True, light="#fff"))


def _amount(label: str, amount: Money) -> dict[str, str] | None:
    return {"label": label, "amount": str(amount)} if amount else None


def receipt_data(receipt: ReceiptView, proof: Proof, identity: Identity, language: Language, *, trial: bool) -> bytes:
    """Return everything the template says, in one language."""
    say, choose = language.text, language.choose
    paid_at = receipt.paid_at.astimezone(identity.zone)
    several = len({line.department for line in receipt.lines}) > 1
    facts = [
        (say("Receipt number"), receipt.receipt_number, True),
        (say("Paid on"), f"{language.date(paid_at)} {language.hour(paid_at)}", False),
        (say("Paid to"), choose(receipt.department), False),
        (say("Reference"), receipt.reference, True),
        _paid_by(receipt, language),
    ]
    if receipt.vat_registration and not receipt.parts:
        facts.append((say("VAT registration"), receipt.vat_registration, True))
    data = {
        "language": language.code,
        "direction": language.direction,
        "brand": identity.colours.brand,
        "government": choose(identity),
        "title": f"{say('Receipt')} {receipt.receipt_number}",
        "heading": say("Receipt"),
        "trial": say("Test service: no real money will be taken.") if trial else "",
        "total": str(receipt.total),
        "status": say("Payment received"),
        "receipt_number": receipt.receipt_number,
        "facts": [{"name": name, "value": value, "code": code} for name, value, code in facts],
        "fees_heading": say("Fees in this payment"),
        "fee": say("Fee"),
        "amount": say("Amount"),
        "lines": [
            {
                "name": choose(line.service),
                "quantity": f"× {line.quantity}" if line.quantity > 1 else "",
                "department": choose(line.department) if several else "",
                "vat": _amount(say("VAT included:"), line.vat),
                "taken_off": _taken_off(line.tariff, language),
                "tariff": _cited(line.tariff, language),
                "amount": str(line.amount),
            }
            for line in receipt.lines
        ],
        "parts_heading": say("Who receives it"),
        "parts": [
            {
                "department": choose(part.department),
                "registration": part.vat_registration or "",
                "registration_label": say("VAT registration"),
                "amount": str(part.amount),
            }
            for part in receipt.parts
        ],
        "total_label": say("Total"),
        "vat": _amount(say("VAT included in the total:"), receipt.vat),
        "refunded": _amount(say("Given back so far:"), receipt.refunded),
        "qr": proof.qr_svg().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1),
        "qr_alt": say("Square code that opens the check of this receipt"),
        "check_heading": say("Check this receipt"),
        "check_text": say(
            "Anyone can scan this code to see that the receipt is genuine. The page it opens shows no personal data."
        ),
        "verify_url": proof.url,
        "verify_shown": proof.url.partition("//")[2].partition("?")[0].rsplit("/", 2)[0],
        "check_code_label": say("Check code:"),
        "check_code": show_code(proof.code),
        "footer": choose(identity),
    }
    return json.dumps(data, ensure_ascii=False).encode()


def _taken_off(tariff: TariffView | None, language: Language) -> dict[str, str] | None:
    if tariff is None or tariff.concession is None:
        return None
    label = language.text("%(concession)s, taken off:", concession=language.choose(tariff.concession))
    return {"label": label, "amount": str(tariff.discount)}


def _cited(tariff: TariffView | None, language: Language) -> str:
    if tariff is None:
        return ""
    since = language.date(tariff.effective_on)
    return language.text("tariff version %(version)s, in force since %(since)s", version=tariff.version, since=since)


_WAYS: Final[Mapping[Method, str]] = {
    Method.CARD: sentence("Card"),
    Method.MOBILE: sentence("Mobile wallet"),
    Method.BANK: sentence("Bank account"),
    Method.BANK_TRANSFER: sentence("Bank transfer"),
    Method.CASH: sentence("Cash"),
    Method.CARD_TERMINAL: sentence("Card at the counter"),
}


def _paid_by(receipt: ReceiptView, language: Language) -> tuple[str, str, bool]:
    """Return how it was paid: the card's end where there was one, which stays in Latin letters, else the way."""
    card = card_text(receipt)
    return language.text("Paid by"), card or language.text(_WAYS[receipt.method]), bool(card)


def card_text(receipt: ReceiptView) -> str:
    """Return `Visa •••• 1234`, or nothing when the method has no card; never more of the number than its end."""
    scheme = receipt.card.get("scheme", "").replace("_", " ").title()
    ending = receipt.card.get("card", "")[-4:]
    return " ".join(part for part in (scheme, f"•••• {ending}" if ending.isdecimal() else "") if part)


def set_receipt(data: bytes) -> bytes:
    """Set the PDF. Blocking, and pure: the same values always give the same bytes."""
    # The stub's type variables have no bound for a call without an output file.
    document: bytes = typst.compile(  # type: ignore[misc]
        _TEMPLATE,
        font_paths=[str(_FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": data.decode()},
        pdf_standards=["ua-1"],
    )
    return document


async def receipt_pdf(
    receipt: ReceiptView, proof: Proof, identity: Identity, language: Language, *, trial: bool
) -> bytes:
    """Set the receipt beside the event loop, a few at once: a crowd of downloads must not starve payments."""
    async with _gate:
        return await asyncio.to_thread(set_receipt, receipt_data(receipt, proof, identity, language, trial=trial))
