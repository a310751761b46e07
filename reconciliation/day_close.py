"""Closing a business day: its sources are complete, its differences explained, two people say so, the books are sealed.

After that the day takes nothing more: what comes late is booked on the open day and refers back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import accounts
from ledger.decisions import closed_until
from ledger.ids import mint
from ledger.money import Money
from ledger.people import same_person
from ledger.seal import Seal, seal_day
from reconciliation.breaks import LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE, BreakType, Language, title
from reconciliation.business_days import Calendar, Calendars
from reconciliation.certificates import AccountDay, StandingBreak, write_certificate
from reconciliation.contracts import read_contracts
from reconciliation.deps import Deps
from reconciliation.errors import NightRunningError, NotAllowedError, NotFoundError, SamePersonError
from reconciliation.holidays import read_calendars
from reconciliation.nightly import earliest_night
from reconciliation.reports.report import Asked
from reconciliation.store import Connection, Record, audits, breaks, days, known, leases, left_open, overdue, runs
from reconciliation.watched import NEVER_WITHOUT_BREAK, watched_at, watched_late

BREAKS_A_PAGE: Final = 1000


class Lack(StrEnum):
    """Why a day cannot be closed yet."""

    NOT_OVER = "not_over"
    CLOSED = "closed"
    DAY_BEFORE = "day_before"
    NIGHT = "night"
    FILE = "file"
    STATEMENT = "statement"
    NOT_BOOKED = "not_booked"
    BREAK = "break"
    ITEM = "item"


LACK_WORDS: Final[dict[Lack, tuple[str, str]]] = {
    Lack.NOT_OVER: ("the day is not over", "لم ينته اليوم بعد"),
    Lack.CLOSED: ("the day is closed already", "اليوم مقفل بالفعل"),
    Lack.DAY_BEFORE: ("{what} is to be closed first", "يجب إقفال {what} أولًا"),
    Lack.NIGHT: ("its night is not done", "لم يكتمل التشغيل الليلي لهذا اليوم"),
    Lack.FILE: ("{what}: the settlement file has not come", "{what}: لم يصل ملف التسوية"),
    Lack.STATEMENT: ("the bank statement of {what} has not come", "لم يصل كشف الحساب عن {what}"),
    Lack.NOT_BOOKED: ("{what} is not wholly in the books", "لم يُقيد {what} كاملًا"),
    Lack.ITEM: ("{what} is open and no break says why yet", "{what} مفتوح ولا فرق يوضح سببه بعد"),
    Lack.BREAK: ("{what} has no owner and reason yet", "لا مسؤول ولا توضيح بعد للفرق {what}"),
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stands in the way of closing."""

    lack: Lack
    what: str = ""
    kind: BreakType | None = None

    def sentence(self, language: Language) -> str:
        what = self.what
        if language is Language.ARABIC and what:
            what = f"{LEFT_TO_RIGHT_ISOLATE}{what}{POP_ISOLATE}"
        if self.kind is not None:
            what += f" ({title(self.kind, language)})"
        return LACK_WORDS[self.lack][0 if language is Language.ENGLISH else 1].format(what=what)


@dataclass(frozen=True, slots=True)
class DayStatus:
    """How far a day is from being closed."""

    business_date: date
    obstacles: tuple[Obstacle, ...]
    proposal: str | None
    proposed_by: str | None
    closed_by: str | None
    seal_number: int | None


async def obstacles(deps: Deps, connection: Connection, business_date: date) -> tuple[Obstacle, ...]:
    """Say everything that stands in the way, in the order in which it is best put right."""
    calendars = await read_calendars(connection, deps.calendar)
    if _ends_at(calendars.everybody, business_date) > deps.clock():
        return (Obstacle(Lack.NOT_OVER),)
    until = await closed_until(connection)
    if until is not None and business_date <= until:
        return (Obstacle(Lack.CLOSED),)
    found: list[Obstacle] = []
    first = until + timedelta(days=1) if until is not None else await days.first_date(connection)
    if first is not None and first < business_date:
        found.append(Obstacle(Lack.DAY_BEFORE, str(first)))
    run = await runs.read(connection, business_date)
    # A night that can no longer be run must not keep every later day open; files and breaks are still asked for.
    if (run is None or run["status"] != "done") and business_date >= earliest_night(deps):
        found.append(Obstacle(Lack.NIGHT))
    found += await _sources(deps, connection, calendars, business_date)
    found += [Obstacle(Lack.NOT_BOOKED, row["name"]) for row in await days.files_not_booked(connection, business_date)]
    found += [
        Obstacle(Lack.BREAK, row["id"], BreakType(row["type"]))
        for row in await days.unexplained(connection, business_date)
    ]
    if Obstacle(Lack.NIGHT) not in found:
        without = await _without_break(deps, connection, calendars, business_date)
        found += [Obstacle(Lack.ITEM, what) for what in without]
    return tuple(found)


async def _without_break(deps: Deps, connection: Connection, calendars: Calendars, business_date: date) -> list[str]:
    """Name what is open, should not be any more, and is nobody's work: the night raises a break for each."""
    contracts = await read_contracts(connection)
    watched = [watched_late(business_date)]
    for provider in await overdue.providers_with_items(connection):
        terms, direct = contracts.terms_of(provider, business_date), provider in deps.direct
        watched += watched_at(provider, calendars.of(provider), terms, business_date, direct=direct)
    rows = await left_open.without_break(connection, NEVER_WITHOUT_BREAK, business_date)
    for one in watched:
        rows += [row async for row in overdue.open_since(connection, one.account, one.until, side=one.side)]
    return [f"{row['account']} {row['item']}, {Money(abs(row['amount_minor']), row['currency'])}" for row in rows]


async def _sources(deps: Deps, connection: Connection, calendars: Calendars, business_date: date) -> list[Obstacle]:
    """Name the files that were due by the day and have not come, unless two people accepted that they never will."""
    found: list[Obstacle] = []
    contracts = await read_contracts(connection)
    for provider in await overdue.providers_with_items(connection):
        file_days = contracts.terms_of(provider, business_date).file_days
        until = calendars.of(provider).latest_due(business_date, file_days)
        missing = await overdue.days_without_file(connection, provider, accounts.provider_receivable(provider), until)
        accepted = await days.waived(connection, provider, missing)
        found += [Obstacle(Lack.FILE, f"{provider} {day}") for day in missing if day not in accepted]
    code, day = deps.account.code, business_date
    expected = calendars.everybody.is_working_day(day) and not await days.waived(connection, code, [day])
    if expected and not await days.has_statement(connection, code, day):
        found.append(Obstacle(Lack.STATEMENT, str(day)))
    return found


def _ends_at(calendar: Calendar, business_date: date) -> datetime:
    return calendar.closing_instant(business_date) + timedelta(seconds=1)


async def day_status(deps: Deps, business_date: date) -> DayStatus:
    """Read how far a day is from being closed."""
    async with deps.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        found = await obstacles(deps, connection, business_date)
        closes = await days.of_date(connection, business_date)
    last = closes[-1] if closes else None
    pending = last["id"] if last is not None and last["decision"] is None else None
    closed = last is not None and last["decision"] == "approved"
    return DayStatus(
        business_date, found, pending, last["maker"] if last is not None and (pending or closed) else None,
        last["checker"] if last is not None and closed else None,
        last["seal_number"] if last is not None and closed else None,
    )  # fmt: skip


async def days_to_decide(deps: Deps) -> list[tuple[str, date, str]]:
    """Read the closes that wait for somebody else: id, date, and who proposed it."""
    async with deps.pool.acquire() as connection:
        return [(row["id"], row["business_date"], row["maker"]) for row in await days.waiting(connection)]


async def propose_day(deps: Deps, business_date: date, *, by: str, note: str = "") -> str:
    """Propose to close a day; refused while anything stands in the way."""
    now = deps.clock()
    close_id = mint("dc", now, deps.random_bytes)
    async with deps.pool.acquire() as connection, connection.transaction():
        await _refuse_obstacles(deps, connection, business_date)
        try:
            await days.insert(connection, close_id, business_date, note, by, now)
        except asyncpg.UniqueViolationError:
            raise NotAllowedError(f"a close of {business_date} waits for a decision already") from None
        await audits.insert(connection, deps, by, "day_close_proposed", str(business_date))
    return close_id


async def _refuse_obstacles(deps: Deps, connection: Connection, business_date: date) -> None:
    if found := await obstacles(deps, connection, business_date):
        said = "; ".join(one.sentence(Language.ENGLISH) for one in found[:5])
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""  # noqa: PLR2004 - as many as a line shows
        raise NotAllowedError(f"{business_date} cannot be closed: {said}{more}")


async def decide_day(deps: Deps, close_id: str, *, by: str, approve: bool, key: Ed25519PrivateKey) -> Seal | None:
    """Refuse a close, or approve it as somebody other than its maker: then the day is sealed and certified, at once.

    Nothing of the night can move between the last look and the seal: the night's lease is held until it is done.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        proposed = await days.read_locked(connection, close_id)
        if proposed is None:
            raise NotFoundError(f"there is no close {close_id}")
        if proposed["decision"] is not None:
            raise NotAllowedError(f"close {close_id} is {proposed['decision']} already")
        if same_person(proposed["maker"], by):
            raise SamePersonError
        if not approve:
            await days.refuse(connection, close_id, by, deps.clock())
            await audits.insert(connection, deps, by, "day_close_refused", str(proposed["business_date"]))
            return None
        if not await leases.keep_away(connection, deps.clock()):
            raise NightRunningError
        return await _seal(deps, connection, proposed, by, key)


async def _seal(deps: Deps, connection: Connection, proposed: Record, by: str, key: Ed25519PrivateKey) -> Seal:
    business_date: date = proposed["business_date"]
    await _refuse_obstacles(deps, connection, business_date)
    now = deps.clock()
    seal = await seal_day(
        connection, business_date, ends_at=_ends_at(deps.calendar, business_date), key=key, sealed_at=now, sealed_by=by
    )
    decision = {
        "proposed_by": proposed["maker"], "proposed_at": proposed["made_at"], "note": proposed["note"],
        "approved_by": by, "approved_at": now,
    }  # fmt: skip
    certificate = write_certificate(
        key, seal, decision, await _accounts(connection, business_date, seal), await _standing(connection, now)
    )
    await days.approve(connection, proposed["id"], by, now, seal.number, certificate)
    await audits.insert(connection, deps, by, "day_close_approved", str(business_date))
    return seal


async def _accounts(connection: Connection, business_date: date, seal: Seal) -> list[AccountDay]:
    """Give every account's day, beside the totals that were sealed; the head is held, so nothing lies between."""
    asked = Asked(business_date=business_date, language=Language.ENGLISH)
    moved = await known.movements(connection, business_date, business_date, asked.recorded_since, asked.known)
    rows = {(row["account"], row["currency"]): row for row in moved}
    found = []
    for line in seal.trial_balance.splitlines():
        account, currency, debit, credit = line.split(" ")
        row = rows[account, currency]
        closing_minor = row["closing_minor"]
        found.append(
            AccountDay(
                account,
                currency,
                closing_minor - row["debit_minor"] + row["credit_minor"],
                row["debit_minor"],
                row["credit_minor"],
                closing_minor,
                int(debit) - int(credit) - closing_minor,
                int(debit),
                int(credit),
            )
        )
    return found


async def _standing(connection: Connection, now: datetime) -> list[StandingBreak]:
    found: list[StandingBreak] = []
    after = ""
    while page := await known.standing_breaks(connection, now, limit=BREAKS_A_PAGE, after=after):
        after = page[-1]["id"]
        found += [
            StandingBreak(
                row["id"], row["type"], row["owner"], row["reason"] or "", row["currency"], row["amount_minor"],
                str(row["business_date"]),
            )
            for row in page
        ]  # fmt: skip
    return found


async def read_certificate_of(deps: Deps, business_date: date) -> str:
    """Read a closed day's certificate, as it was signed."""
    async with deps.pool.acquire() as connection:
        found = await days.closed(connection, business_date, deps.clock())
    if found is None:
        raise NotFoundError(f"{business_date} is not closed")
    return str(found["certificate"])


async def explain_break(deps: Deps, break_id: str, *, owner: str, reason: str, by: str) -> None:
    """Say who has a break now and why it stands; a day can be closed over breaks that are explained."""
    if not owner.strip() or not reason.strip():
        raise NotAllowedError("an explanation needs an owner and a reason")
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        found = await breaks.read(connection, break_id, lock=True)
        if found is None:
            raise NotFoundError(f"there is no break {break_id}")
        if found["closed_at"] is not None:
            raise NotAllowedError(f"break {break_id} is {found['status']} already")
        await days.explain(connection, break_id, owner.strip(), reason.strip(), by, now)
        await breaks.tell(connection, break_id, by, f"explained, {owner.strip()} has it", reason.strip(), now)
        await audits.insert(connection, deps, by, "break_explained", break_id)
