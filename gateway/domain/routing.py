"""Which providers a payment may go to, and in which order: rules as data, the decision as arithmetic.

The first rule that fits a payment decides. Its tiers are tried in order; within a tier the draw is weighted, so that
a share of the payments goes to each. Randomness is passed in: the same number always gives the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.contract import Method
from ledger.money import Money

DRAW_BYTES: Final = 8
"""How much randomness one order takes: weights are small, so a 64-bit number leaves no bias worth naming."""


@dataclass(frozen=True, slots=True)
class Share:
    """A provider and its weight among those of its tier."""

    provider: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the routing table. What is None fits every payment; without tiers the method is not offered."""

    method: Method
    tiers: tuple[tuple[Share, ...], ...]
    department: str | None = None
    service: str | None = None
    currency: str | None = None
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    scheme: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What the routing knows of one payment. `scheme` is known once a card was tried before, in capitals."""

    amount: Money
    departments: frozenset[str]
    services: frozenset[str]
    language: str
    scheme: str | None = None
    capture_later: bool = False


def fits(rule: Rule, method: Method, payment: Payment) -> bool:
    """Tell whether a rule speaks of this payment. A bundle is spoken of by what any of its lines says."""
    amount = payment.amount
    return (
        rule.method is method
        and (rule.department is None or rule.department in payment.departments)
        and (rule.service is None or rule.service in payment.services)
        and (rule.currency is None or rule.currency == amount.currency)
        and (rule.amount_minor_min is None or amount.amount_minor >= rule.amount_minor_min)
        and (rule.amount_minor_max is None or amount.amount_minor <= rule.amount_minor_max)
        and (rule.scheme is None or rule.scheme == payment.scheme)
        and (rule.language is None or rule.language == payment.language)
    )


def tiers_for(
    rules: Sequence[Rule], method: Method, payment: Payment, otherwise: Sequence[str]
) -> tuple[tuple[Share, ...], ...]:
    """Return the tiers of the first rule that fits; without one, each of `otherwise` in its order."""
    for rule in rules:
        if fits(rule, method, payment):
            return rule.tiers
    return tuple((Share(name),) for name in otherwise)


def order(tiers: Sequence[Sequence[Share]], usable: Collection[str], draw: int) -> tuple[str, ...]:
    """Return every usable provider once, tier by tier, drawn by weight without putting back.

    `draw` is a uniform number of at least 64 bits; each step takes its share of it and passes the rest on. A weight
    of 0 stands behind the others of its tier: it takes over only when they cannot.
    """
    if draw < 0:
        raise ValueError("a draw is never negative")
    chosen: list[str] = []
    for tier in tiers:
        left = [share for share in tier if share.provider in usable and share.provider not in chosen]
        while left:
            total = sum(share.weight for share in left)
            place = 0
            if total:
                draw, point = divmod(draw, total)
                while point >= left[place].weight:
                    point -= left[place].weight
                    place += 1
            name = left.pop(place).provider
            left = [share for share in left if share.provider != name]
            chosen.append(name)
    return tuple(chosen)
