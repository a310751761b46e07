"""The people at the counters: proposed by one, let in by another, signed in by themselves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
from datetime import timedelta
from typing import Final

import structlog

from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.domain.department import Names
from gateway.domain.errors import InvalidError, NotFoundError, SamePersonError, TransitionError, UnauthenticatedError
from gateway.domain.ids import Prefix
from gateway.store import audits, centres
from gateway.store.audits import Deed
from gateway.store.connections import Connection
from ledger.people import same_person

_log: Final = structlog.get_logger(__name__)
IDLE: Final = timedelta(minutes=15)
WORKING_DAY: Final = timedelta(hours=12)
_TRIES_MAX: Final = 5
_LOCKED_FOR: Final = timedelta(minutes=15)
_COST: Final = {"n": 2**14, "r": 8, "p": 1}
_SALT_BYTES: Final = 16
_TOKEN_BYTES: Final = 32
PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 200
_CENTRE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
_AGENT: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,30}")
_NOBODY: Final = f"scrypt${'0' * 32}${'0' * 64}"
"""Checked where no agent is, so that the time taken does not tell which codes exist."""


async def add_centre(deps: Deps, code: str, department: str, names: Names, terminal_provider: str | None) -> None:
    if not _CENTRE.fullmatch(code):
        raise InvalidError("a centre's code is lower-case letters, digits, - and _", pointer="/code")
    if department not in (await deps.catalogue.get()).departments:
        raise InvalidError("this department is not in the catalogue", pointer="/department")
    if terminal_provider is not None and terminal_provider not in deps.providers:
        raise InvalidError("this provider has no settings here", pointer="/terminal_provider")
    async with deps.transaction() as connection:
        if not await centres.add_centre(connection, code, department, names, terminal_provider, deps.clock()):
            raise TransitionError("there is a centre with this code")


async def propose_agent(deps: Deps, code: str, centre: str, name: str, *, supervisor: bool, by: str) -> None:
    """Propose an agent. Nobody can sign in as one until a second person approves."""
    if not _AGENT.fullmatch(code):
        raise InvalidError("an agent's code is lower-case letters, digits, - and .", pointer="/code")
    role = "supervisor" if supervisor else "agent"
    async with deps.transaction() as connection:
        if not await centres.has_centre(connection, centre):
            raise NotFoundError("there is no such centre")
        if not await centres.add_agent(connection, code, centre, name, role, by, deps.clock()):
            raise TransitionError("there is an agent with this code")
        await _note(deps, connection, by, "agent_proposed", code, {"centre": centre, "role": role})


async def approve_agent(deps: Deps, code: str, *, by: str) -> str:
    """Let an agent in as the second person; return the first password, which is not kept."""
    password = _spoken(deps.random_bytes(10))
    hashed = await _hash(deps, password)
    async with deps.transaction() as connection:
        agent = await centres.lock_agent(connection, code)
        if agent is None:
            raise NotFoundError("there is no such agent")
        if agent.checker is not None:
            raise TransitionError("this agent was let in before")
        if same_person(agent.maker, by):
            raise SamePersonError("whoever proposed an agent cannot let them in")
        await centres.approve_agent(connection, code, hashed, by, deps.clock())
        await _note(deps, connection, by, "agent_approved", code, {"role": agent.is_supervisor})
    return password


async def disable_agent(deps: Deps, code: str, *, by: str) -> None:
    """End an agent's access at once: what they are signed in to ends too."""
    async with deps.transaction() as connection:
        if await centres.lock_agent(connection, code) is None:
            raise NotFoundError("there is no such agent")
        await centres.disable_agent(connection, code, deps.clock())
        await _note(deps, connection, by, "agent_disabled", code, None)


async def sign_in(deps: Deps, code: str, password: str, *, instead_of: str = "") -> str:
    """Return the secret of a new session; whatever session the browser had ends, so that none can be planted."""
    now = deps.clock()
    async with deps.connection() as connection:
        agent = await centres.read_agent(connection, code) if _AGENT.fullmatch(code) else None
    if agent is not None and agent.locked_until is not None and agent.locked_until > now:
        raise UnauthenticatedError("locked")
    may = agent is not None and agent.password is not None and agent.disabled_at is None
    kept = agent.password if may and agent is not None and agent.password is not None else _NOBODY
    fits = await _fits(password[:PASSWORD_MAX], kept)
    async with deps.transaction() as connection:
        if agent is None:
            raise UnauthenticatedError("wrong")
        locked = await centres.lock_agent(connection, code)
        if fits and may and locked is not None and locked.password == kept:
            token = deps.random_bytes(_TOKEN_BYTES)
            await centres.note_tries(connection, code, 0, None)
            await centres.end_session(connection, _digest(instead_of), now)
            await centres.begin_session(connection, hashlib.sha256(token.hex().encode()).digest(), code, now)
            return token.hex()
        if locked is not None:
            await _count_failure(deps, connection, locked)
    raise UnauthenticatedError("wrong")


async def signed_in(deps: Deps, token: str) -> Agent | None:
    """Return who is signed in; None when nobody is, for too long nothing was done, or the working day is over."""
    if not token:
        return None
    now = deps.clock()
    async with deps.transaction() as connection:
        return await centres.signed_in(connection, _digest(token), now - IDLE, now - WORKING_DAY, now)


async def sign_out(deps: Deps, token: str) -> None:
    async with deps.transaction() as connection:
        await centres.end_session(connection, _digest(token), deps.clock())


async def change_password(deps: Deps, agent: Agent, old: str, new: str) -> None:
    """Take a password of the agent's own; every session of theirs ends."""
    if not PASSWORD_MIN <= len(new) <= PASSWORD_MAX:
        raise InvalidError(f"at least {PASSWORD_MIN} characters", pointer="/new")
    if agent.password is None or not await _fits(old[:PASSWORD_MAX], agent.password):
        async with deps.transaction() as connection:
            locked = await centres.lock_agent(connection, agent.code)
            if locked is not None and await _count_failure(deps, connection, locked):
                await centres.end_sessions(connection, agent.code, deps.clock())
        raise UnauthenticatedError("wrong")
    if new == old:
        raise InvalidError("another than the present one", pointer="/new")
    hashed = await _hash(deps, new)
    async with deps.transaction() as connection:
        await centres.set_password(connection, agent.code, hashed)
        await centres.end_sessions(connection, agent.code, deps.clock())
        await _note(deps, connection, agent.code, "password_changed", agent.code, None)


async def _count_failure(deps: Deps, connection: Connection, agent: Agent) -> bool:
    """Count a wrong password; tell whether it was one too many, after which the code rests for a while."""
    failures = agent.failures + 1
    full = failures >= _TRIES_MAX
    locked_until = deps.clock() + _LOCKED_FOR if full else None
    await centres.note_tries(connection, agent.code, 0 if full else failures, locked_until)
    _log.warning("agent_refused", agent=agent.code, locked=full)
    return full


async def _note(deps: Deps, connection: Connection, by: str, action: str, code: str, after: object) -> None:
    deed = Deed(deps.mint(Prefix.AUDIT), deps.clock(), by, action, code, after=after)
    await audits.record(connection, [deed])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _spoken(secret: bytes) -> str:
    """Write eighty bits as four groups that can be read out."""
    text = base64.b32encode(secret).decode("ascii").lower()
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


async def _hash(deps: Deps, password: str) -> str:
    salt = deps.random_bytes(_SALT_BYTES)
    return f"scrypt${salt.hex()}${(await asyncio.to_thread(_scrypt, password, salt)).hex()}"


async def _fits(password: str, kept: str) -> bool:
    """Compare off the event loop, which the work of a hash would hold up for everybody."""
    _, salt, digest = kept.split("$")
    made = await asyncio.to_thread(_scrypt, password, bytes.fromhex(salt))
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)
