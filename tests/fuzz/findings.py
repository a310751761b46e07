"""What the search found, kept: the reader, the bytes, and what was wrong with it then."""

from __future__ import annotations

from typing import Final

from tests.fuzz.wire_seeds import adyen, samples, smpp

FINDINGS: Final = (
    (
        "callback_adyen",
        adyen()[0].replace(b'033899"', b'0338\\u0000"', 1),
        "a NUL in a card's facts, which no database keeps, held up every event behind it",
    ),
    (
        "answer_bank_transfer",
        samples("bank_transfer")[0].replace(b"pa_", b"pa\x9b", 1),
        "bytes that are not UTF-8 came out as they were, and not as an answer nobody can read",
    ),
    (
        "answer_daraja",
        b'{"ResponseCode":"1000","Response":[[],[]]}',
        "a list of no payment was unpacked as a list of one",
    ),
    (
        "error_altareq",
        b'{"message":' + b"[" * 20_000,
        "a refusal nested deeper than the reader goes broke whoever asked why",
    ),
    ("smpp", smpp()[0].replace(b"id:1 ", b"id:\0 "), "a receipt's id took a NUL with it"),
    ("smpp", smpp()[0].replace(b"id:1 ", b"id:\xff "), "a receipt whose id is not ASCII broke the connection's reader"),
)
