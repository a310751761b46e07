"""Service centres, the people who work there, and who of them is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.domain.agent import Agent
from gateway.domain.department import Names
from gateway.store.connections import Connection, Row

_AGENT: Final = """SELECT a.code, a.name, a.role, a.centre, c.name_ar, c.name_en, c.department, c.terminal_provider,
         a.password, a.failures, a.locked_until, a.maker, a.checker, a.disabled_at,
         a.chose_password
    FROM gateway.centre_agent a JOIN gateway.centre c ON c.code = a.centre"""
_ONE: Final = _AGENT + " WHERE a.code = $1"
_LOCKED: Final = _ONE + " FOR UPDATE OF a"
_SIGNED_IN: Final = (
    _AGENT
    + """ JOIN gateway.centre_session s ON s.agent = a.code
   WHERE s.token_sha256 = $1 AND s.ended_at IS NULL AND s.seen_at > $2 AND s.began_at > $3
     AND a.disabled_at IS NULL AND a.password IS NOT NULL"""
)


def _agent(row: Row) -> Agent:
    return Agent(
        code=row["code"],
        name=row["name"],
        is_supervisor=row["role"] == "supervisor",
        centre=row["centre"],
        centre_names=Names(row["name_ar"], row["name_en"]),
        department=row["department"],
        terminal_provider=row["terminal_provider"],
        password=row["password"],
        failures=row["failures"],
        locked_until=row["locked_until"],
        maker=row["maker"],
        checker=row["checker"],
        disabled_at=row["disabled_at"],
        chose_password=row["chose_password"],
    )


async def add_centre(
    connection: Connection, code: str, department: str, names: Names, terminal_provider: str | None, at: datetime
) -> bool:
    """Store a centre; False when its code is taken."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.centre (code, department, name_ar, name_en, terminal_provider, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) DO NOTHING RETURNING 1""",
        code, department, names.ar, names.en, terminal_provider, at,
    )  # fmt: skip
    return row is not None


async def has_centre(connection: Connection, code: str) -> bool:
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM gateway.centre WHERE code = $1)", code)
    return found


async def add_agent(
    connection: Connection, code: str, centre: str, name: str, role: str, maker: str, at: datetime
) -> bool:
    """Store a proposed agent; False when the code is taken."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.centre_agent (code, centre, name, role, maker, made_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) DO NOTHING RETURNING 1""",
        code, centre, name, role, maker, at,
    )  # fmt: skip
    return row is not None


async def read_agent(connection: Connection, code: str) -> Agent | None:
    row = await connection.fetchrow(_ONE, code)
    return _agent(row) if row else None


async def lock_agent(connection: Connection, code: str) -> Agent | None:
    row = await connection.fetchrow(_LOCKED, code)
    return _agent(row) if row else None


async def approve_agent(connection: Connection, code: str, password: str, checker: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.centre_agent SET password = $2, checker = $3, checked_at = $4 WHERE code = $1",
        code,
        password,
        checker,
        at,
    )


async def set_password(connection: Connection, code: str, password: str) -> None:
    """Keep a password the agent has chosen."""
    await connection.execute(
        "UPDATE gateway.centre_agent SET password = $2, chose_password = true WHERE code = $1", code, password
    )


async def note_tries(connection: Connection, code: str, failures: int, locked_until: datetime | None) -> None:
    await connection.execute(
        "UPDATE gateway.centre_agent SET failures = $2, locked_until = $3 WHERE code = $1", code, failures, locked_until
    )


async def disable_agent(connection: Connection, code: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.centre_agent SET disabled_at = coalesce(disabled_at, $2) WHERE code = $1", code, at
    )
    await end_sessions(connection, code, at)


async def begin_session(connection: Connection, digest: bytes, agent: str, at: datetime) -> None:
    await connection.execute(
        "INSERT INTO gateway.centre_session (token_sha256, agent, began_at, seen_at) VALUES ($1, $2, $3, $3)",
        digest,
        agent,
        at,
    )


async def signed_in(
    connection: Connection, digest: bytes, seen_after: datetime, began_after: datetime, at: datetime
) -> Agent | None:
    """Return whose session this is, and note that it was used; None when it is over."""
    row = await connection.fetchrow(_SIGNED_IN, digest, seen_after, began_after)
    if row is None:
        return None
    await connection.execute("UPDATE gateway.centre_session SET seen_at = $2 WHERE token_sha256 = $1", digest, at)
    return _agent(row)


async def end_session(connection: Connection, digest: bytes, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.centre_session SET ended_at = coalesce(ended_at, $2) WHERE token_sha256 = $1", digest, at
    )


async def end_sessions(connection: Connection, agent: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.centre_session SET ended_at = $2 WHERE agent = $1 AND ended_at IS NULL", agent, at
    )
