"""What may stand in a text from outside: visible characters in their order, and never a card number."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gateway.domain.errors import InvalidError

_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_REFUSED: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff\u2060")
"""Overrides and isolates of direction, and characters without width: what a clerk reads must be what is there.

Arabic and Persian words are written with U+200C, and U+200E, U+200F and U+061C only mark a direction: they may stay.
"""
_MARKS_IN_A_ROW_MAX: Final = 8

_CARD_DIGITS_MIN: Final = 13
_DIGITS: Final = re.compile(r"\d(?<!\d\d)(?:[ \-.]?\d){12,18}(?!\d)")
_BETWEEN: Final = re.compile(r"\D")
_CARD: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|27200\d{11}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6\d{15,18}|5[06-9]\d{10,17}"
)
"""Lengths and first digits of the schemes. An Emirates ID begins with 784 and passes Luhn, and is not among them."""


def check_text(text: str, *, length_max: int, pointer: str) -> str:
    """Return the text in NFC, or refuse it with the field's name. An empty text is refused."""
    if not text.strip():
        raise InvalidError("must not be empty", pointer=pointer)
    if len(text) > length_max:
        raise InvalidError(f"at most {length_max} characters", pointer=pointer)
    if text.isascii() and text.isprintable():
        normal = text
    else:
        _check_characters(text, pointer)
        normal = unicodedata.normalize("NFC", text)
    if holds_card_number(normal):
        raise InvalidError("holds what looks like a card number, which must never be sent here", pointer=pointer)
    return normal


def holds_card_number(text: str) -> bool:
    """Tell whether a text holds 12 to 19 digits that a card scheme could have issued."""
    if len(text) < _CARD_DIGITS_MIN:
        return False
    for match in _DIGITS.finditer(_western(text)):
        digits = _BETWEEN.sub("", match[0])
        if _CARD.fullmatch(digits) and _passes_luhn(digits):
            return True
    return False


def _check_characters(text: str, pointer: str) -> None:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in _REFUSED_CATEGORIES or character in _REFUSED:
            raise InvalidError("holds a control, invisible or direction-changing character", pointer=pointer)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MARKS_IN_A_ROW_MAX:
            raise InvalidError("holds too many combining marks in a row", pointer=pointer)


def _western(text: str) -> str:
    """Write Arabic-Indic and other decimal digits as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in text)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(digits)):
        digit = int(character)
        if place % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2  # noqa: PLR2004 - Luhn's own rule
        total += digit
    return total % 10 == 0
