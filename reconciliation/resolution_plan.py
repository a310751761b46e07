"""What an action would do to a break: whether its type allows it, and the journal it posts, before anybody decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ledger import accounts
from ledger.decisions import closed_until
from ledger.entry import Entry
from ledger.money import Money
from reconciliation.breaks import ACTIONS_WITHOUT_JOURNAL, Action, BreakType, suggested
from reconciliation.deps import Deps
from reconciliation.dispute_loss import loss_now, loss_returned_now
from reconciliation.errors import NotAllowedError
from reconciliation.payout_postings import booked_paid_entry, department_of_payout
from reconciliation.postings import Booking
from reconciliation.resolution_postings import cleared_by_hand_entry, exchanged_entry
from reconciliation.resolution_targets import check_target
from reconciliation.store import Connection, Record, resolutions, runs, statements


@dataclass(frozen=True, slots=True)
class Target:
    """The open item that a match by hand, or an exchange, clears against the break's own."""

    account: str
    item: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The journal of an action, what it clears of the break's item, and what the match kept with it is said to be."""

    entry: Entry
    cleared_minor: int
    actual_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an action would do now: a journal, no journal, or nothing, because it is `refused`."""

    action: Action
    entry: Entry | None
    refused: str = ""
    wants_target: bool = False


def allowed(found: Record) -> tuple[Action, ...]:
    """Name the actions a break may end by: what its type suggests, and accepting it where nothing is open."""
    usual = suggested(BreakType(found["type"]), found["leg"])
    return usual if found["item"] is not None or Action.ACCEPT in usual else (*usual, Action.ACCEPT)


async def plan(connection: Connection, deps: Deps, found: Record, action: Action, target: Target | None) -> Plan | None:
    """Return the journal an action posts, `None` when it posts none; raise when it does not fit the break."""
    may = allowed(found)
    if action is Action.ACCEPT and found["item"] is not None:
        raise NotAllowedError("what is open in the books cannot be accepted away; match it or write it off")
    if action not in may:
        raise NotAllowedError(f"this break does not end by {action.value}; it may by {', '.join(may)}")
    if found["type"] == BreakType.FILE_SEQUENCE and action in {Action.TAKE_STATEMENT, Action.ACCEPT}:
        _check_statement(action, follows=await statements.follows_last(connection, found["file_no"]))
    if action in ACTIONS_WITHOUT_JOURNAL:
        return None
    cleared_minor = await _cleared(connection, deps, found, action, target)
    booking, amount = await booking_now(deps, connection), Money(cleared_minor, found["currency"])
    if action in {Action.BOOK_LOSS, Action.RETURN_LOSS}:
        outcome = loss_now if action is Action.BOOK_LOSS else loss_returned_now
        entry = await outcome(connection, found, cleared_minor, booking)
        return Plan(entry, -sum(one.amount.amount_minor for one in entry.postings if one.item == found["item"]))
    if action is Action.BOOK_PAID:
        return Plan(booked_paid_entry(found["id"], found["account"], found["item"], amount, booking), cleared_minor)
    if action is Action.EXCHANGE:
        account, item, other = await _exchanged(connection, found, cleared_minor, target)
        own = (found["account"], found["item"], amount)
        return Plan(exchanged_entry(found["id"], own, (account, item, other), booking), cleared_minor)
    against = (target.account, target.item) if target else (accounts.WRITE_OFFS, None)
    kind = "break_written_off" if action is Action.WRITE_OFF else "break_matched_by_hand"
    entry = cleared_by_hand_entry(found["id"], kind, (found["account"], found["item"]), against, amount, booking)
    return Plan(entry, cleared_minor, -cleared_minor)


async def foresee(connection: Connection, deps: Deps, found: Record, action: Action, target: Target | None) -> Foreseen:
    """Say what an action would post as the books stand, or why it would be refused."""
    if found["closed_at"] is not None:
        return Foreseen(action, None, f"the break is {found['status']} already; refuse the proposal")
    if target is None and action in {Action.MATCH_BY_HAND, Action.EXCHANGE}:
        return Foreseen(action, None, wants_target=True)
    try:
        planned = await plan(connection, deps, found, action, target)
    except NotAllowedError as error:
        return Foreseen(action, None, str(error))
    return Foreseen(action, planned.entry if planned else None)


async def _cleared(connection: Connection, deps: Deps, found: Record, action: Action, target: Target | None) -> int:
    """Return what a journal clears of the break's item; raise when the action does not fit the item."""
    if found["item"] is None:
        raise NotAllowedError("the break is not about an open item, so there is nothing to post")
    open_minor = await resolutions.open_amount(connection, found["account"], found["currency"], found["item"])
    if not open_minor:
        raise NotAllowedError("the item has closed; the next night cures this break")
    if action is Action.WRITE_OFF:
        _check_limit(deps, Money(abs(open_minor), found["currency"]))
        return open_minor
    if action is Action.BOOK_PAID and (department_of_payout(found["account"]) is None or open_minor < 0):
        raise NotAllowedError("only what the bank took for a payout, and is not owed, can be booked as paid")
    if action in {Action.BOOK_LOSS, Action.RETURN_LOSS, Action.BOOK_PAID, Action.EXCHANGE}:
        return open_minor
    return await _check_target(connection, found, open_minor, target)


def _check_statement(action: Action, *, follows: bool) -> None:
    """Let a statement be taken when its balances prove it, and then not be accepted to wait for ever."""
    if action is Action.TAKE_STATEMENT and not follows:
        raise NotAllowedError("the statement does not open where the last one closed")
    if action is Action.ACCEPT and follows:
        raise NotAllowedError("the statement opens where the last one closed; take it")


def _check_limit(deps: Deps, written_off: Money) -> None:
    currency = written_off.currency
    limit = next((each for each in deps.policy.write_off_limits if each.currency == currency), Money(0, currency))
    if written_off > limit:
        raise NotAllowedError(f"{written_off} is above the write-off limit of {limit}")


async def _check_target(connection: Connection, found: Record, open_minor: int, target: Target | None) -> int:
    """Return how much the two items of a match by hand clear of each other, with the sign of the break's own."""
    if target is None:
        raise NotAllowedError("a match by hand names the item it clears")
    check_target(found, target.account)
    other_minor = await resolutions.open_amount(connection, target.account, found["currency"], target.item)
    if other_minor * open_minor >= 0:
        raise NotAllowedError("the two items do not stand on opposite sides, so they cannot clear each other")
    return open_minor if abs(open_minor) <= abs(other_minor) else -other_minor


async def _exchanged(
    connection: Connection, found: Record, open_minor: int, target: Target | None
) -> tuple[str, str, Money]:
    """Return what is open of the target in another currency: the whole of it stands for the whole of the break's."""
    if target is None:
        raise NotAllowedError("an exchange names the item in the other currency")
    check_target(found, target.account)
    others = await resolutions.open_elsewhere(connection, target.account, found["currency"], target.item)
    if len(others) != 1:
        raise NotAllowedError(f"{target.account} {target.item} is not open in one other currency")
    other: Money = Money.of_total(others[0]["amount_minor"], others[0]["currency"])
    if other.amount_minor * open_minor >= 0:
        raise NotAllowedError("the two items do not stand on opposite sides, so they cannot clear each other")
    return target.account, target.item, other


async def booking_now(deps: Deps, connection: Connection) -> Booking:
    """Return the open day, for what people decide while it runs."""
    now = deps.clock()
    today, latest = deps.calendar.business_date(now), await runs.latest_date(connection)
    closed = await closed_until(connection)
    return Booking(max(today, latest or today, closed + timedelta(days=1) if closed else today), now)
