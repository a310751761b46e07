"""How a break ends by people: one proposes, another decides, and what they decide is a journal or a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import asyncpg

from ledger import accounts
from ledger.decisions import closed_until
from ledger.entry import Entry
from ledger.ids import mint
from ledger.journal import PostStatus, post_within
from ledger.money import Money
from ledger.people import same_person
from reconciliation.breaks import ACTIONS_WITHOUT_JOURNAL, Action
from reconciliation.deps import Deps
from reconciliation.dispute_loss import dispute_lost_entry
from reconciliation.errors import BooksDisagreeError, NotAllowedError, NotFoundError, SamePersonError
from reconciliation.matching import MatchOutcome
from reconciliation.postings import Booking
from reconciliation.resolution_postings import cleared_by_hand_entry, exchanged_entry
from reconciliation.store import Connection, Record, audits, breaks, line_matching, payees, resolutions, runs, unmatches
from reconciliation.store.line_matching import NewMatch

CLOSING: Final = frozenset({Action.ACCEPT, Action.WRITE_OFF, Action.BOOK_LOSS, Action.MATCH_BY_HAND, Action.EXCHANGE})
"""The actions that end a break. After the others it stays open until its item closes."""


@dataclass(frozen=True, slots=True)
class Target:
    """The open item that a match by hand, or an exchange, clears against the break's own."""

    account: str
    item: str


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
    """A proposal that waits for somebody else."""

    id: str
    break_id: str
    action: str
    reason: str
    maker: str


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
    """Read the proposals that wait, oldest first."""
    async with deps.pool.acquire() as connection:
        return [PendingResolution(**dict(row)) for row in await resolutions.waiting(connection)]


async def propose_resolution(
    deps: Deps, break_id: str, action: Action, *, by: str, reason: str, target: Target | None = None
) -> str:
    """Propose how a break ends; what would be posted is checked now and again when it is decided."""
    now = deps.clock()
    resolution_id = mint("rs", now, deps.random_bytes)
    async with deps.pool.acquire() as connection, connection.transaction():
        found = await _standing(connection, break_id)
        if found["status"] == "proposed":
            raise NotAllowedError(f"break {break_id} has a proposal that waits for a decision")
        amount_minor = await _check(connection, deps, found, action, target)
        try:
            await resolutions.insert(
                connection, resolution_id, break_id, action.value, reason,
                (target.account, target.item, amount_minor) if target else None, by, now,
            )  # fmt: skip
        except asyncpg.CheckViolationError:
            raise NotAllowedError("a resolution needs a reason") from None
        await breaks.set_status(connection, break_id, "proposed", now)
        await breaks.tell(connection, break_id, by, f"proposed {action.value}", reason, now)
        await audits.insert(connection, deps, by, "resolution_proposed", break_id)
    return resolution_id


async def decide_resolution(deps: Deps, resolution_id: str, *, by: str, approve: bool, note: str = "") -> None:
    """Approve or refuse a proposal, as somebody other than its maker. Approving posts its journal with it."""
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        proposed = await resolutions.read(connection, resolution_id)
        if proposed is None:
            raise NotFoundError(f"there is no proposal {resolution_id}")
        if proposed["decision"] is not None:
            raise NotAllowedError(f"proposal {resolution_id} is {proposed['decision']} already")
        if same_person(proposed["maker"], by):
            raise SamePersonError
        found = await _standing(connection, proposed["break_id"])
        action = Action(proposed["action"])
        target = Target(proposed["account"], proposed["item"]) if proposed["account"] else None
        await resolutions.decide(connection, resolution_id, by, "approved" if approve else "refused", now)
        status = "resolved" if approve and action in CLOSING else "open"
        await breaks.set_status(connection, found["id"], status, now)
        word = "approved" if approve else "refused"
        await breaks.tell(connection, found["id"], by, f"{word} {action.value}", note, now)
        await audits.insert(connection, deps, by, f"resolution_{word}", found["id"])
        if approve:
            amount_minor = await _check(connection, deps, found, action, target)
            await _post(connection, deps, found, action, target, amount_minor)


async def comment(deps: Deps, break_id: str, *, by: str, text: str) -> None:
    """Add a remark to a break's history."""
    async with deps.pool.acquire() as connection, connection.transaction():
        if await breaks.read(connection, break_id, lock=True) is None:
            raise NotFoundError(f"there is no break {break_id}")
        await breaks.tell(connection, break_id, by, "commented", text, deps.clock())


async def _standing(connection: Connection, break_id: str) -> Record:
    found = await breaks.read(connection, break_id, lock=True)
    if found is None:
        raise NotFoundError(f"there is no break {break_id}")
    if found["closed_at"] is not None:
        raise NotAllowedError(f"break {break_id} is {found['status']} already")
    return found


async def _check(connection: Connection, deps: Deps, found: Record, action: Action, target: Target | None) -> int:
    """Return what a journal would clear of the break's item; raise when the action does not fit the break."""
    if action in ACTIONS_WITHOUT_JOURNAL:
        if action is Action.ACCEPT and found["item"] is not None:
            raise NotAllowedError("what is open in the books cannot be accepted away; match it or write it off")
        return 0
    if found["item"] is None:
        raise NotAllowedError("the break is not about an open item, so there is nothing to post")
    open_minor = await resolutions.open_amount(connection, found["account"], found["currency"], found["item"])
    if not open_minor:
        raise NotAllowedError("the item has closed; the next night cures this break")
    if action is Action.WRITE_OFF:
        _check_limit(deps, Money(abs(open_minor), found["currency"]))
        return open_minor
    if action is Action.BOOK_LOSS:
        if found["account"] != accounts.DISPUTES_RECEIVABLE or open_minor < 0:
            raise NotAllowedError("only an open dispute can be lost")
        return open_minor
    if action is Action.EXCHANGE:
        await _exchanged(connection, found, open_minor, target)
        return open_minor
    return await _check_target(connection, found, open_minor, target)


def _check_limit(deps: Deps, written_off: Money) -> None:
    limit = Money(deps.policy.write_off_limit_minor, written_off.currency)
    if written_off > limit:
        raise NotAllowedError(f"{written_off} is above the write-off limit of {limit}")


async def _check_target(connection: Connection, found: Record, open_minor: int, target: Target | None) -> int:
    """Return how much the two items of a match by hand clear of each other, with the sign of the break's own."""
    if target is None:
        raise NotAllowedError("a match by hand names the item it clears")
    other_minor = await resolutions.open_amount(connection, target.account, found["currency"], target.item)
    if other_minor * open_minor >= 0:
        raise NotAllowedError("the two items do not stand on opposite sides, so they cannot clear each other")
    return open_minor if abs(open_minor) <= abs(other_minor) else -other_minor


async def _exchanged(connection: Connection, found: Record, open_minor: int, target: Target | None) -> Money:
    """Return what is open of the target in another currency: the whole of it stands for the whole of the break's."""
    if target is None:
        raise NotAllowedError("an exchange names the item in the other currency")
    others = await resolutions.open_elsewhere(connection, target.account, found["currency"], target.item)
    if len(others) != 1:
        raise NotAllowedError(f"{target.account} {target.item} is not open in one other currency")
    other: Money = Money.of_total(others[0]["amount_minor"], others[0]["currency"])
    if other.amount_minor * open_minor >= 0:
        raise NotAllowedError("the two items do not stand on opposite sides, so they cannot clear each other")
    return other


async def booking_now(deps: Deps, connection: Connection) -> Booking:
    """Return the open day, for what people decide while it runs."""
    now = deps.clock()
    today, latest = deps.calendar.business_date(now), await runs.latest_date(connection)
    closed = await closed_until(connection)
    return Booking(max(today, latest or today, closed + timedelta(days=1) if closed else today), now)


async def _post(
    connection: Connection, deps: Deps, found: Record, action: Action, target: Target | None, amount_minor: int
) -> None:
    if action in ACTIONS_WITHOUT_JOURNAL:
        return
    now = deps.clock()
    booking = await booking_now(deps, connection)
    amount = Money(amount_minor, found["currency"])
    if action is Action.BOOK_LOSS:
        await _book(connection, await _loss(connection, found, amount, booking), now)
        return
    if action is Action.EXCHANGE and target is not None:
        other = await _exchanged(connection, found, amount_minor, target)
        own = (found["account"], found["item"], amount)
        exchanged = exchanged_entry(found["id"], own, (target.account, target.item, other), booking)
        await _keep_match(connection, found, "exchanged", target.account, target.item, None)
        await _book(connection, exchanged, now)
        return
    against, item = (target.account, target.item) if target else (accounts.WRITE_OFFS, None)
    kind = "break_written_off" if action is Action.WRITE_OFF else "break_matched_by_hand"
    entry: Entry = cleared_by_hand_entry(
        found["id"], kind, (found["account"], found["item"]), (against, item), amount, booking
    )
    if action is Action.MATCH_BY_HAND:
        await _keep_match(connection, found, "by_hand", against, item, -amount_minor)
    await _book(connection, entry, now)


async def _book(connection: Connection, entry: Entry, now: datetime) -> None:
    (posted,) = await post_within(connection, [entry], recorded_at=now)
    if posted.status is PostStatus.REFUSED:
        raise BooksDisagreeError(str(posted.error))


async def _loss(connection: Connection, found: Record, lost: Money, booking: Booking) -> Entry:
    """Say who bears a lost dispute: those the payment was credited to, unless their contract says the treasury."""
    credited = await resolutions.credited(connection, found["item"], found["currency"])
    by_treasury = await payees.spared_chargebacks(connection, found["currency"])
    spared = {accounts.department_payable(department) for department in by_treasury}
    shares = [
        (accounts.CHARGEBACK_LOSSES if row["account"] in spared else row["account"], row["amount_minor"])
        for row in credited
    ]
    payment = credited[0]["payment"] if credited else None
    return dispute_lost_entry(found["id"], found["item"], lost, shares, payment, booking)


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
