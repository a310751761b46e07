"""What the search found, kept: the reader, the bytes, and what was wrong with it then."""

from __future__ import annotations

from typing import Final

from tests.fuzz.wire_seeds import adyen

FINDINGS: Final = (
    (
        "callback_adyen",
        adyen()[0].replace(b'033899"', b'0338\\u0000"', 1),
        "a NUL in a card's facts, which no database keeps, held up every event behind it",
    ),
)
