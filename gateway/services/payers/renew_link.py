"""A link to the provider's page that is good for a moment only is fetched again when the payer goes on later."""

from __future__ import annotations

from msgspec.structs import replace

from adapters.contract import Outcome
from gateway.deps import Deps
from gateway.domain.attempt import LIVE
from gateway.services import links
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.providers import ask_provider
from gateway.store import attempts, intents


async def renew_link(deps: Deps, token: str, language: str) -> None:
    """Start the payment's live attempt again under its own reference: the same payment, a fresh link.

    No answer is no news here: the attempt was under way before, and stays what it was.
    """
    intent_id = links.intent_of(deps, token)
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
    if intent is None or last is None or last.status not in LIVE or last.review is not None:
        return
    report = await ask_provider.start(deps, replace(intent, language=language), last)
    if report.outcome not in (Outcome.NOT_SENT, Outcome.UNKNOWN):
        await apply_reports(deps, [Finding(last.id, report)])
