"""One attempt to pay an intent through one provider."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from adapters.contract import Outcome


class AttemptStatus(StrEnum):
    STARTING = "starting"  # saved and committed, the provider not yet heard
    PENDING = "pending"  # the provider knows it and will tell later
    UNKNOWN = "unknown"  # asked, and no answer can be trusted; only ever queried
    SUCCEEDED = "succeeded"  # the provider says the money moved
    DECLINED = "declined"  # the provider says, explicitly, that none moved
    VOIDED = "voided"  # given up at the provider, proven


_S = AttemptStatus

TRANSITIONS: Final[Mapping[tuple[AttemptStatus, AttemptStatus], str]] = {
    (_S.STARTING, _S.PENDING): "accepted_by_provider",
    (_S.STARTING, _S.UNKNOWN): "no_trustworthy_answer",
    (_S.STARTING, _S.SUCCEEDED): "captured",
    (_S.STARTING, _S.DECLINED): "declined",
    (_S.STARTING, _S.VOIDED): "given_up",
    (_S.PENDING, _S.UNKNOWN): "no_trustworthy_answer",
    (_S.PENDING, _S.SUCCEEDED): "captured",
    (_S.PENDING, _S.DECLINED): "declined",
    (_S.PENDING, _S.VOIDED): "given_up",
    (_S.UNKNOWN, _S.PENDING): "found_at_provider",
    (_S.UNKNOWN, _S.SUCCEEDED): "captured",
    (_S.UNKNOWN, _S.DECLINED): "declined",
    (_S.UNKNOWN, _S.VOIDED): "given_up",
    # Regressions the world really makes, each by name. A hosted page lets a payer try a second card on the same
    # order after the first was declined, and a void can lose its race against the capture.
    (_S.DECLINED, _S.SUCCEEDED): "captured_after_decline",
    (_S.VOIDED, _S.SUCCEEDED): "captured_after_void",
}
"""Every edge of an attempt's life, with its name. What is not here changes nothing and is counted."""

LIVE: Final = frozenset({_S.STARTING, _S.PENDING, _S.UNKNOWN})
"""Money may still move: a second attempt would risk a second charge."""

PROVEN_DEAD: Final = frozenset({_S.DECLINED, _S.VOIDED})
"""The provider has said that nothing moved. Only then may the payer try again."""

REGRESSIONS: Final = frozenset({"captured_after_decline", "captured_after_void"})

_STATUS_OF: Final[Mapping[Outcome, AttemptStatus]] = {
    Outcome.SUCCEEDED: _S.SUCCEEDED,
    Outcome.DECLINED: _S.DECLINED,
    Outcome.PENDING: _S.PENDING,
    # The request never left, so nothing moved: as dead as a decline, and the payer may try again at once.
    Outcome.NOT_SENT: _S.DECLINED,
    Outcome.UNKNOWN: _S.UNKNOWN,
}


def status_of(outcome: Outcome) -> AttemptStatus:
    """Return the status an outcome asks for."""
    return _STATUS_OF[outcome]


def edge(status: AttemptStatus, target: AttemptStatus) -> str | None:
    """Return the name of the edge, or None when nothing may change.

    A pending answer about an attempt that is already decided is stale, and an unknown one about a pending attempt
    tells nothing new: both are None.
    """
    return TRANSITIONS.get((status, target))
