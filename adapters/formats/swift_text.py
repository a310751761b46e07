"""The narrow alphabet banks still carry between each other: the SWIFT X character set.

ISO 20022 allows any letter; the Gulf's banks pass these on to older rails and reject or garble the rest.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_OUTSIDE: Final = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_SPACES: Final = re.compile(r" +")
_NEAREST: Final = str.maketrans(
    {
        "&": "+", "_": "-", "–": "-", "—": "-", "‘": "'", "’": "'", "“": "'", "”": "'", '"': "'", "`": "'", ";": ",",
        "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i",
        "\n": " ", "\r": " ", "\t": " ", "\u00a0": " ", "[": "(", "]": ")", "{": "(", "}": ")", "@": "(at)",
        "#": " ", "*": " ", "%": " ", "=": "-", "!": ".", "|": "/", "\\": "/", "<": "(", ">": ")",
    }
)  # fmt: skip


def to_swift_text(text: str, *, length_max: int) -> str | None:
    """Return the nearest text a bank will carry, or None when letters would be lost (Arabic, for one).

    Accents fall off, marks become their plain neighbours; a name is never silently shortened of its letters.
    """
    plain = text.translate(_NEAREST)
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(mark))
    for mark in set(_OUTSIDE.findall(plain)):
        if unicodedata.category(mark)[0] in "LN":
            return None
        plain = plain.replace(mark, " ")
    # "//" opens a code word in SWIFT's free text and ":" or "-" at the start ends a field, so neither may begin a line.
    while "//" in plain:
        plain = plain.replace("//", "/")
    plain = _SPACES.sub(" ", plain).strip(" /:-")
    return plain[:length_max].rstrip(" /") or None


def is_swift_reference(text: str) -> bool:
    """Whether the text may stand as a reference: 1 to 35 marks of the set, no slash at either end, none doubled."""
    return (
        0 < len(text) <= 35  # noqa: PLR2004 - ISO 20022's Max35Text
        and _OUTSIDE.search(text) is None
        and text == text.strip(" /")
        and "//" not in text
    )


_OURS_ON_THE_WIRE: Final = re.compile(r"([a-z]{2,3})-([0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26})")


_SHOUTED: Final = re.compile(r"(?:PL|PO|PA|PI|RE)-[0-9A-HJKMNP-TV-Z]{26}")


def to_wire_reference(reference: str) -> str:
    """Spell one of our ids for the bank: `pl_01…` becomes `pl-01…`, since the alphabet has no underscore."""
    prefix, mark, rest = reference.partition("_")
    wire = f"{prefix}-{rest}" if mark else reference
    return wire if from_wire_reference(wire) == reference else reference


def from_wire_reference(text: str) -> str:
    """Give an id that came back from the bank its own spelling; any other reference stays as it is."""
    if _SHOUTED.fullmatch(text):
        # Some banks carry capitals only; our ids have none, so they lose nothing by it.
        text = text.lower()
    match = _OURS_ON_THE_WIRE.fullmatch(text)
    return f"{match[1]}_{match[2]}" if match else text
