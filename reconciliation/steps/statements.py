"""Step 2: fetch the bank's statements; accept only one that follows the last, keep the others waiting with a reason."""

from __future__ import annotations

from datetime import date
from typing import Final

from adapters.contract import Statement
from adapters.errors import FileRefusedError, ProviderError
from ledger.money import total
from reconciliation.breaks import BreakType
from reconciliation.matching import Leg
from reconciliation.night import Counts, Night
from reconciliation.store import Connection, Record, breaks, refused_files, statements
from reconciliation.store.breaks import NewBreak

STEP: Final = "statements"


async def import_statements(night: Night) -> Counts:
    """Fetch every statement that is due or missing, then accept what can be proven in order."""
    counts: Counts = {
        "statements": 0,
        "entries": 0,
        "repeated": 0,
        "waiting": 0,
        "refused": 0,
        "unreachable": 0,
        "breaks": 0,
    }
    account = night.deps.account
    async with night.transaction() as connection:
        days = await statements.dates_to_fetch(
            connection, account.code, night.business_date, night.deps.policy.look_back_days
        )
    for day in days:
        try:
            async for statement in night.deps.bank.statements(account.iban, day):
                await _keep(night, statement, counts)
        except FileRefusedError as error:
            counts["refused"] += 1
            await _refuse_unread(night, day, error, counts)
        except ProviderError:
            counts["unreachable"] += 1
    await _accept_in_order(night, counts)
    return counts


def refusal(statement: Statement, iban: str, currency: str, until: date) -> str | None:
    """Say why a statement can never be booked to this account, whatever comes before it."""
    if statement.account_iban.replace(" ", "") != iban.replace(" ", ""):
        return "other_account"
    amounts = [statement.opening, statement.closing, *(entry.amount for entry in statement.entries)]
    if statement.currency != currency or any(amount.currency != currency for amount in amounts):
        return "other_currency"
    if statement.closed_on < statement.opened_on:
        return "closes_before_it_opens"
    if statement.closed_on > until:
        return "closes_later"  # a mistyped year would cover every day until then
    if statement.opening + total((entry.amount for entry in statement.entries), currency) != statement.closing:
        return "closing_not_proven"
    return None


async def _keep(night: Night, statement: Statement, counts: Counts) -> None:
    """Store one statement and its entries; the same bytes again change nothing."""
    account, now = night.deps.account, night.deps.clock()
    async with night.transaction() as connection:
        if await statements.known(connection, account.code, statement.sha256):
            counts["repeated"] += 1
            return
        reason = refusal(statement, account.iban, account.currency, night.last_date)
        if reason is None and await statements.identifier_is_used(connection, account.code, statement.identifier):
            reason = "identifier_repeated"
        number = await statements.insert(
            connection, statement, bank_account=account.code, reason=reason or "not_proven_yet",
            refused=reason is not None, booking=night.booking(now), now=now,
        )  # fmt: skip
        if reason is None:
            await statements.insert_entries(connection, number, statement)
            counts["entries"] += len(statement.entries)
            return
        counts["refused"] += 1
        kind = BreakType.FILE_REPEATED if reason == "identifier_repeated" else BreakType.FILE_REFUSED
        await _raise(
            night, connection, counts, kind, subject=f"{account.code}:{statement.sha256}",
            day=min(statement.closed_on, night.last_date), file_no=number, file=statement.file_name,
            reason=reason, reference=statement.identifier,
        )  # fmt: skip


def out_of_order(waiting: Record, last: Record | None) -> str | None:
    """Say why a statement does not follow the last accepted one, if it does not."""
    if last is None:
        return None
    if waiting["sequence"] is not None and last["sequence"] is not None and not waiting["taken"]:
        # Banks start again at 1 with a new year; there the balances alone must prove the order.
        new_year = waiting["sequence"] == 1 and waiting["closed_on"].year > last["closed_on"].year
        if waiting["sequence"] > last["sequence"] + 1 and not new_year:
            return "sequence_gap"
        if waiting["sequence"] <= last["sequence"] and not new_year:
            return "sequence_repeated"
    return "opening_differs" if waiting["opening_minor"] != last["closing_minor"] else None


async def _accept_in_order(night: Night, counts: Counts) -> None:
    account, now = night.deps.account, night.deps.clock()
    async with night.transaction() as connection:
        for row in await statements.waiting(connection, account.code):
            last = await statements.last_accepted(connection, account.code)
            reason = out_of_order(row, last)
            if reason is None:
                late = row["closed_on"] < night.business_date
                booking = night.booking(now, row["closed_on"], late=late)
                await statements.accept(connection, row["statement_no"], booking, now)
                counts["statements"] += 1
                if last is not None and night.business_date > night.calendar.after(row["closed_on"], 1):
                    await _raise(
                        night, connection, counts, BreakType.FILE_LATE, subject=f"{account.code}:{row['statement_no']}",
                        day=night.business_date, file_no=row["statement_no"], file=row["file_name"],
                        reason=str(booking.business_date), reference=row["identifier"], due=str(row["closed_on"]),
                    )  # fmt: skip
                continue
            counts["waiting"] += 1
            await statements.set_reason(connection, row["statement_no"], reason)
            await _raise(
                night, connection, counts, BreakType.FILE_SEQUENCE, subject=f"{account.code}:{row['statement_no']}",
                day=row["closed_on"], file_no=row["statement_no"], file=row["file_name"], reason=reason,
                reference=row["identifier"],
            )  # fmt: skip


async def _refuse_unread(night: Night, day: date, error: FileRefusedError, counts: Counts) -> None:
    code = night.deps.account.code
    async with night.transaction() as connection:
        await refused_files.keep(connection, code, Leg.BANK, day, error, night.deps.clock())
        await _raise(
            night, connection, counts, BreakType.FILE_REFUSED, subject=f"{code}:{day}:{str(error)[:120]}", day=day,
            file_no=None, file=error.file or str(day), reason=error.cause, reference="", quoted=str(error),
        )  # fmt: skip


async def _raise(
    night: Night, connection: Connection, counts: Counts, kind: BreakType, *, subject: str, day: date,
    file_no: int | None, file: str, reason: str, reference: str, quoted: str = "", due: str = "",
) -> None:  # fmt: skip
    account = night.deps.account
    found = NewBreak(
        type=kind,
        subject=subject,
        business_date=day,
        currency=account.currency,
        provider=account.code,
        leg=Leg.BANK,
        file_no=file_no,
        detail={
            "provider": account.code,
            "file": file,
            "reason": reason,
            "reference": reference,
            **({"quoted": quoted} if quoted else {}),
            **({"due": due} if due else {}),
        },
    )
    counts["breaks"] += await breaks.raise_breaks(
        connection, [found], now=night.deps.clock(), random_bytes=night.deps.random_bytes
    )
