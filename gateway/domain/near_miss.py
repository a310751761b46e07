"""How close a payer's text comes to a reference. Only ever a suggestion to people: nothing is matched by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

DIFFERENT_MAX: Final = 3


def difference(text: str, reference: str) -> int | None:
    """Return how many marks of the reference a text has wrong at its best place; None when it is not close at all."""
    written = "".join(mark for mark in text.upper() if mark.isascii() and mark.isalnum())
    best = min((_wrong(window, reference) for window in _windows(written, len(reference))), default=DIFFERENT_MAX + 1)
    return best if best <= DIFFERENT_MAX else None


def _windows(text: str, length: int) -> Iterator[str]:
    """Yield the parts that could be the reference, one mark left out or one too many included."""
    for size in (length - 1, length, length + 1):
        for start in range(len(text) - size + 1):
            yield text[start : start + size]


def _wrong(window: str, reference: str) -> int:
    if len(window) == len(reference):
        return sum(a != b for a, b in zip(window, reference, strict=True))
    shorter, longer = sorted((window, reference), key=len)
    same = next((at for at, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return 1 + sum(a != b for a, b in zip(shorter[same:], longer[same + 1 :], strict=True))
