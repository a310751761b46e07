"""Choosing among providers: what the routing says, less what cannot take the payment now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.contract import Captures, Method, Provider, Restricts, Voids
from gateway.deps import Deps
from gateway.domain import circuit as circuits
from gateway.domain import routing
from gateway.domain.routing import Payment, Share
from gateway.store.attempts import Attempt
from gateway.store.intents import Intent, IntentLine
from gateway.store.switchboard import Switchboard


@dataclass(frozen=True, slots=True)
class Offered:
    """Ways to pay one payment now, and ways that only maintenance or an outage keeps from being offered."""

    methods: tuple[Method, ...]
    resting: tuple[Method, ...]


def payment_of(intent: Intent, lines: Sequence[IntentLine], last: Attempt | None, language: str | None) -> Payment:
    """Gather what the routing may look at. A card's scheme is known when one was tried before."""
    scheme = last.facts.get("scheme") if last is not None else None
    return Payment(
        amount=intent.amount,
        departments=frozenset({intent.department, *(line.department for line in lines)}),
        services=frozenset(line.service for line in lines if line.service is not None),
        language=language or intent.language,
        scheme=scheme.upper() if scheme else None,
        capture_later=intent.capture_later,
    )


async def offered(deps: Deps, payment: Payment) -> Offered:
    """Return the ways to pay, in the order of the settings."""
    board = await deps.switchboard.get()
    methods, resting = [], []
    for method in deps.routing:
        tiers, able = _able(deps, board, method, payment)
        if routing.order(tiers, {name for name in able if _rests_not(deps, board, name)}, 0):
            methods.append(method)
        elif routing.order(tiers, able, 0):
            resting.append(method)
    return Offered(tuple(methods), tuple(resting))


async def plan(deps: Deps, method: Method, payment: Payment) -> tuple[str, ...]:
    """Return the providers to try for one payment, best first; none when this way to pay is not offered."""
    board = await deps.switchboard.get()
    tiers, able = _able(deps, board, method, payment)
    usable = {name for name in able if _rests_not(deps, board, name)}
    return routing.order(tiers, usable, int.from_bytes(deps.random_bytes(routing.DRAW_BYTES)))


def _able(
    deps: Deps, board: Switchboard, method: Method, payment: Payment
) -> tuple[tuple[tuple[Share, ...], ...], set[str]]:
    """Return what the routing says, and which of the providers could take this very payment."""
    offering = [name for name in deps.routing.get(method, ()) if name in deps.providers]
    tiers = routing.tiers_for(board.rules, method, payment, offering)
    return tiers, {name for name in offering if _takes(deps, name, payment)}


def _takes(deps: Deps, name: str, payment: Payment) -> bool:
    provider = deps.providers[name]
    if payment.capture_later and not captures_later(provider):
        return False
    return not isinstance(provider, Restricts) or provider.refusal(payment.amount) is None


def captures_later(provider: Provider) -> bool:
    """Tell a provider that can reserve an amount, take it when told to, and let go of it."""
    return isinstance(provider, Captures) and isinstance(provider, Voids)


def _rests_not(deps: Deps, board: Switchboard, name: str) -> bool:
    now = deps.clock()
    return not board.drained(name, now) and circuits.admits(board.circuit(name, "start"), now)
