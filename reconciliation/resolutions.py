"""How a break ends by people: one proposes, another decides, and what they decide is a journal or a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import asyncpg

from ledger.entry import Entry
from ledger.ids import mint
from ledger.journal import PostStatus, hold_books, post_within
from ledger.people import same_person
from reconciliation.breaks import ACTIONS_WITHOUT_JOURNAL, Action
from reconciliation.deps import Deps
from reconciliation.errors import BooksDisagreeError, NightRunningError, NotAllowedError, NotFoundError, SamePersonError
from reconciliation.left_open import break_after_part
from reconciliation.matching import MatchOutcome
from reconciliation.resolution_plan import Foreseen, Plan, Target, allowed, foresee, plan
from reconciliation.store import (
    Connection,
    Record,
    audits,
    breaks,
    leases,
    left_open,
    line_matching,
    payout_release,
    resolutions,
    unmatches,
)
from reconciliation.store.line_matching import NewMatch

CLOSING: Final = frozenset({
    Action.ACCEPT, Action.WRITE_OFF, Action.BOOK_LOSS, Action.RETURN_LOSS, Action.BOOK_PAID, Action.MATCH_BY_HAND,
    Action.EXCHANGE,
})  # fmt: skip
"""The actions that end a break; what they leave of its item is another. After others it stays until its item closes."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a break's history."""

    at: datetime
    actor: str
    action: str
    note: str


@dataclass(frozen=True, slots=True)
class BreakView:
    """A break as a person sees it; `detail` is the JSON its sentence is made from."""

    id: str
    type: str
    status: str
    owner: str
    business_date: date
    currency: str | None
    amount_minor: int
    account: str | None
    item: str | None
    detail: str
    history: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class PendingResolution:
    """A proposal that waits for somebody else, and the journal its approval would post; `refused` when it cannot."""

    id: str
    break_id: str
    action: Action
    reason: str
    maker: str
    entry: Entry | None
    refused: str


async def read_break(deps: Deps, break_id: str) -> BreakView:
    """Read one break with its history."""
    async with deps.pool.acquire() as connection:
        found = await breaks.read(connection, break_id)
        if found is None:
            raise NotFoundError(f"there is no break {break_id}")
        history = tuple(Event(**dict(row)) for row in await breaks.read_history(connection, break_id))
    return BreakView(
        found["id"], found["type"], found["status"], found["owner"], found["business_date"], found["currency"],
        found["amount_minor"], found["account"], found["item"], found["detail"], history,
    )  # fmt: skip


async def resolutions_to_decide(deps: Deps) -> list[PendingResolution]:
    """Read the proposals that wait, oldest first, each with its journal as the books stand now."""
    async with deps.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        return [await _pending(connection, deps, row) for row in await resolutions.waiting(connection)]


async def _pending(connection: Connection, deps: Deps, row: Record) -> PendingResolution:
    found = await breaks.read(connection, row["break_id"])
    if found is None:
        raise NotFoundError(f"there is no break {row['break_id']}")
    target = Target(row["account"], row["item"]) if row["account"] else None
    shown = await foresee(connection, deps, found, Action(row["action"]), target)
    return PendingResolution(
        row["id"], row["break_id"], shown.action, row["reason"], row["maker"], shown.entry, shown.refused
    )


async def foresee_break(deps: Deps, break_id: str) -> list[Foreseen]:
    """Say of every action a break may end by which journal it would post; for one with a target, its own side."""
    async with deps.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        found = await breaks.read(connection, break_id)
        if found is None:
            raise NotFoundError(f"there is no break {break_id}")
        if found["closed_at"] is not None:
            return []
        return [await foresee(connection, deps, found, action, None) for action in allowed(found)]


async def propose_resolution(
    deps: Deps, break_id: str, action: Action, *, by: str, reason: str, target: Target | None = None
) -> str:
    """Propose how a break ends; what would be posted is checked now and again when it is decided."""
    now = deps.clock()
    resolution_id = mint("rs", now, deps.random_bytes)
    async with deps.pool.acquire() as connection, connection.transaction():
        found = await _locked(connection, break_id, standing=True)
        if found["status"] == "proposed":
            raise NotAllowedError(f"break {break_id} has a proposal that waits for a decision")
        planned = await plan(connection, deps, found, action, target)
        try:
            await resolutions.insert(
                connection, resolution_id, break_id, action.value, reason,
                (target.account, target.item) if target else None, planned.cleared_minor if planned else None,
                _as_proposed(planned), by, now,
            )  # fmt: skip
        except asyncpg.CheckViolationError:
            raise NotAllowedError("a resolution needs a reason") from None
        await breaks.set_status(connection, break_id, "proposed", now)
        await breaks.tell(connection, break_id, by, f"proposed {action.value}", reason, now)
        await audits.insert(connection, deps, by, "resolution_proposed", break_id)
    return resolution_id


async def decide_resolution(deps: Deps, resolution_id: str, *, by: str, approve: bool, note: str = "") -> None:
    """Approve or refuse a proposal, as somebody other than its maker. Approving posts its journal with it.

    One approval at a time, never beside a night, and with the books held from the last look to the posting. A break
    that has ended meanwhile leaves nothing to approve; its proposal may still be refused.
    """
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        proposed = await resolutions.read(connection, resolution_id)
        if proposed is None:
            raise NotFoundError(f"there is no proposal {resolution_id}")
        if proposed["decision"] is not None:
            raise NotAllowedError(f"proposal {resolution_id} is {proposed['decision']} already")
        if same_person(proposed["maker"], by):
            raise SamePersonError
        action = Action(proposed["action"])
        if approve and not await leases.keep_away(connection, now):
            raise NightRunningError
        found = await _locked(connection, proposed["break_id"], standing=approve)
        await resolutions.decide(connection, resolution_id, by, "approved" if approve else "refused", now)
        if found["closed_at"] is None:
            status = "resolved" if approve and action in CLOSING else "open"
            await breaks.set_status(connection, found["id"], status, now)
        word = "approved" if approve else "refused"
        await breaks.tell(connection, found["id"], by, f"{word} {action.value}", note.strip(), now)
        await audits.insert(connection, deps, by, f"resolution_{word}", found["id"])
        if approve:
            await _post(connection, deps, found, proposed)
            if action in CLOSING:
                await _raise_rest(connection, deps, found, by)


async def comment(deps: Deps, break_id: str, *, by: str, text: str) -> None:
    """Add a remark to a break's history."""
    if not text.strip():
        raise NotAllowedError("a remark says something")
    async with deps.pool.acquire() as connection, connection.transaction():
        if await breaks.read(connection, break_id, lock=True) is None:
            raise NotFoundError(f"there is no break {break_id}")
        await breaks.tell(connection, break_id, by, "commented", text.strip(), deps.clock())


async def _locked(connection: Connection, break_id: str, *, standing: bool) -> Record:
    found = await breaks.read(connection, break_id, lock=True)
    if found is None:
        raise NotFoundError(f"there is no break {break_id}")
    if standing and found["closed_at"] is not None:
        raise NotAllowedError(f"break {break_id} is {found['status']} already")
    return found


def _as_proposed(planned: Plan | None) -> str | None:
    """Write a journal down as its maker saw it: a posting a line."""
    if planned is None:
        return None
    return "\n".join(f"{one.account} {one.amount} {one.item or ''}".rstrip() for one in planned.entry.postings)


async def _post(connection: Connection, deps: Deps, found: Record, proposed: Record) -> None:
    """Post what was proposed, if the books still say the same; nobody else posts between the look and the posting."""
    action = Action(proposed["action"])
    target = Target(proposed["account"], proposed["item"]) if proposed["account"] else None
    if action not in ACTIONS_WITHOUT_JOURNAL:
        await hold_books(connection)
    planned = await plan(connection, deps, found, action, target)
    if planned is None:
        return
    if _as_proposed(planned) != proposed["foreseen"]:
        raise NotAllowedError("the books have moved since it was proposed; refuse it, look again and propose anew")
    if target is not None and action in {Action.MATCH_BY_HAND, Action.EXCHANGE}:
        rule = "exchanged" if action is Action.EXCHANGE else "by_hand"
        await _keep_match(connection, found, rule, target.account, target.item, planned.actual_minor)
    if action is Action.BOOK_PAID:
        await payout_release.mark_booked_paid(connection, found, planned.cleared_minor, deps.clock())
    await _book(connection, planned.entry, deps.clock())


async def _raise_rest(connection: Connection, deps: Deps, found: Record, by: str) -> None:
    """Make what a decision left of the break's item somebody's work at once, unless another break is about it."""
    account, currency, item = found["account"], found["currency"], found["item"]
    if item is None or await left_open.has_break(connection, account, currency, item):
        return
    if left_minor := await resolutions.open_amount(connection, account, currency, item):
        rest = [break_after_part(found, left_minor)]
        await breaks.raise_breaks(connection, rest, now=deps.clock(), random_bytes=deps.random_bytes, actor=by)


async def _book(connection: Connection, entry: Entry, now: datetime) -> None:
    (posted,) = await post_within(connection, [entry], recorded_at=now)
    if posted.status is PostStatus.REFUSED:
        raise BooksDisagreeError(str(posted.error))


async def _keep_match(
    connection: Connection, found: Record, rule: str, account: str, item: str | None, actual_minor: int | None
) -> None:
    """Write down that people matched this line, so that it can be explained and undone as any other match."""
    if found["leg"] is None or found["line"] is None:
        return
    rows = await unmatches.versions(connection, found["leg"], found["file_no"], found["line"])
    if not rows or item is None:
        return
    match = NewMatch(
        leg=found["leg"], file_no=found["file_no"], line=found["line"], version=rows[-1]["version"] + 1,
        outcome=MatchOutcome.MATCHED, rule=rule, account=account, item=item, payment=rows[-1]["payment"],
        expected_minor=actual_minor, variance_minor=0 if actual_minor is None else found["amount_minor"] - actual_minor,
    )  # fmt: skip
    await line_matching.insert_matches(connection, [match])
