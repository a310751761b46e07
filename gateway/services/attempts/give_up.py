"""Ending an attempt at the provider before we end its intent: ask, void, apply what it says."""

from __future__ import annotations

from msgspec.structs import replace

from adapters.contract import Outcome
from gateway.deps import Deps
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.providers import ask_provider
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent


async def give_up(deps: Deps, intent: Intent, attempt: Attempt) -> bool:
    """Ask the provider what became of a live attempt and to give it up; False when it did not answer.

    True does not mean dead: a provider may be unable to void what its payer has not touched. What it captures after
    all is late money.
    """
    report = await ask_provider.query(deps, intent, attempt)
    if report is None:
        return False
    await apply_reports(deps, [Finding(attempt.id, report)])
    if report.outcome is Outcome.PENDING:
        named = replace(attempt, provider_reference=attempt.provider_reference or report.provider_reference)
        voided = await ask_provider.void(deps, intent, named)
        if voided is not None:
            await apply_reports(deps, [Finding(attempt.id, voided, given_up=True)])
        elif (again := await ask_provider.query(deps, intent, named)) is not None:
            # The void may have lost its race against the payer.
            await apply_reports(deps, [Finding(attempt.id, again)])
    return True
