"""Bank entries into the books: batches received, payouts paid or returned, and what nobody can name to suspense."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ledger import accounts
from ledger import statements as ledger_statements
from ledger.entry import Entry
from ledger.journal import PostStatus, post_within
from ledger.money import Money
from reconciliation.bank_matching import (
    BankKind,
    BankLine,
    BankMatch,
    Expected,
    ForeignBatch,
    OpenPayout,
    match_entry,
)
from reconciliation.bank_postings import (
    BankEvidence,
    bank_entry,
    excess_of,
    opening_entry,
    reidentified_entry,
    transfer_found_entry,
    unidentified_bank_entry,
)
from reconciliation.breaks import BreakType
from reconciliation.errors import BooksDisagreeError
from reconciliation.matching import Leg, MatchOutcome
from reconciliation.night import Counts, Night
from reconciliation.payout_postings import PayoutEvidence, payout_returned_entry
from reconciliation.postings import Booking, unidentified_item
from reconciliation.store import (
    Connection,
    Record,
    breaks,
    line_matching,
    payouts,
    remittances,
    statements,
    transfers,
    unmatches,
)
from reconciliation.store.breaks import NewBreak
from reconciliation.store.line_matching import NewMatch

ENTRIES_A_CHUNK: Final = 200
CREDITS_A_CHUNK: Final = 2_000
"""Credits looked at again are mostly left as they are, so a chunk of them may be larger."""


async def post_statements(night: Night, counts: Counts) -> None:
    """Post every accepted statement in order, and hold the books against its closing balance."""
    code = night.deps.account.code
    async with night.transaction() as connection:
        accepted = await statements.unposted(connection, code)
    for statement in accepted:
        await _post_opening(night, statement, counts)
        while await _post_chunk(night, statement, counts):
            night.tell("match", counts)
        await _prove_closing(night, statement, counts)


def _booking(statement: Record) -> Booking:
    return Booking(statement["book_date"], statement["effective_at"], statement["late_for"])


async def _post_opening(night: Night, statement: Record, counts: Counts) -> None:
    """Post what an account already held when we first saw it; later statements open where the books stand."""
    account = night.deps.account
    async with night.transaction() as connection:
        if await statements.posted_through(connection, statement["statement_no"]):
            return
        if not await statements.is_first(connection, statement["statement_no"]):
            return
        cash = await ledger_statements.balance(connection, accounts.bank_cash(account.code), account.currency)
        held = Money(statement["opening_minor"] - cash.amount_minor, account.currency)
        if not held:
            return
        number = statement["statement_no"]
        entry = opening_entry(number, statement["file_name"], account.code, held, _booking(statement))
        await _raise(night, connection, counts, NewBreak(
            type=BreakType.OPENING_BALANCE, subject=f"{account.code}:opening", business_date=night.business_date,
            amount_minor=held.amount_minor, currency=account.currency, provider=account.code,
            account=accounts.SUSPENSE_UNIDENTIFIED, item=f"{number}:opening", leg=Leg.BANK,
            detail={"amount": str(held), "file": statement["file_name"]},
        ))  # fmt: skip
        await _post(night, connection, [entry])


async def _post_chunk(night: Night, statement: Record, counts: Counts) -> bool:
    number, currency = statement["statement_no"], statement["currency"]
    async with night.transaction() as connection:
        through = await statements.posted_through(connection, number)
        rows = await statements.entries_to_post(connection, number, through, ENTRIES_A_CHUNK)
        if not rows:
            await statements.move_posted_through(connection, number, max(through, statement["entry_count"], 1))
            return False
        expected = await _expected(night, connection, rows)
        entries: list[Entry] = []
        matches: list[NewMatch] = []
        wrong: list[NewBreak] = []
        for row in rows:
            evidence = BankEvidence(
                number, statement["file_name"], row["number"], night.deps.account.code,
                Money(row["amount_minor"], currency),
            )  # fmt: skip
            found = match_entry(bank_line(row), expected)
            matches.append(_match(evidence, found))
            wrong += _breaks(night, evidence, found)
            counts["unidentified"] += found.kind is BankKind.UNIDENTIFIED
            entries += await _journals(connection, evidence, found, row, _booking(statement), night.deps.clock())
            take_off(expected, found)
        await line_matching.insert_matches(connection, matches)
        await _raise(night, connection, counts, *wrong)
        await statements.move_posted_through(connection, number, rows[-1]["number"])
        await _post(night, connection, entries)
        counts["entries_posted"] += len(rows)
        return True


async def _expected(night: Night, connection: Connection, rows: list[Record]) -> Expected:
    """Read what these entries may clear: batches, payouts, and the payments their credits name."""
    named = [row["end_to_end_id"] for row in rows if row["end_to_end_id"]]
    expected = await statements.expected(connection, night.deps.account.currency, named)
    if night.deps.direct:
        keys = {key for row in rows if row["amount_minor"] > 0 for key in bank_line(row).keys()}  # noqa: SIM118 - no mapping
        expected.transfers = await transfers.named(
            connection, night.deps.direct, night.deps.account.currency, sorted(keys)
        )
    return expected


def bank_line(row: Record) -> BankLine:
    return BankLine(
        row["amount_minor"], row["end_to_end_id"], row["batch_reference"], row["remittance"], row["returned"],
        tuple(row["references"]),
    )  # fmt: skip


def take_off(expected: Expected, found: BankMatch) -> None:
    """Take what an entry cleared off what is expected, so that the next entry of the chunk sees the rest."""
    cleared = {(part.account, part.item): part.amount_minor for part in found.cleared}
    if found.kind is BankKind.SETTLEMENT_RECEIVED:
        left = []
        for batch in expected.batches:
            rest_minor = batch.amount_minor - cleared.get((batch.account, batch.reference), 0)
            if rest_minor:
                left.append(type(batch)(batch.account, batch.provider, batch.reference, rest_minor))
        expected.batches = left
    if found.kind is BankKind.TRANSFER_RECEIVED:
        expected.transfers = [
            replace(one, amount_minor=one.amount_minor - cleared.get((one.account, one.item), 0))
            for one in expected.transfers
        ]
    for payout in found.payouts:
        rest_minor = payout.open_minor - cleared[payout.account, payout.line_id]
        status = {BankKind.PAYOUT_PAID: "paid", BankKind.PAYOUT_RETURN_RECEIVED: "returned"}[found.kind]
        if found.kind is BankKind.PAYOUT_RETURN_RECEIVED:
            rest_minor += payout.amount_minor
        moved = OpenPayout(
            payout.account, payout.line_id, payout.batch_id, payout.department, payout.amount_minor, rest_minor, status
        )
        expected.payouts[payout.line_id] = moved
        expected.files = {
            batch: [moved if line.line_id == moved.line_id else line for line in lines]
            for batch, lines in expected.files.items()
        }


def _cleared(evidence: BankEvidence, found: BankMatch) -> tuple[str, str]:
    """Name what an entry clears first; what nobody can name is an item of its own in suspense."""
    if found.cleared:
        return found.cleared[0].account, found.cleared[0].item
    return accounts.SUSPENSE_UNIDENTIFIED, unidentified_item(evidence.statement_no, evidence.number)


def _match(evidence: BankEvidence, found: BankMatch, version: int = 1) -> NewMatch:
    account, item = _cleared(evidence, found)
    return NewMatch(
        leg=Leg.BANK,
        file_no=evidence.statement_no,
        line=evidence.number,
        version=version,
        outcome=found.outcome,
        rule=found.rule,
        account=account,
        item=item,
        expected_minor=found.expected_minor,
        variance_minor=found.variance_minor,
    )


async def _journals(
    connection: Connection, evidence: BankEvidence, found: BankMatch, row: Record, booking: Booking, now: datetime
) -> list[Entry]:
    """Give the journals of one bank entry, and mark the payout lines it proves or sends back."""
    if found.kind is BankKind.UNIDENTIFIED:
        return [unidentified_bank_entry(evidence, booking)]
    cleared = found.cleared
    if found.excess_minor:
        cleared = (*cleared, excess_of(evidence, found.excess_minor))
    entries = [bank_entry(evidence, found.kind, cleared, booking, found.provider, found.payment)]
    for payout in found.payouts:
        if found.kind is BankKind.PAYOUT_PAID:
            await payouts.mark_paid(connection, payout.line_id, row["booked_on"], now)
            continue
        paid = PayoutEvidence(
            payout.line_id, payout.batch_id, payout.department, Money(payout.amount_minor, evidence.amount.currency)
        )
        journal_id = await payouts.mark_returned(connection, payout.line_id, "returned", row["remittance"][:200], now)
        await remittances.correct(connection, [payout.line_id], now)
        entries.append(payout_returned_entry(paid, booking, journal_id))
    return entries


def _breaks(night: Night, evidence: BankEvidence, found: BankMatch) -> list[NewBreak]:
    """Name what is wrong with a bank entry, if anything is."""
    amount, payout = evidence.amount, found.payouts[0] if found.payouts else None
    if found.excess_minor or found.outcome is MatchOutcome.DUPLICATE:
        excess = Money(found.excess_minor, amount.currency) if found.excess_minor else amount
        return [_transfer_break(night, evidence, BreakType.TRANSFER_EXCESS, found, excess)]
    if found.kind is BankKind.TRANSFER_RECEIVED:
        return []
    if found.foreign is not None:
        return [_foreign_break(night, evidence, found.foreign)]
    if found.kind is BankKind.UNIDENTIFIED and found.named is not None:
        return [_transfer_break(night, evidence, BreakType.TRANSFER_WAITING, found, amount)]
    kinds: list[BreakType] = []
    if found.kind is BankKind.UNIDENTIFIED:
        kinds = [BreakType.UNKNOWN_BANK_CREDIT if amount.amount_minor > 0 else BreakType.UNKNOWN_BANK_DEBIT]
    elif found.kind is BankKind.PAYOUT_RETURN_RECEIVED:
        # The whole is owed again; what the bank kept of it waits until two people say who bears it.
        kinds = [BreakType.RETURNED_PAYOUT, *([BreakType.BANK_AMOUNT] if found.variance_minor else [])]
    elif payout is not None and payout.status in {"rejected", "returned", "paid"}:
        kinds = [BreakType.PAID_AFTER_REJECTION]
    elif found.outcome is MatchOutcome.AMOUNT:
        kinds = [BreakType.BANK_AMOUNT]
    elif found.variance_minor:
        kinds = [BreakType.ROUNDING]
    return [_entry_break(night, evidence, found, kind) for kind in kinds]


def _entry_break(night: Night, evidence: BankEvidence, found: BankMatch, kind: BreakType) -> NewBreak:
    account, item = _cleared(evidence, found)
    amount, payout = evidence.amount, found.payouts[0] if found.payouts else None
    with_item = kind not in {BreakType.RETURNED_PAYOUT, BreakType.ROUNDING}
    value_minor = found.variance_minor if kind in {BreakType.BANK_AMOUNT, BreakType.ROUNDING} else amount.amount_minor
    expected = Money(found.expected_minor, amount.currency) if found.expected_minor is not None else None
    shown = Money(value_minor, amount.currency) if kind is BreakType.ROUNDING else amount
    return NewBreak(
        type=kind,
        subject=f"{evidence.statement_no}:{evidence.number}",
        business_date=night.business_date,
        amount_minor=value_minor,
        currency=amount.currency,
        provider=found.provider,
        department=payout.department if payout else None,
        account=account if with_item else None,
        item=item if with_item else None,
        leg=Leg.BANK,
        file_no=evidence.statement_no,
        line=evidence.number,
        detail={
            "amount": str(-shown if shown.amount_minor < 0 else shown), "theirs": str(amount),
            "ours": str(expected) if expected else "", "reference": item, "file": evidence.statement,
            "line": str(evidence.number), "department": payout.department if payout else "",
        },
    )  # fmt: skip


def _transfer_break(night: Night, evidence: BankEvidence, kind: BreakType, found: BankMatch, held: Money) -> NewBreak:
    """Name money a transfer left in suspense, under the reference it gave."""
    return NewBreak(
        type=kind,
        subject=f"{evidence.statement_no}:{evidence.number}",
        business_date=night.business_date,
        amount_minor=held.amount_minor,
        currency=held.currency,
        provider=found.provider,
        account=accounts.SUSPENSE_UNIDENTIFIED,
        item=unidentified_item(evidence.statement_no, evidence.number),
        leg=Leg.BANK,
        file_no=evidence.statement_no,
        line=evidence.number,
        detail={
            "amount": str(held), "theirs": str(evidence.amount), "reference": found.named or "",
            "file": evidence.statement, "line": str(evidence.number),
        },
    )  # fmt: skip


def _foreign_break(night: Night, evidence: BankEvidence, batch: ForeignBatch) -> NewBreak:
    """Name money that came for a batch in another currency: it waits in suspense until two people book it."""
    return NewBreak(
        type=BreakType.OTHER_CURRENCY,
        subject=f"{evidence.statement_no}:{evidence.number}",
        business_date=night.business_date,
        amount_minor=evidence.amount.amount_minor,
        currency=evidence.amount.currency,
        provider=batch.provider,
        account=accounts.SUSPENSE_UNIDENTIFIED,
        item=unidentified_item(evidence.statement_no, evidence.number),
        leg=Leg.BANK,
        file_no=evidence.statement_no,
        line=evidence.number,
        detail={
            "provider": batch.provider, "theirs": str(evidence.amount), "amount": str(evidence.amount),
            "ours": str(Money.of_total(batch.amount_minor, batch.currency)), "reference": batch.reference,
            "file": evidence.statement, "line": str(evidence.number),
        },
    )  # fmt: skip


async def _prove_closing(night: Night, statement: Record, counts: Counts) -> None:
    """Hold our cash account against the statement's closing balance."""
    account = night.deps.account
    async with night.transaction() as connection:
        cash = await ledger_statements.balance(connection, accounts.bank_cash(account.code), account.currency)
        closing = Money(statement["closing_minor"], account.currency)
        if cash != closing:
            await _raise(night, connection, counts, NewBreak(
                type=BreakType.BANK_BALANCE, subject=f"{account.code}:{statement['statement_no']}",
                business_date=night.business_date, amount_minor=(closing - cash).amount_minor,
                currency=account.currency, provider=account.code, leg=Leg.BANK, file_no=statement["statement_no"],
                detail={"file": statement["file_name"], "theirs": str(closing), "ours": str(cash)},
            ))  # fmt: skip


async def match_later(night: Night, counts: Counts) -> None:
    """Name credits that came before their provider's file did, or before the rest of a transfer in parts."""
    after: tuple[int, int] | None = (0, 0)
    while after is not None:
        after = await _match_some_later(night, after, counts)


async def _match_some_later(night: Night, after: tuple[int, int], counts: Counts) -> tuple[int, int] | None:
    """Look at the next credits in suspense; return where they ended, if there may be more."""
    since = night.business_date - timedelta(days=night.deps.policy.rematch_days)
    code = night.deps.account.code
    async with night.transaction() as connection:
        rows = await statements.unidentified_credits(connection, since, after, CREDITS_A_CHUNK)
        if not rows:
            return None
        expected = await _expected(night, connection, rows)
        undone = await unmatches.undone(connection, Leg.BANK)
        entries: list[Entry] = []
        matches: list[NewMatch] = []
        for row in rows:
            found = match_entry(bank_line(row), expected)
            if found.kind not in {BankKind.SETTLEMENT_RECEIVED, BankKind.TRANSFER_RECEIVED}:
                continue
            if any((row["statement_no"], row["number"], part.account, part.item) in undone for part in found.cleared):
                continue  # people took these two apart
            amount = Money(row["amount_minor"], row["currency"])
            evidence = BankEvidence(row["statement_no"], row["identifier"], row["number"], code, amount)
            matches.append(_match(evidence, found, row["version"] + 1))
            booking, version = night.booking(night.deps.clock()), row["version"] + 1
            if found.kind is BankKind.TRANSFER_RECEIVED:
                entry = transfer_found_entry(evidence, found.cleared, booking, found.provider, found.payment, version)
            else:
                entry = reidentified_entry(evidence, found.cleared, booking, found.provider, version)
            entries.append(entry)
            take_off(expected, found)
        await line_matching.insert_matches(connection, matches)
        await _post(night, connection, entries)
        counts["found_later"] += len(entries)
        return rows[-1]["statement_no"], rows[-1]["number"]


async def _post(night: Night, connection: Connection, entries: list[Entry]) -> None:
    """Post entries that must stand: cash not booked as the statement says it would be a lie, so a refusal stops."""
    for entry, posted in zip(
        entries, await post_within(connection, entries, recorded_at=night.deps.clock()), strict=True
    ):
        if posted.status is PostStatus.REFUSED:
            raise BooksDisagreeError(f"{entry.reference}: {posted.error}")


async def _raise(night: Night, connection: Connection, counts: Counts, *found: NewBreak) -> None:
    counts["breaks"] += await breaks.raise_breaks(
        connection, found, now=night.deps.clock(), random_bytes=night.deps.random_bytes
    )
