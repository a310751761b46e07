"""How a payer is reached, and how the database keeps that: sealed, so that its files and copies do not tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gateway.domain.sealing import Sealer

_BLOCK_BYTES: Final = 64
"""What is sealed is filled up to whole blocks, so that its length does not tell an address."""

_TEXTS: Final = msgspec.json.Decoder(list[str | None])


class Contact(msgspec.Struct, frozen=True):
    """How the payer of one attempt is reached, and the bank they chose."""

    email: str | None = None
    mobile: str | None = None
    bank: str | None = None


class KeptContact(msgspec.Struct, frozen=True):
    """An e-mail address and a mobile number as stored; in clear only where they were written before sealing."""

    sealed: bytes | None = None
    clear_email: str | None = None
    clear_mobile: str | None = None


NO_CONTACT: Final = KeptContact()


def seal_texts(sealer: Sealer, texts: Sequence[str | None], about: str, random_bytes: Callable[[int], bytes]) -> bytes:
    """Seal a few texts as one."""
    plain = msgspec.json.encode(texts)
    return sealer.seal(plain + b" " * (-len(plain) % _BLOCK_BYTES), about, random_bytes)


def open_texts(sealer: Sealer, sealed: bytes, about: str) -> list[str | None]:
    return _TEXTS.decode(sealer.open(sealed, about))


def seal_contact(
    sealer: Sealer, email: str | None, mobile: str | None, about: str, random_bytes: Callable[[int], bytes]
) -> KeptContact:
    """Seal a contact for the row it is kept in; nothing is kept of nothing."""
    if email is None and mobile is None:
        return NO_CONTACT
    return KeptContact(seal_texts(sealer, (email, mobile), about, random_bytes))


def open_contact(sealer: Sealer, kept: KeptContact, about: str) -> Contact:
    """Open a contact; `SealedError` when its key is not here."""
    if kept.sealed is None:
        return Contact(kept.clear_email, kept.clear_mobile)
    email, mobile = open_texts(sealer, kept.sealed, about)
    return Contact(email, mobile)
