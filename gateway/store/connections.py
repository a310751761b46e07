"""What a statement runs on, and which failures mean that the database, not the request, is at fault."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"

Row: TypeAlias = asyncpg.Record

DATABASE_DOWN: Final[tuple[type[BaseException], ...]] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # a dead connection raises this, which is neither a PostgresError nor an OSError
    asyncpg.InternalClientError,  # released while its protocol was half way: MagicStack/asyncpg#784
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # the primary has just become a standby
    asyncpg.TransactionRollbackError,  # deadlocks and serialization failures: nothing happened, ask again
    OSError,
    TimeoutError,
)
"""The request may be repeated as it is; whether it took effect is told by its idempotency key."""


def to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def from_json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
