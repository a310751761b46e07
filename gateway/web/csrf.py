"""Proof that a form came from our own page, without a session: an HMAC over what the form is about."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

FIELD: Final = "csrf"
_SITES_TRUSTED: Final = frozenset({"same-origin", "none"})


def csrf_token(key: bytes, purpose: str, subject: str) -> str:
    """Return the value of the hidden field, good for one purpose (`pay`, `cancel`) of one link's token."""
    return hmac.new(key, f"csrf\0{purpose}\0{subject}".encode(), hashlib.sha256).hexdigest()[:40]


def form_is_ours(key: bytes, purpose: str, subject: str, given: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a posted form may act.

    Two walls: the token nobody without the key can make, and the browser's own word on where the form stood. The
    Origin header cannot be the second wall, because a page without a referrer sends `Origin: null` with its own forms.
    """
    if headers.get("Sec-Fetch-Site", "none") not in _SITES_TRUSTED:
        return False
    return hmac.compare_digest(csrf_token(key, purpose, subject).encode(), given.encode())
