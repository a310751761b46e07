"""What a payer is told to write: a reference with check digits, or an account of its own, made from the attempt's id.

Both are derived and never stored, so the same attempt is told the same however often it is asked, by any process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from adapters.contract import PayReference
from adapters.formats.creditor_reference import creditor_reference, iban

MARKS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32: no letter that is taken for a digit."""

BODY_LENGTH: Final = 12
REFERENCE_LENGTH: Final = 4 + BODY_LENGTH
"""Four groups of four: 60 bits, so two of a million payments have the same once in two million times."""

VIRTUAL_DIGITS_MIN: Final = 12
"""Fewer free digits would give two payments the same account too often."""


def reference_of(attempt: str) -> str:
    """Return the attempt's creditor reference (ISO 11649)."""
    number = int.from_bytes(hashlib.sha256(f"bank_transfer:{attempt}".encode()).digest()[:8])
    marks = []
    for _ in range(BODY_LENGTH):
        number, mark = divmod(number, len(MARKS))
        marks.append(MARKS[mark])
    return creditor_reference("".join(marks))


def is_ours(reference: str) -> bool:
    """Whether a valid reference has the shape of those we give out."""
    return len(reference) == REFERENCE_LENGTH and reference.startswith("RF") and set(reference[4:]) <= set(MARKS)


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Whom payers transfer to: our account, or one of the virtual accounts under a prefix that lead to it."""

    account_iban: str
    name: str
    virtual_prefix: str = ""

    @property
    def free_digits(self) -> int:
        return len(self.account_iban) - 4 - len(self.virtual_prefix)

    def virtual_account(self, attempt: str) -> str:
        """Return the attempt's own account, with the check digits of an IBAN."""
        digest = hashlib.sha256(f"virtual_account:{attempt}".encode()).digest()
        digits = str(int.from_bytes(digest[:16]) % 10**self.free_digits).zfill(self.free_digits)
        return iban(self.account_iban[:2], f"{self.virtual_prefix}{digits}")

    def key_of(self, attempt: str) -> str:
        """Return what a credit must name to belong to the attempt; it is its provider reference."""
        return self.virtual_account(attempt) if self.virtual_prefix else reference_of(attempt)

    def step(self, attempt: str) -> PayReference:
        if self.virtual_prefix:
            return PayReference(self.virtual_account(attempt), self.name, "")
        return PayReference(self.account_iban, self.name, reference_of(attempt))

    def is_key(self, reference: str) -> bool:
        """Whether a reference of a credit is one we may have given out."""
        if not self.virtual_prefix:
            return is_ours(reference)
        same_length = len(reference) == len(self.account_iban)
        return same_length and reference[:2] == self.account_iban[:2] and reference[4:].startswith(self.virtual_prefix)
