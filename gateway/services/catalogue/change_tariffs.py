"""Changing what a service costs: one person proposes a version, another approves it, and it is in force from its day.

A version begins at midnight of its day in the government's time zone and ends where the next one begins. The price of
an intent is that of the version in force when it was created, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

import asyncpg

from gateway.deps import Deps
from gateway.domain.errors import FieldFault, InvalidError, NotFoundError, SamePersonError, TransitionError
from gateway.domain.ids import Prefix
from gateway.domain.tariff import Tariff, Terms
from gateway.domain.tariff_terms import terms_document
from gateway.domain.text import check_text
from gateway.store import audits, tariffs
from gateway.store.audits import Deed
from gateway.store.connections import Connection
from gateway.store.tariffs import Proposal
from ledger.people import same_person

__all__ = ["Draft", "Proposal", "decide_tariffs", "list_undecided", "propose_tariffs", "tariff_history"]

NOTICE: Final = timedelta(minutes=1)
"""How long before its midnight a later version must be approved: by then every process has read it."""

_YEAR_MIN: Final = 1971
_YEAR_MAX: Final = 2199
_TEXT_MAX: Final = 500
_NAME_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A version as it is proposed."""

    service: str
    effective_on: date
    legal_basis: str
    terms: Terms


def first_instant(day: date, zone: tzinfo) -> datetime:
    """Return the instant a tariff of this day is in force from: its midnight in the government's zone."""
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True, slots=True)
class Proposing:
    """Who proposes and why; a department's system also says by which credential, and proposes for its own alone."""

    by: str
    reason: str
    caller: str | None = None
    own: str | None = None


@dataclass(frozen=True, slots=True)
class DraftFault:
    """What is wrong with one of several drafts, by its number and the place in it."""

    number: int
    pointer: str
    detail: str


async def propose_tariffs(deps: Deps, drafts: Sequence[Draft], *, by: str, reason: str) -> list[Proposal]:
    """Store proposals, all or none, each with the next version number of its service."""
    async with deps.transaction() as connection:
        return await propose_within(deps, connection, drafts, Proposing(by, reason))


async def propose_within(
    deps: Deps, connection: Connection, drafts: Sequence[Draft], proposing: Proposing
) -> list[Proposal]:
    """Store proposals in the caller's transaction."""
    by = check_text(proposing.by, length_max=_NAME_MAX, pointer="/by")
    reason = check_text(proposing.reason, length_max=_TEXT_MAX, pointer="/reason")
    services = [draft.service for draft in drafts]
    await tariffs.hold(connection, services)
    if faults := await draft_faults(deps, connection, drafts, own=proposing.own):
        raise InvalidError(faults=[FieldFault(f"/{one.number}{one.pointer}", "invalid", one.detail) for one in faults])
    now = deps.clock()
    last = await tariffs.last_versions(connection, services)
    proposals: list[Proposal] = []
    for draft in drafts:
        last[draft.service] += 1
        tariff = Tariff(
            id=deps.mint(Prefix.TARIFF),
            service=draft.service,
            version=last[draft.service],
            effective_on=draft.effective_on,
            effective_at=first_instant(draft.effective_on, deps.zone),
            legal_basis=draft.legal_basis,
            terms=draft.terms,
        )
        proposals.append(Proposal(tariff, reason, by, now, proposed_with=proposing.caller))
    await tariffs.insert(connection, proposals)
    await audits.record(connection, [_deed(deps, each, "tariff_proposed", by) for each in proposals])
    return proposals


async def draft_faults(
    deps: Deps, connection: Connection, drafts: Sequence[Draft], *, own: str | None = None
) -> list[DraftFault]:
    """Say of each draft that could never be approved why not, as things are now; the approval looks again."""
    services = [draft.service for draft in drafts]
    currencies = await tariffs.currencies(connection, services, own)
    begun = await tariffs.begun(connection, services)
    earliest = deps.clock() + NOTICE
    faults = []
    for number, draft in enumerate(drafts):
        found = _draft_faults(draft, currencies, "there is no service {} of yours" if own else "there is no service {}")
        days = [day for _, day in begun.get(draft.service, ())]
        if draft.effective_on in days:
            found.append(("/effective_on", "a version that begins on this day is approved already"))
        elif days and first_instant(draft.effective_on, deps.zone) < earliest:
            found.append(("/effective_on", "this service has a tariff; another cannot begin on a day that has begun"))
        faults += [DraftFault(number, pointer, detail) for pointer, detail in found]
    return faults


async def decide_tariffs(deps: Deps, tariff_ids: Sequence[str], *, by: str, approve: bool) -> list[Proposal]:
    """Approve or refuse proposals, all or none, as somebody other than whoever made them."""
    check_text(by, length_max=_NAME_MAX, pointer="/by")
    now = deps.clock()
    decision = "approved" if approve else "refused"
    async with deps.transaction() as connection:
        found = await tariffs.lock(connection, tariff_ids)
        for tariff_id in tariff_ids:
            if tariff_id not in found:
                raise NotFoundError(f"there is no tariff {tariff_id}")
            _check_decidable(found[tariff_id], by)
        if approve:
            await _check_beginnings(connection, list(found.values()), now)
        try:
            await tariffs.decide(connection, tariff_ids, decision, by, now)
        except asyncpg.UniqueViolationError:
            raise TransitionError("two versions of one service would begin on the same day") from None
        await audits.record(
            connection, [_deed(deps, found[tariff_id], f"tariff_{decision}", by) for tariff_id in tariff_ids]
        )
    deps.catalogue.forget()
    return [found[tariff_id] for tariff_id in tariff_ids]


async def list_undecided(deps: Deps, limit: int) -> list[Proposal]:
    async with deps.connection() as connection:
        return await tariffs.undecided(connection, limit)


async def tariff_history(deps: Deps, service: str) -> list[Proposal]:
    """Return all versions of a service's tariff, oldest first."""
    async with deps.connection() as connection:
        return await tariffs.history(connection, service)


def _draft_faults(draft: Draft, currencies: Mapping[str, str], unknown: str) -> list[tuple[str, str]]:
    faults = []
    if draft.service not in currencies:
        faults.append(("/service", unknown.format(draft.service)))
    elif draft.terms.currency != currencies[draft.service]:
        faults.append(("/terms/currency", f"this service is charged in {currencies[draft.service]}"))
    if not _YEAR_MIN <= draft.effective_on.year <= _YEAR_MAX:
        faults.append(("/effective_on", f"a day from {_YEAR_MIN} to {_YEAR_MAX}"))
    try:
        check_text(draft.legal_basis, length_max=_TEXT_MAX, pointer="/legal_basis")
    except InvalidError as error:
        faults.append(("/legal_basis", error.detail))
    return faults


def _check_decidable(proposal: Proposal, by: str) -> None:
    if proposal.decision is not None:
        raise TransitionError(f"tariff {proposal.tariff.id} is {proposal.decision} already")
    if same_person(proposal.maker, by):
        raise SamePersonError


async def _check_beginnings(connection: Connection, proposals: Sequence[Proposal], now: datetime) -> None:
    """Refuse to change a price that is in force: only a service's first tariff may begin at once or in the past."""
    services = [each.tariff.service for each in proposals]
    await tariffs.hold(connection, services)
    begun = await tariffs.begun(connection, services)
    for each in proposals:
        if begun.get(each.tariff.service) and each.tariff.effective_at < now + NOTICE:
            day = each.tariff.effective_on
            raise TransitionError(f"{each.tariff.service} has a tariff; another cannot begin on {day}, which has begun")


def _deed(deps: Deps, proposal: Proposal, action: str, by: str) -> Deed:
    tariff = proposal.tariff
    after: dict[str, Any] = {
        "tariff": tariff.id,
        "version": tariff.version,
        "effective_on": tariff.effective_on.isoformat(),
        "legal_basis": tariff.legal_basis,
        "terms": terms_document(tariff.terms),
        "reason": proposal.reason,
    }
    if proposal.proposed_with is not None:
        after["proposed_with"] = proposal.proposed_with
    return Deed(deps.mint(Prefix.AUDIT), deps.clock(), by, action, tariff.service, after=after)
