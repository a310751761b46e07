"""What one credential may hand on to another: no scope it lacks, no longer life, no second pair of eyes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.domain.caller import Caller, Scope
from gateway.domain.errors import BeyondOwnRightsError, ForbiddenError, InvalidError, UnauthenticatedError
from gateway.store import credentials
from gateway.store.connections import Connection
from gateway.store.credentials import Standing


async def giver(connection: Connection, by: Caller, now: datetime) -> Standing:
    """Hold the department's credentials still and return what the caller can hand on.

    The process may have known the caller for a moment too long: one that has been ended hands on nothing.
    """
    await credentials.lock_department(connection, by.department)
    own = await credentials.standing(connection, by.id)
    if own is None or own.is_over(now):
        raise UnauthenticatedError
    return own


def allowed_scopes(by: Caller, wanted: Iterable[str]) -> frozenset[str]:
    """Return the scopes a department may give a credential of its own: none it lacks, and no second pair of eyes.

    Whoever may agree to refunds is chosen by the operator. A key that could make itself a second key could otherwise
    agree to what it asked for; what a key is rotated into counts as that key.
    """
    scopes = frozenset(wanted)
    if beyond := sorted(scopes - by.scopes):
        raise ForbiddenError(f"this credential lacks the scope {beyond[0]} and cannot give it to another")
    if Scope.REFUNDS_APPROVE.value in scopes:
        raise ForbiddenError(f"the scope {Scope.REFUNDS_APPROVE.value} is given by the operator alone")
    return scopes


def end_of(own: Standing, asked: datetime | None) -> datetime | None:
    """Return when a credential ends that this one makes: not after it."""
    if own.expires_at is None:
        return asked
    if asked is not None and asked > own.expires_at:
        raise InvalidError("lies after the end of the credential that asks", pointer="/expires_at")
    return asked or own.expires_at


def check_may_replace(
    by: Caller, own: Standing, *, scopes: Iterable[str], expires_at: datetime | None, requests_per_minute: int
) -> None:
    """Refuse to put what another credential has into these hands where it is more than they hold.

    Whoever replaces a key, or the keys of a client, can act as that credential from then on.
    """
    allowed_scopes(by, scopes)
    if own.expires_at is not None and (expires_at is None or expires_at > own.expires_at):
        raise BeyondOwnRightsError("that credential lives longer than the one that asks: it replaces its keys itself")
    if own.requests_per_minute is not None and requests_per_minute > own.requests_per_minute:
        raise BeyondOwnRightsError("that credential may send more than the one that asks: it replaces its keys itself")
