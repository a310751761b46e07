"""Step 4: cure what came right by itself, and raise what is past its due date. Before it is due, it is timing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from ledger import accounts
from ledger.money import Money
from reconciliation.breaks import BreakType
from reconciliation.left_open import break_of_the_rest
from reconciliation.matching import Leg
from reconciliation.night import Counts, Night
from reconciliation.provider_terms import ProviderTerms
from reconciliation.store import Connection, Record, breaks, left_open, overdue
from reconciliation.store.breaks import NewBreak
from reconciliation.watched import NEVER_WITHOUT_BREAK, watched_at, watched_late

STEP: Final = "breaks"
BREAKS_A_WRITE: Final = 1000


async def raise_and_cure(night: Night) -> Counts:
    """Cure, then raise; both look only at what stands in the books now."""
    counts: Counts = {"cured": 0, "breaks": 0}
    async with night.transaction() as connection:
        counts["cured"] += await breaks.cure(connection, night.deps.clock())
    async with night.transaction() as connection:
        for provider in await overdue.providers_with_items(connection):
            terms = night.terms_of(provider)
            await _overdue_items(night, connection, provider, terms, counts)
            if provider not in night.deps.direct:
                await _missing_files(night, connection, provider, terms, counts)
        await _raise(night, connection, [one async for one in _late_payments(night, connection)], counts)
        await _left_open(night, connection, counts)
        await _overdue_batches(night, connection, counts)
        await _overdue_payouts(night, connection, counts)
        await _missing_statement(night, connection, counts)
    return counts


async def _raise(night: Night, connection: Connection, found: list[NewBreak], counts: Counts) -> None:
    counts["breaks"] += await breaks.raise_breaks(
        connection, found, now=night.deps.clock(), random_bytes=night.deps.random_bytes
    )


async def _overdue_items(
    night: Night, connection: Connection, provider: str, terms: ProviderTerms, counts: Counts
) -> None:
    """Payments and refunds their provider should have settled by now, and money it settled beyond what we booked."""
    calendar, direct = night.calendars.of(provider), provider in night.deps.direct
    for watched in watched_at(provider, calendar, terms, night.business_date, direct=direct):
        found: list[NewBreak] = []
        async for row in overdue.open_since(connection, watched.account, watched.until, side=watched.side):
            due = calendar.after(row["business_date"], terms.settlement_days)
            found.append(_item_break(watched.type, provider, row, due))
            if len(found) == BREAKS_A_WRITE:
                await _raise(night, connection, found, counts)
                found.clear()
        await _raise(night, connection, found, counts)


async def _late_payments(night: Night, connection: Connection) -> AsyncIterator[NewBreak]:
    late = watched_late(night.business_date)
    async for row in overdue.open_since(connection, late.account, late.until, side=late.side):
        yield _item_break(late.type, None, row, row["business_date"])


async def _left_open(night: Night, connection: Connection, counts: Counts) -> None:
    """Raise again what came with a break that has ended, whoever ended it, and is open all the same."""
    rows = await left_open.without_break(connection, NEVER_WITHOUT_BREAK, night.business_date)
    await _raise(night, connection, [break_of_the_rest(row) for row in rows], counts)


def _item_break(kind: BreakType, provider: str | None, row: Record, due: date) -> NewBreak:
    amount = Money(abs(row["amount_minor"]), row["currency"])
    return NewBreak(
        type=kind,
        subject=f"{row['account']}:{row['currency']}:{row['item']}",
        business_date=due,
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        provider=provider,
        account=row["account"],
        item=row["item"],
        detail={
            "provider": provider or "",
            "amount": str(amount),
            "reference": row["provider_reference"] or row["item"],
            "due": str(due),
        },
    )


async def _missing_files(
    night: Night, connection: Connection, provider: str, terms: ProviderTerms, counts: Counts
) -> None:
    until = night.calendars.of(provider).latest_due(night.business_date, terms.file_days)
    days = await overdue.days_without_file(connection, provider, accounts.provider_receivable(provider), until)
    found = [
        NewBreak(
            type=BreakType.FILE_MISSING, subject=f"{provider}:{day}", business_date=day, provider=provider,
            leg=Leg.PROVIDER, detail={"provider": provider, "due": str(day)},
        )
        for day in days
    ]  # fmt: skip
    await _raise(night, connection, found, counts)


async def _overdue_batches(night: Night, connection: Connection, counts: Counts) -> None:
    """Money reported as paid to us that the bank should have shown."""
    last = await overdue.last_statement_date(connection, night.deps.account.code)
    found = []
    for row in await overdue.batches_at_provider(connection):
        terms, calendar = night.terms_of(row["provider"], row["business_date"]), night.calendars.of(row["provider"])
        due = row["expected_credit_date"] or calendar.after(row["business_date"], terms.credit_days)
        # On the day itself it is missing only when that day's statement is here and does not show it.
        if due < night.business_date or (due == night.business_date and last is not None and last >= due):
            one = _item_break(BreakType.MISSING_AT_BANK, row["provider"], _as_item(row), due)
            # A batch below zero is taken from our account; its sign says so.
            amount = Money(row["amount_minor"], row["currency"])
            found.append(replace(one, detail={**one.detail, "amount": str(amount)}))
    await _raise(night, connection, found, counts)


def _as_item(row: Record) -> dict[str, object]:
    return {**dict(row), "provider_reference": row["item"]}


async def _overdue_payouts(night: Night, connection: Connection, counts: Counts) -> None:
    found = []
    for row in await overdue.payouts_under_way(connection):
        due = night.calendar.after(row["execution_date"], night.deps.policy.confirm_days)
        if due < night.business_date:
            amount = Money(row["amount_minor"], row["currency"])
            found.append(
                NewBreak(
                    type=BreakType.PAYOUT_NOT_CONFIRMED, subject=row["item"], business_date=due,
                    amount_minor=row["amount_minor"], currency=row["currency"], department=row["department"],
                    account=row["account"], item=row["item"],
                    detail={"amount": str(amount), "department": row["department"], "reference": row["item"],
                            "due": str(due)},
                )
            )  # fmt: skip
    await _raise(night, connection, found, counts)


async def _missing_statement(night: Night, connection: Connection, counts: Counts) -> None:
    """A bank that gave statements before must give one for every working day, by the working day after."""
    code = night.deps.account.code
    last = await overdue.last_statement_date(connection, code)
    if last is None:
        return
    found = []
    day = last + timedelta(days=1)
    while night.calendar.after(day, 1) <= night.business_date and day < night.business_date:
        if night.calendar.is_working_day(day):
            found.append(
                NewBreak(
                    type=BreakType.FILE_MISSING, subject=f"{code}:{day}", business_date=day, provider=code,
                    leg=Leg.BANK, detail={"provider": code, "due": str(day)},
                )
            )  # fmt: skip
        day += timedelta(days=1)
    await _raise(night, connection, found, counts)
