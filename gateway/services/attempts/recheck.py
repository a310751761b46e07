"""Asking again about payments that the night could not explain, decided ones included."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.deps import Deps
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.providers import ask_provider
from gateway.store import attempts, intents
from gateway.store.attempts import Attempt


async def recheck(deps: Deps, references: Sequence[str]) -> int:
    """Ask the provider about each attempt named and apply its word; return how many were ours to ask about.

    A provider's file may show money for an attempt that was proven dead, or was never heard of again. The file is no
    proof of a single payment; the provider's own answer about it is, and it goes the way every answer goes.
    """
    async with deps.connection() as connection:
        named = await attempts.read_many(connection, references)
        owners = await intents.read_many(connection, {attempt.intent for attempt in named.values()})

    async def ask(attempt: Attempt) -> list[Finding]:
        report = await ask_provider.query(deps, owners[attempt.intent], attempt)
        return [Finding(attempt.id, report)] if report is not None else []

    found = await ask_provider.several(deps, list(named.values()), ask)
    await apply_reports(deps, [finding for findings in found for finding in findings])
    return len(named)
