"""Each department's part of a payment that several share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.intents import IntentLine
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Part:
    """What one department's lines come to, with the VAT inside."""

    department: str
    amount: Money
    vat: Money


def parts_of(lines: Sequence[IntentLine], currency: str) -> list[Part]:
    """Sum lines by department, in the order in which the departments first stand there."""
    return [
        Part(
            code,
            Money(sum(line.amount_minor for line in lines if line.department == code), currency),
            Money(sum(line.vat_minor for line in lines if line.department == code), currency),
        )
        for code in dict.fromkeys(line.department for line in lines)
    ]
