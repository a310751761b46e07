"""Calls to providers, always outside a transaction, always answered by a report or by None for "no news"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import structlog

from adapters.contract import (
    Captures,
    DeclineReason,
    Finishes,
    Outcome,
    PaymentOrder,
    PaymentReport,
    Provider,
    Voids,
)
from adapters.errors import NotSentError, OutcomeUnknownError, ProviderError, RejectedError
from gateway import metrics
from gateway.deps import Deps
from gateway.domain.intent import FINAL
from gateway.services import links
from gateway.services.contacts import reached_at
from gateway.services.providers import circuits
from gateway.services.providers.circuits import CircuitOpenError
from gateway.services.several import several as bounded
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent
from ledger.money import Money

_log: Final = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


def order_of(deps: Deps, intent: Intent, attempt: Attempt) -> PaymentOrder:
    """Rebuild the order of an attempt from what was saved before the provider was first called."""
    payer = reached_at(deps, intent, attempt)
    return PaymentOrder(
        reference=attempt.id,
        amount=attempt.amount,
        description=intent.reference,
        language=intent.language,
        return_url=links.result_url(deps, intent.id),
        cancel_url=links.checkout_url(deps, intent.id),
        callback_url=links.callback_url(deps, attempt.provider),
        expires_at=intent.expires_at,
        payer_email=payer.email,
        payer_mobile=payer.mobile,
        payer_bank=payer.bank,
        landing_url=links.landing_url(deps, attempt.provider),
        started_at=attempt.started_at,
        capture_later=intent.capture_later,
    )


async def start(deps: Deps, intent: Intent, attempt: Attempt) -> PaymentReport:
    """Ask the provider to collect. Whatever goes wrong has one of the five outcomes; nothing is raised."""
    provider = deps.providers[attempt.provider]

    async def ask() -> PaymentReport:
        return await provider.start(order_of(deps, intent, attempt))

    try:
        report = await circuits.ask(deps, attempt.provider, "start", ask, is_failure=_is_failure)
    except NotSentError as error:
        return _counted(attempt, "start", PaymentReport(Outcome.NOT_SENT, word=error.code))
    except RejectedError as error:
        turned_away = error.status in circuits.TURNS_US_AWAY
        reason = DeclineReason.PROVIDER_OUTAGE if turned_away else DeclineReason.OTHER
        declined = PaymentReport(Outcome.DECLINED, word=error.code, decline=reason)
        return _counted(attempt, "start", declined)
    except (OutcomeUnknownError, ProviderError, TimeoutError, OSError) as error:
        return _counted(attempt, "start", PaymentReport(Outcome.UNKNOWN, word=_word(error)))
    except Exception as error:  # noqa: BLE001 - an adapter's own fault tells nothing about the money
        _log.exception("provider_start_failed", provider=attempt.provider, attempt=attempt.id)
        return _counted(attempt, "start", PaymentReport(Outcome.UNKNOWN, word=_word(error)))
    return _counted(attempt, "start", report)


async def query(
    deps: Deps, intent: Intent, attempt: Attempt, *, hinted_reference: str | None = None
) -> PaymentReport | None:
    """Read the provider's truth about an attempt; None when it could not be read, which is no news.

    `hinted_reference` is the provider's reference as a callback names it, before we have heard it ourselves. What is
    found under it counts only if the provider itself ties it to our attempt: the callback may be forged.
    """
    reference = attempt.provider_reference or hinted_reference

    async def ask(provider: Provider) -> PaymentReport:
        return await provider.query(order_of(deps, intent, attempt), reference)

    report = await _ask(deps, attempt, "query", ask)
    if report is not None and attempt.provider_reference is None and hinted_reference is not None:
        if report.reference != attempt.id:
            metrics.REPORTS.labels(attempt.provider, "hint_not_ours").inc()
            return None
        return replace(report, provider_reference=report.provider_reference or hinted_reference)
    return report


async def follow(
    deps: Deps, intent: Intent, attempt: Attempt, *, hinted_reference: str | None = None
) -> PaymentReport | None:
    """Read the provider's truth, and collect what the payer has authorised while the intent still waits for it."""
    report = await query(deps, intent, attempt, hinted_reference=hinted_reference)
    if report is not None and intent.status not in FINAL and _waits_for_capture(deps, intent, attempt, report):
        return await _capture(deps, attempt, report)
    return report


def _waits_for_capture(deps: Deps, intent: Intent, attempt: Attempt, report: PaymentReport) -> bool:
    """Tell an authorisation of just what was asked for, at a provider that captures only when told to.

    Where the department captures later, its word comes first; it may want less than the payer has authorised.
    """
    wanted = attempt.amount
    if intent.capture_later:
        if intent.capture_asked_at is None or intent.authorised_minor is None:
            return False
        wanted = Money(intent.authorised_minor, attempt.amount.currency)
    return (
        report.outcome is Outcome.PENDING
        and report.authorised == wanted
        and report.provider_reference is not None
        and attempt.review is None
        and isinstance(deps.providers[attempt.provider], Captures)
    )


async def _capture(deps: Deps, attempt: Attempt, report: PaymentReport) -> PaymentReport:
    """Collect what the payer has authorised; an adapter captures once, however often it is asked."""

    async def ask(provider: Provider) -> PaymentReport:
        if not isinstance(provider, Captures) or report.provider_reference is None:
            return report
        return await provider.capture(attempt.id, report.provider_reference, attempt.amount)

    return await _ask(deps, attempt, "capture", ask) or report


async def void(deps: Deps, intent: Intent, attempt: Attempt) -> PaymentReport | None:
    """Ask the provider to give an attempt up; None when it cannot, or when there is nothing to name it by."""
    if attempt.provider not in deps.providers:
        return None
    provider = deps.providers[attempt.provider]
    # A rail on which we make the payment ourselves has nothing but our reference until it is made.
    reference = attempt.provider_reference or ("" if isinstance(provider, Finishes) else None)
    if not isinstance(provider, Voids) or reference is None:
        return None

    async def ask(_: Provider) -> PaymentReport:
        return await provider.void(order_of(deps, intent, attempt), reference)

    return await _ask(deps, attempt, "void", ask)


async def finish(deps: Deps, intent: Intent, attempt: Attempt, continuation: str) -> PaymentReport | None:
    """Make the payment its payer has consented to; None when there is no answer to trust, and it is to be asked again.

    Not even "the request never left" is an outcome here: the payer's consent stands at the bank.
    """
    if not isinstance(deps.providers.get(attempt.provider), Finishes):
        return None

    async def ask(provider: Provider) -> PaymentReport:
        if not isinstance(provider, Finishes):
            raise TypeError("the provider finishes nothing")
        return await provider.finish(order_of(deps, intent, attempt), continuation)

    return await _ask(deps, attempt, "finish", ask)


async def several(deps: Deps, items: Sequence[T], ask: Callable[[T], Awaitable[R]]) -> list[R]:
    """Ask about several things at once, within the bound of concurrent calls to providers."""
    return await bounded(items, ask, at_once=deps.limits.provider_calls_at_once)


async def _ask(
    deps: Deps, attempt: Attempt, call: str, ask: Callable[[Provider], Awaitable[PaymentReport]]
) -> PaymentReport | None:
    async def once() -> PaymentReport:
        return await ask(deps.providers[attempt.provider])

    try:
        report = await circuits.ask(deps, attempt.provider, call, once, is_failure=_is_failure)
    except CircuitOpenError:
        return None  # counted; nobody was asked
    except (ProviderError, TimeoutError, OSError) as error:
        metrics.PROVIDER_CALLS.labels(attempt.provider, call, _word(error)).inc()
        _log.warning("provider_did_not_answer", call=call, provider=attempt.provider, attempt=attempt.id)
        return None
    except Exception as error:  # noqa: BLE001 - an adapter's own fault tells nothing about the money
        metrics.PROVIDER_CALLS.labels(attempt.provider, call, _word(error)).inc()
        _log.exception("provider_call_failed", call=call, provider=attempt.provider, attempt=attempt.id)
        return None
    _counted(attempt, call, report)
    return None if report.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT) else report


def _is_failure(report: PaymentReport) -> bool:
    """Tell an answer which means that the provider does not work."""
    return report.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT) or report.decline is DeclineReason.PROVIDER_OUTAGE


def _counted(attempt: Attempt, call: str, report: PaymentReport) -> PaymentReport:
    metrics.PROVIDER_CALLS.labels(attempt.provider, call, report.outcome.value).inc()
    if report.unrecognised:
        metrics.UNRECOGNISED.labels(attempt.provider).inc()
        _log.error("provider_word_unknown", provider=attempt.provider, attempt=attempt.id, word=report.word[:100])
    return report


def _word(error: BaseException) -> str:
    """Name a failure from a closed set, for a label and for people."""
    return error.code if isinstance(error, ProviderError) else type(error).__name__
