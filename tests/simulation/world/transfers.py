"""Transfers from a payer's own bank: how one is sent, well or badly written, and what the bank's book says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from adapters.bank_transfer.wire import reference_of
from ops.demo.form_browser import FormBrowser, Page
from tests.simulation.world.habits import Habit
from tests.simulation.world.providers import BANK_TRANSFER

BOOK: Final = "SELECT remittance, amount_minor FROM bookings WHERE kind = 'credit' AND credit_id LIKE 'internet-bank-%'"
_TOO_LITTLE: Final = Decimal(10)

# What goes wrong at the first try, and whether the payer notices and sends again what is missing.
MISTAKES: Final[Mapping[Habit, str]] = {
    Habit.DOUBLE_CLICK: "twice",
    Habit.BACK: "split",
    Habit.DECLINED_FIRST: "too_little",
    Habit.SECOND_CARD: "mistyped",
    Habit.TWO_TABS: "no_reference",
    Habit.IMPATIENT: "too_much",
}


@dataclass(frozen=True, slots=True)
class Slip:
    """What the page tells a payer to transfer: the amount as a bank's form takes it, the account and the reference."""

    amount: str
    iban: str
    reference: str


def read_slip(page: Page) -> Slip | None:
    """Read what the page's buttons copy; None where the page tells of no transfer."""
    copied = [str(button.get("data-copy")) for button in page.tree.xpath("//button[@data-copy]")]
    return Slip(copied[0], copied[1], copied[3]) if len(copied) > 3 else None


def missing(slip: Slip, mistake: str) -> Slip | None:
    """Return what is still to be sent after a mistake; None where nobody would notice any."""
    if mistake == "too_little":
        return Slip(str(_TOO_LITTLE), slip.iban, slip.reference)
    return slip if mistake in ("mistyped", "no_reference") else None


async def send(browser: FormBrowser, slip: Slip, mistake: str = "none") -> Page:
    """Type a transfer into the payer's own internet bank."""
    page = await browser.open(f"https://{BANK_TRANSFER.host}/internet-bank")
    typed = {"iban": slip.iban, "amount": slip.amount, "reference": slip.reference, "mistake": mistake}
    return await browser.submit(page, typed)


def received(bookings: Iterable[Mapping[str, Any]], attempts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the bank has for each attempt: attempt, asked and received minor."""
    by_text: Counter[str] = Counter()
    for booking in bookings:
        by_text["".join(booking["remittance"].split()).upper()] += booking["amount_minor"]
    return [
        {"attempt": each["id"], "asked": each["amount_minor"], "received": by_text[reference_of(each["id"])]}
        for each in attempts
    ]
