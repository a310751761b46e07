"""A text as the air carries it: GSM 7-bit letters where they suffice, UCS-2 for Arabic, long texts in linked parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_GSM: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED: Final = {
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_ESCAPE: Final = 0x1B
_OCTETS: Final = {letter: bytes([code]) for code, letter in enumerate(_GSM) if letter != "\x1b"} | {
    letter: bytes([_ESCAPE, code]) for letter, code in _GSM_EXTENDED.items()
}
GSM_CODING: Final = 0x00
UCS2_CODING: Final = 0x08
_GSM_ALONE, _GSM_LINKED = 160, 153
_UCS2_ALONE, _UCS2_LINKED = 140, 134
SEGMENTS_MAX: Final = 10
"""A receipt never needs more; what does is cut, because every part is paid for."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One short message: its coding, whether it begins with a header that links it, and its octets."""

    coding: int
    linked: bool
    octets: bytes


def segments(text: str, link: int) -> list[Segment]:
    """Cut a text. `link` tells the parts of one text from those of another; the phone puts them together."""
    letters = [_OCTETS.get(letter) for letter in text]
    if all(octets is not None for octets in letters):
        return _linked([octets for octets in letters if octets], GSM_CODING, _GSM_ALONE, _GSM_LINKED, link)
    # Letters beyond the basic plane are two units that must not be parted: encode letter by letter.
    wide = [letter.encode("utf-16-be") for letter in text]
    return _linked(wide, UCS2_CODING, _UCS2_ALONE, _UCS2_LINKED, link)


def _linked(letters: list[bytes], coding: int, alone: int, linked: int, link: int) -> list[Segment]:
    whole = b"".join(letters)
    if len(whole) <= alone:
        return [Segment(coding, linked=False, octets=whole)]
    parts: list[bytes] = [b""]
    for letter in letters:
        if len(parts[-1]) + len(letter) > linked:
            parts.append(b"")
        parts[-1] += letter
    parts = parts[:SEGMENTS_MAX]
    return [
        Segment(coding, linked=True, octets=bytes([5, 0, 3, link & 0xFF, len(parts), number]) + part)
        for number, part in enumerate(parts, 1)
    ]


def join(found: list[Segment]) -> str:
    """Put segments together as a phone does."""
    octets = b"".join(each.octets[6:] if each.linked else each.octets for each in found)
    if found and found[0].coding == UCS2_CODING:
        return octets.decode("utf-16-be")
    letters: list[str] = []
    extended = {code: letter for letter, code in _GSM_EXTENDED.items()}
    escaped = False
    for code in octets:
        if code == _ESCAPE and not escaped:
            escaped = True
            continue
        letters.append(extended[code] if escaped else _GSM[code])
        escaped = False
    return "".join(letters)
