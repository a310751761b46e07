"""What a payer copies into their own bank for a transfer: by hand, by a button, or by a square code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import segno

from adapters.contract import PayReference
from ledger.money import Money

_GROUP: Final = 4
_NAME_MAX: Final = 70


def in_fours(text: str) -> str:
    """Return a code in groups of four, as people read it out and copy it."""
    return " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


@dataclass(frozen=True, slots=True)
class TransferSlip:
    """One transfer still to be sent: to whom, how much, under which reference."""

    step: PayReference
    amount: Money

    @property
    def iban(self) -> str:
        return in_fours(self.step.iban)

    @property
    def reference(self) -> str:
        return in_fours(self.step.reference)

    @property
    def figures(self) -> str:
        """Return the amount as a bank's form takes it: digits and a point."""
        return self.amount.decimal()

    def code_text(self) -> str:
        """Return the text of the square code, laid out as EPC069-12 (version 002): one field a line, in its order.

        The guideline knows euros only; the layout is what banking apps read, so it carries our own currency's code.
        """
        lines = (
            "BCD",
            "002",
            "1",  # UTF-8
            "SCT",
            "",  # BIC, optional since version 002
            self.step.beneficiary[:_NAME_MAX],
            self.step.iban,
            f"{self.amount.currency}{self.amount.decimal()}",
            "",  # purpose
            self.step.reference,
        )
        return "\n".join(lines).rstrip("\n")

    def code_svg(self) -> str:
        """Return the square code without style or script, in black on white for every reader."""
        code = segno.make(self.code_text(), error="m", boost_error=False, micro=False)
        return str(code.svg_inline(border=2, omitsize=True, light="#fff"))
