"""The check code on a receipt: proof, without a look-up by guessing, that we issued it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from gateway.services.payers.views import ReceiptView
from gateway.web.typed import clean

_ALPHABET: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def check_code(secret: bytes, receipt: ReceiptView) -> str:
    """Return 16 letters and digits (80 bits) over what the receipt says; none is easily mistaken for another."""
    said = "\0".join(
        (
            "receipt",
            receipt.receipt_number,
            receipt.intent_id,
            str(receipt.total),
            receipt.paid_at.isoformat(timespec="seconds"),
        )
    )
    digest = hmac.new(secret, said.encode(), hashlib.sha256).digest()[:10]
    return base64.b32encode(digest).translate(_ALPHABET).decode()


def show_code(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def read_code(typed: str) -> str:
    """Read a code as people type it: lower case, native digits, O for 0, dashes and spaces anywhere."""
    return clean(typed).upper().translate(_LOOKALIKES)


def is_genuine(secrets: Sequence[bytes], receipt: ReceiptView, given: str) -> bool:
    """Tell whether any key we ever signed with gives this code."""
    code = read_code(given).encode()
    # Every key is compared, whichever fits, so that the time taken tells nothing.
    fits = [hmac.compare_digest(check_code(secret, receipt).encode(), code) for secret in secrets]
    return any(fits)
