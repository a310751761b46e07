"""What payers' banks have taken back of payments, read from the books: a dispute is posted there first of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.refunds import Refund, of_attempts
from ledger.accounts import DISPUTES_RECEIVABLE
from ledger.item_moves import moved

_BORNE: Final = ("dispute_lost", "dispute_loss_returned", "break_written_off")
"""Journals between us by which we bear what was taken: the payer keeps it. Any other that closes a dispute, as the
provider's own line when it is won after all, brings it back."""


async def taken_back(connection: Connection, attempts: Iterable[Attempt]) -> dict[str, int]:
    """Return, by attempt, what the payer's bank has taken back and not returned; a lost dispute stays taken.

    A file that came before its payment was known to us may have named a dispute by the provider's reference.
    """
    names = {attempt.id: [each for each in (attempt.id, attempt.provider_reference) if each] for attempt in attempts}
    taken = await _taken(connection, [name for each in names.values() for name in each])
    sums = {attempt: sum(taken.get(name, 0) for name in each) for attempt, each in names.items()}
    return {attempt: minor for attempt, minor in sums.items() if minor > 0}


async def leave_room_for(connection: Connection, refund: Refund, attempt: Attempt) -> bool:
    """Tell whether a refund that counts already still fits beside what the payer's bank has taken back since."""
    taken_minor = (await taken_back(connection, [attempt])).get(attempt.id, 0)
    if not taken_minor or attempt.captured is None:
        return True
    used_minor = (await of_attempts(connection, [attempt.id])).get(attempt.id, refund.amount.amount_minor)
    return used_minor + taken_minor <= attempt.captured.amount_minor


async def _taken(connection: Connection, items: Sequence[str]) -> dict[str, int]:
    return await moved(connection, DISPUTES_RECEIVABLE, items, kinds_except=_BORNE)
