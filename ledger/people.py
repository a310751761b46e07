"""Who decides: one person's name in one way of writing, so that a space, a capital or a look-alike is nobody else."""

from __future__ import annotations

import unicodedata
from typing import Final

from ledger.errors import PersonError

_LOOK_ALIKE: Final = {
    # Cyrillic
    0x0430: "a", 0x0435: "e", 0x043E: "o", 0x0440: "p", 0x0441: "c", 0x0443: "y", 0x0445: "x", 0x0456: "i",
    0x0458: "j", 0x0455: "s", 0x0501: "d", 0x04BB: "h", 0x051B: "q", 0x051D: "w", 0x043A: "k", 0x043C: "m",
    0x043D: "h", 0x0442: "t", 0x0432: "b", 0x04CF: "l",
    # Greek
    0x03B1: "a", 0x03BF: "o", 0x03C1: "p", 0x03BD: "v", 0x03BA: "k", 0x03B9: "i", 0x03C4: "t", 0x03C7: "x",
    0x03B5: "e", 0x03B7: "h", 0x03BC: "m", 0x03B2: "b", 0x03C5: "y", 0x03B6: "z",
}  # fmt: skip
"""Letters of two other scripts that are drawn as Latin ones, small or capital. The database has the same table."""


def person(name: str) -> str:
    """Return a name as it is kept: single spaces, lower case, no compatibility forms.

    An empty or unprintable one is refused, and one that mixes scripts in a word, as no person's own name does.
    """
    written = _written(name)
    if not written or not written.isprintable():
        raise PersonError("a person has a name that can be read")
    if any(len(_scripts(word)) > 1 for word in written.split()):
        raise PersonError("a person's name is written in one script")
    return written


def same_person(one: str, other: str) -> bool:
    """Say whether two names are one person's, however they are written. No name at all is nobody else's."""
    ours, theirs = _compared(one), _compared(other)
    return not ours or not theirs or ours == theirs


def _written(name: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(unicodedata.normalize("NFKC", name).split()).casefold())


def _compared(name: str) -> str:
    """Give what of a name tells it from others: nothing that is not seen, and look-alikes as what they look like."""
    seen = "".join(letter for letter in name if unicodedata.category(letter) not in {"Cf", "Cc"} or letter.isspace())
    return _written(seen).translate(_LOOK_ALIKE)


def _scripts(word: str) -> set[str]:
    named = (unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha())
    return {script for script in named if script != "MODIFIER"}
