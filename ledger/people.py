"""Who decides: one person's name in one way of writing, so that a space or a capital makes nobody a second person."""

from __future__ import annotations

from ledger.errors import PersonError


def person(name: str) -> str:
    """Return a name as it is kept: single spaces, lower case. An empty or unprintable one is refused."""
    written = " ".join(name.split()).casefold()
    if not written or not written.isprintable():
        raise PersonError("a person has a name that can be read")
    return written


def same_person(one: str, other: str) -> bool:
    """Say whether two names are one person's, whatever their spaces and capitals. No name at all is nobody else's."""
    ours, theirs = (" ".join(name.split()).casefold() for name in (one, other))
    return not ours or not theirs or ours == theirs
