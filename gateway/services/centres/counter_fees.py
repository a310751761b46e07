"""What may be asked for at a counter, and what has to be known to price it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.domain.department import Bundle, Channel, Names, Service
from gateway.domain.tariff import (
    AMOUNT_MINOR_MAX,
    Concession,
    Measure,
    Open,
    PerUnit,
    Terms,
    Tiers,
    in_force,
    takes_base,
)
from gateway.store.catalogue import Catalogue
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One service as it is asked for at a counter, and what it costs by; without `terms` the catalogue says."""

    service: Service
    quantity: int
    terms: Terms | None
    in_bundle: bool

    @property
    def currency(self) -> str:
        return self.terms.currency if self.terms is not None else self.service.currency

    @property
    def asks_quantity(self) -> bool:
        """A bundle knows its quantities; of the others, those that are charged by the piece ask."""
        if self.in_bundle:
            return False
        if self.terms is None:
            return True
        kind = self.terms.price
        return isinstance(kind, PerUnit) or (isinstance(kind, Tiers) and kind.measure is Measure.QUANTITY)

    @property
    def asks_base(self) -> bool:
        return self.terms is not None and takes_base(self.terms.price)

    @property
    def asks_amount(self) -> bool:
        return self.service.amount_minor is None if self.terms is None else isinstance(self.terms.price, Open)

    @property
    def ends(self) -> tuple[Money, Money]:
        """The least and the most an open amount may be."""
        kind = self.terms.price if self.terms is not None else None
        least, most = (kind.minimum_minor, kind.maximum_minor) if isinstance(kind, Open) else (1, AMOUNT_MINOR_MAX)
        return Money(least, self.currency), Money(most, self.currency)

    @property
    def concessions(self) -> Sequence[Concession]:
        return self.terms.concessions if self.terms is not None else ()


@dataclass(frozen=True, slots=True)
class Fee:
    """What an agent has chosen: one service, or a bundle with its services."""

    choice: str
    names: Names
    lines: Sequence[FeeLine]
    bundle: str | None = None


@dataclass(frozen=True, slots=True)
class OfferedFees:
    services: Sequence[Service]
    bundles: Sequence[Bundle]


async def offered_fees(deps: Deps, agent: Agent) -> OfferedFees:
    """Return the services and bundles of the agent's department that are to be had at counters."""
    catalogue = await deps.catalogue.get()
    services = [one for one in catalogue.services.values() if one.department == agent.department and _at_counters(one)]
    bundles = [
        one
        for one in catalogue.bundles.values()
        if one.department == agent.department
        and all(_at_counters(catalogue.services[item.service]) for item in one.items)
    ]
    return OfferedFees(sorted(services, key=lambda one: one.code), sorted(bundles, key=lambda one: one.code))


async def find_fee(deps: Deps, agent: Agent, service: str, bundle: str) -> Fee | None:
    """Return what was chosen out of the offered fees, with what each line has to be told; None when it is not there."""
    offered = await offered_fees(deps, agent)
    catalogue = await deps.catalogue.get()
    for one in offered.bundles:
        if one.code == bundle:
            lines = [
                _line(deps, catalogue, catalogue.services[i.service], i.quantity, in_bundle=True) for i in one.items
            ]
            return Fee(bundle, one.names, lines, bundle)
    for each in offered.services:
        if each.code == service and not bundle:
            return Fee(service, each.names, [_line(deps, catalogue, each, 1, in_bundle=False)])
    return None


def _line(deps: Deps, catalogue: Catalogue, service: Service, quantity: int, *, in_bundle: bool) -> FeeLine:
    tariff = in_force(catalogue.tariffs.get(service.code, ()), deps.clock())
    return FeeLine(service, quantity, tariff.terms if tariff is not None else None, in_bundle)


def _at_counters(service: Service) -> bool:
    """A service that names no channel is to be had everywhere."""
    return not service.channels or Channel.COUNTER in service.channels
