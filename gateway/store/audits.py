"""The audit trail of people's decisions about the gateway's own matters; it is only ever added to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.connections import Connection, to_json


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to which thing, and what it was like before and after."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    before: Any = None
    after: Any = None


async def record(connection: Connection, deeds: Iterable[Deed]) -> None:
    """Record deeds in the transaction that does them."""
    await connection.executemany(
        """INSERT INTO gateway.audit (id, at, actor, action, subject, before, after)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)""",
        [
            (
                deed.id, deed.at, deed.actor, deed.action, deed.subject,
                None if deed.before is None else to_json(deed.before),
                None if deed.after is None else to_json(deed.after),
            )
            for deed in deeds
        ],
    )  # fmt: skip
