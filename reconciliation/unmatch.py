"""A match in words, and undone: by one person's proposal, another's approval, and a journal that reverses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from ledger import accounts
from ledger.entry import Entry, Posting, Source
from ledger.ids import mint
from ledger.journal import PostStatus, post_within
from ledger.money import Money
from ledger.people import same_person
from reconciliation.breaks import BreakType, Language
from reconciliation.deps import Deps
from reconciliation.errors import BooksDisagreeError, NightRunningError, NotAllowedError, NotFoundError, SamePersonError
from reconciliation.matching import RULE, Leg, MatchOutcome, explain
from reconciliation.postings import Booking, bank_reference, line_reference, rematch_reference, suspense_item
from reconciliation.postings import unidentified_item as unidentified
from reconciliation.resolution_plan import booking_now
from reconciliation.settled_lines import lines_reference
from reconciliation.store import Connection, Record, audits, breaks, leases, line_matching, resolutions, unmatches
from reconciliation.store.breaks import NewBreak
from reconciliation.store.line_matching import NewMatch

UNDONE_KIND: Final = "match_undone"
PAYOUT_RULES: Final = frozenset({"end_to_end", "payout_file"})
UNDOABLE_RULES: Final = PAYOUT_RULES | frozenset({
    "provider_reference", "our_reference", "found_later", "batch_reference", "batch_in_remittance",
    "batch_other_amount", "transfer_reference", "transfer_end_to_end", "transfer_in_remittance", "transfers_joined",
    "transfer_in_part", "transfer_excess", "by_hand", "exchanged",
})  # fmt: skip
"""A payout that the bank sent back is owed again, and may be paid again by now: that is not undone here."""


@dataclass(frozen=True, slots=True)
class MatchView:
    """One version of what a line was matched to, and why in both languages."""

    version: int
    outcome: str
    rule: str | None
    keys: tuple[str, ...]
    score: int
    account: str
    item: str | None
    expected: Money | None
    variance: Money
    undone: str | None

    def sentence(self, language: Language) -> str:
        if self.rule is None:
            return ""
        return explain(self.rule, self.item or self.account, language)


async def read_match(deps: Deps, leg: Leg, file_no: int, line: int) -> list[MatchView]:
    """Read everything a line or entry was matched to, oldest first; the last one stands."""
    async with deps.pool.acquire() as connection:
        evidence = await _evidence(connection, leg, file_no, line)
        rows = await unmatches.versions(connection, leg, file_no, line)
    currency = evidence["currency"]
    return [
        MatchView(
            row["version"], row["outcome"], row["rule"], RULE[row["rule"]].keys if row["rule"] else (), row["score"],
            row["account"], row["item"],
            None if row["expected_minor"] is None else Money(row["expected_minor"], currency),
            Money(row["variance_minor"], currency),
            f"{row['maker']}, {row['checker']}: {row['undone_because']}" if row["undone_by"] else None,
        )
        for row in rows
    ]  # fmt: skip


async def _evidence(connection: Connection, leg: Leg, file_no: int, line: int) -> Record:
    read = unmatches.settlement_line if leg is Leg.PROVIDER else unmatches.statement_entry
    found = await read(connection, file_no, line)
    if found is None:
        raise NotFoundError(f"there is no line {line} of {leg} file {file_no}")
    return found


async def unmatches_to_decide(deps: Deps) -> list[str]:
    """Read the proposals that wait, a line each."""
    async with deps.pool.acquire() as connection:
        rows = await unmatches.waiting(connection)
    return [
        f"{row['id']}  {row['leg']} {row['file_no']} line {row['line']}  by {row['maker']}: {row['reason']}"
        for row in rows
    ]


async def propose_unmatch(deps: Deps, leg: Leg, file_no: int, line: int, *, by: str, reason: str) -> str:
    """Propose to undo the match of a line; what would be posted is worked out now and again when it is decided."""
    now = deps.clock()
    unmatch_id = mint("um", now, deps.random_bytes)
    async with deps.pool.acquire() as connection, connection.transaction():
        standing, entry = await _reversing(deps, connection, unmatch_id, leg, file_no, line)
        del entry
        try:
            of = (leg.value, file_no, line, standing["version"])
            await unmatches.insert(connection, unmatch_id, of, reason, by, now)
        except asyncpg.UniqueViolationError:
            raise NotAllowedError("a proposal to undo this match waits already") from None
        except asyncpg.CheckViolationError:
            raise NotAllowedError("undoing a match needs a reason") from None
        await audits.insert(connection, deps, by, "unmatch_proposed", f"{leg}:{file_no}:{line}")
    return unmatch_id


async def decide_unmatch(deps: Deps, unmatch_id: str, *, by: str, approve: bool) -> None:
    """Refuse, or approve as somebody other than its maker: the reversing journal is posted with the approval."""
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        proposed = await unmatches.read_locked(connection, unmatch_id)
        if proposed is None:
            raise NotFoundError(f"there is no proposal {unmatch_id}")
        if proposed["decision"] is not None:
            raise NotAllowedError(f"proposal {unmatch_id} is {proposed['decision']} already")
        if same_person(proposed["maker"], by):
            raise SamePersonError
        leg, file_no, line = Leg(proposed["leg"]), proposed["file_no"], proposed["line"]
        await audits.insert(
            connection, deps, by, f"unmatch_{'approved' if approve else 'refused'}", f"{leg}:{file_no}:{line}"
        )
        if not approve:
            await unmatches.decide(connection, unmatch_id, by, "refused", now, None)
            return
        if not await leases.keep_away(connection, now):
            raise NightRunningError
        standing, entry = await _reversing(deps, connection, unmatch_id, leg, file_no, line)
        if standing["version"] != proposed["version"]:
            raise NotAllowedError("the line has been matched anew since; propose again")
        await _put_back(deps, connection, unmatch_id, leg, file_no, line, standing["version"], entry, by)
        (posted,) = await post_within(connection, [entry], recorded_at=now)
        if posted.status is PostStatus.REFUSED or posted.journal_id is None:
            raise BooksDisagreeError(str(posted.error))
        if standing["rule"] in PAYOUT_RULES:
            await unmatches.unprove_payouts(connection, _payout_lines(entry.postings), now)
        await unmatches.decide(connection, unmatch_id, by, "approved", now, posted.journal_id)


async def _reversing(
    deps: Deps, connection: Connection, unmatch_id: str, leg: Leg, file_no: int, line: int
) -> tuple[Record, Entry]:
    """Return the match that stands and the journal that would undo it."""
    evidence = await _evidence(connection, leg, file_no, line)
    rows = await unmatches.versions(connection, leg, file_no, line)
    standing = rows[-1] if rows else None
    if standing is None or standing["rule"] is None or not evidence["posted"]:
        raise NotAllowedError("the line is not matched, so there is nothing to undo")
    if standing["rule"] not in UNDOABLE_RULES:
        raise NotAllowedError(f"a match by {standing['rule']} is not undone by hand")
    reference, whole = await _journal_of(connection, leg, file_no, line, standing, evidence)
    postings = await unmatches.journal(connection, reference)
    if not postings and reference == line_reference(evidence["provider"], file_no, line):
        # Not by itself, so together with the lines around it.
        reference = lines_reference(evidence["provider"], file_no, line)
        postings = await unmatches.settled_together(connection, reference, file_no, line)
    if not postings:
        raise BooksDisagreeError(f"the books have no journal {reference}")
    held = _held(evidence, leg, file_no, line)
    booking = await booking_now(deps, connection)
    entry = _entry(unmatch_id, leg, postings, standing, held, booking, whole=whole)
    if standing["rule"] in PAYOUT_RULES and not await unmatches.payouts_paid(connection, _payout_lines(entry.postings)):
        raise NotAllowedError("the payout has come back since it was paid")
    return standing, entry


def _payout_lines(postings: Sequence[Posting]) -> list[str]:
    return [one.item for one in postings if one.item is not None and one.account.endswith(":payout_in_transit")]


async def _journal_of(
    connection: Connection, leg: Leg, file_no: int, line: int, standing: Record, evidence: Record
) -> tuple[str, bool]:
    """Name the journal a match made, and whether the match is all there is in it."""
    if standing["rule"] in {"by_hand", "exchanged"}:
        return f"resolution:{await unmatches.resolving_break(connection, leg, file_no, line)}", True
    first = line_reference(evidence["provider"], file_no, line)
    if leg is Leg.BANK:
        first = bank_reference(file_no, line)
    if standing["version"] == 1:
        return first, False
    if leg is Leg.BANK:
        return rematch_reference(first, standing["version"]), True
    return rematch_reference(first.removeprefix("settle:"), standing["version"]), True


def _held(evidence: Record, leg: Leg, file_no: int, line: int) -> str:
    """Name the item in suspense where what nobody can name waits."""
    if leg is Leg.BANK:
        return unidentified(file_no, line)
    return suspense_item(evidence["provider"], file_no, line)


def _entry(
    unmatch_id: str, leg: Leg, journal: list[Record], standing: Record, held: str, booking: Booking, *, whole: bool
) -> Entry:
    """Reverse what the match cleared. The cash and the fees stay: they came, whosever they are."""
    if whole:
        cleared = journal
    elif leg is Leg.BANK:
        cleared = [one for one in journal if not one["account"].startswith("bank:")]
    else:
        cleared = [one for one in journal if (one["account"], one["item"]) == (standing["account"], standing["item"])]
    # What a transfer had too much waits in suspense under the same item as what is put back there now.
    sums: dict[tuple[str, str | None, str], int] = {}
    tolerated_minor = 0
    if not whole and leg is Leg.PROVIDER and standing["outcome"] == MatchOutcome.MATCHED:
        # What was rounding by the contract's tolerance came with the line: it waits with it.
        tolerated_minor = standing["variance_minor"]
        sums[accounts.ROUNDING, None, journal[0]["currency"]] = tolerated_minor
    for one in cleared:
        key = one["account"], one["item"], one["currency"]
        sums[key] = sums.get(key, 0) - one["amount_minor"]
    if left_minor := sum(one["amount_minor"] for one in cleared) - tolerated_minor:
        key = accounts.SUSPENSE_UNIDENTIFIED, held, journal[0]["currency"]
        sums[key] = sums.get(key, 0) + left_minor
    postings = [
        Posting(account, Money(minor, currency), item) for (account, item, currency), minor in sums.items() if minor
    ]
    source = journal[0]
    return Entry(
        reference=f"unmatch:{unmatch_id}",
        kind=UNDONE_KIND,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=tuple(postings),
        source=Source(
            payment=source["payment"],
            provider=source["provider"],
            provider_reference=source["provider_reference"],
            file=source["file"],
            line=source["line"],
        ),
        corrects=source["journal_id"],
    )


async def _put_back(
    deps: Deps, connection: Connection, unmatch_id: str, leg: Leg, file_no: int, line: int, version: int, entry: Entry,
    by: str,
) -> None:  # fmt: skip
    """Make the line somebody's work again: unmatched, in suspense, with one break of all that is there of it by now."""
    evidence = await _evidence(connection, leg, file_no, line)
    held = _held(evidence, leg, file_no, line)
    now = deps.clock()
    credit = evidence["amount_minor"] > 0
    kind = BreakType.MISSING_IN_BOOKS
    if leg is Leg.BANK:
        kind = BreakType.UNKNOWN_BANK_CREDIT if credit else BreakType.UNKNOWN_BANK_DEBIT
    held_minor = await resolutions.open_amount(connection, accounts.SUSPENSE_UNIDENTIFIED, evidence["currency"], held)
    held_minor += sum(
        one.amount.amount_minor
        for one in entry.postings
        if (one.account, one.item, one.amount.currency) == (accounts.SUSPENSE_UNIDENTIFIED, held, evidence["currency"])
    )
    amount = Money(-held_minor, evidence["currency"])
    await breaks.end_standing(connection, accounts.SUSPENSE_UNIDENTIFIED, amount.currency, held, by, now)
    await line_matching.insert_matches(connection, [
        NewMatch(
            leg=leg, file_no=file_no, line=line, version=version + 1,
            outcome=MatchOutcome.UNIDENTIFIED if leg is Leg.BANK else MatchOutcome.MISSING_IN_BOOKS, rule=None,
            account=accounts.SUSPENSE_UNIDENTIFIED, item=held,
        )
    ])  # fmt: skip
    booking = await booking_now(deps, connection)
    await breaks.raise_breaks(connection, [
        NewBreak(
            type=kind, subject=f"{held}:{unmatch_id}", business_date=booking.business_date,
            amount_minor=amount.amount_minor, currency=amount.currency,
            provider=None if leg is Leg.BANK else evidence["provider"],
            account=accounts.SUSPENSE_UNIDENTIFIED, item=held, leg=leg, file_no=file_no, line=line,
            detail={
                "provider": evidence["provider"], "amount": str(amount), "theirs": str(amount), "ours": "",
                "reference": evidence["reference"], "file": evidence["name"], "line": str(line),
            },
        )
    ], now=now, random_bytes=deps.random_bytes)  # fmt: skip
