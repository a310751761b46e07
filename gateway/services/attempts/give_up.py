"""Ending an attempt at the provider before we end its intent: ask, void, apply what it says."""

from __future__ import annotations

from msgspec.structs import replace

from adapters.contract import Outcome
from gateway.deps import Deps
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.providers import ask_provider
from gateway.store import captures, intents
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent


async def give_up(deps: Deps, intent: Intent, attempt: Attempt) -> bool:
    """Ask the provider what became of a live attempt and to give it up; False when it did not answer.

    False, too, when its department has asked for what is reserved: the provider has the last word then.
    True does not mean dead: a provider may be unable to void what its payer has not touched. What it captures after
    all is late money.
    """
    report = await ask_provider.query(deps, intent, attempt)
    if report is None:
        return False
    await apply_reports(deps, [Finding(attempt.id, report)])
    if report.outcome is Outcome.PENDING:
        if intent.capture_later and not await _let_go(deps, intent.id):
            return False
        named = replace(attempt, provider_reference=attempt.provider_reference or report.provider_reference)
        voided = await ask_provider.void(deps, intent, named)
        if voided is not None:
            await apply_reports(deps, [Finding(attempt.id, voided, given_up=True)])
        elif (again := await ask_provider.query(deps, intent, named)) is not None:
            # The void may have lost its race against the payer.
            await apply_reports(deps, [Finding(attempt.id, again)])
    return True


async def _let_go(deps: Deps, intent_id: str) -> bool:
    """Say under the lock that the void is coming, so that no capture is accepted behind it; False after one was."""
    async with deps.transaction() as connection:
        intent = (await intents.lock(connection, [intent_id]))[intent_id]
        if intent.awaits_capture:
            return False
        await captures.let_go(connection, intent_id, deps.clock())
    return True
