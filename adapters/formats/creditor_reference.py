"""References that prove themselves: ISO 11649 creditor references ("RF…") and IBANs, found in what payers type.

Both carry check digits modulo 97, which catch every single wrong or swapped character. So a reference may be taken
out of free text, whatever spaces, marks or lower case stand in it, and a near miss is never taken for another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from adapters.formats.swift_text import from_wire_reference

BODY_MAX: Final = 21
IBAN_LENGTH_MIN: Final = 15
IBAN_LENGTH_MAX: Final = 34
TEXT_MAX: Final = 2_000
FOUND_MAX: Final = 40
_REMAINDER: Final = 97
_TOKEN: Final = re.compile(r"[A-Z0-9]+")
_RF: Final = re.compile(r"RF[0-9]{2}")
_LENGTHS: Final = range(5, 4 + BODY_MAX + 1)
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_OURS: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[-_][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}(?![A-Za-z0-9])")


def _remainder(text: str) -> int:
    return int("".join(str(int(mark, 36)) for mark in text)) % _REMAINDER


def check_digits(country: str, body: str) -> str:
    """Return the two check digits that make `country + digits + body` valid."""
    return f"{_REMAINDER + 1 - _remainder(f'{body}{country}00'):02d}"


def is_valid(text: str) -> bool:
    """Whether a creditor reference or an IBAN, without spaces and in capitals, carries the right check digits."""
    return text.isascii() and text.isalnum() and text[2:4].isdigit() and _remainder(text[4:] + text[:4]) == 1


def creditor_reference(body: str) -> str:
    """Return the creditor reference of a body of 1 to 21 capitals and digits."""
    if not 0 < len(body) <= BODY_MAX or not _TOKEN.fullmatch(body):
        raise ValueError(f"a creditor reference has 1 to {BODY_MAX} capitals and digits, not {body!r}")
    return f"RF{check_digits('RF', body)}{body}"


def iban(country: str, account: str) -> str:
    """Return the IBAN of a country and a basic account number."""
    found = f"{country}{check_digits(country, account)}{account}"
    if not _IBAN.fullmatch(found):
        raise ValueError(f"{found!r} has not the shape of an IBAN")
    return found


def in_fours(text: str) -> str:
    """Return the text in groups of four, as people copy it."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def references_in(text: str) -> tuple[str, ...]:
    """Return what a text may name, in its order: creditor references, IBANs and ids of ours that prove themselves.

    Where one reference ends and the payer's next word begins is not always clear, so a text can yield a reference too
    many: whoever looks them up finds only the ones that were given out.
    """
    text = text[:TEXT_MAX]
    found = dict.fromkeys(from_wire_reference(match[0]) for match in _OURS.finditer(text))
    shouted = text.upper()
    if "RF" in shouted or any(mark.isdigit() for mark in shouted):
        found |= dict.fromkeys(_proven(shouted))
    return tuple(found)[:FOUND_MAX]


def _proven(text: str) -> Iterator[str]:
    tokens = list(_TOKEN.finditer(text))
    joined = "".join(token[0] for token in tokens)
    ends, at = set(), 0
    for token in tokens:
        if _IBAN.fullmatch(token[0]) and is_valid(token[0]) and not token[0].startswith("RF"):
            yield token[0]
        at += len(token[0])
        ends.add(at)
    for match in _RF.finditer(joined):
        start = match.start()
        candidates = [joined[start : start + length] for length in _LENGTHS if start + length <= len(joined)]
        valid = [candidate for candidate in candidates if is_valid(candidate)]
        # A reference that ends where a word ends is the one meant; only glued text has to be cut by its check digits.
        whole = [candidate for candidate in valid if start + len(candidate) in ends]
        yield from whole or valid
