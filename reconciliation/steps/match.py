"""Step 3: post what was matched, in bounded chunks; how far it came commits with the postings themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ledger.journal import PostStatus, post_within
from ledger.money import Money
from reconciliation.breaks import BreakType
from reconciliation.errors import BooksDisagreeError
from reconciliation.matching import Leg, MatchOutcome
from reconciliation.night import Counts, Night
from reconciliation.postings import Booking, LineEvidence, borne_fee_entry, rematch_entry
from reconciliation.steps.bank_entries import match_later, post_statements
from reconciliation.steps.settlement_postings import post_files, post_lines
from reconciliation.store import Connection, Record, breaks, line_matching, resolutions, settlement_files
from reconciliation.store.breaks import NewBreak
from reconciliation.store.line_matching import NewMatch

STEP: Final = "match"
REMATCHES_A_CHUNK: Final = 1000


async def match_and_post(night: Night) -> Counts:
    """Post settlement lines, then bank entries, then look again at what nobody could name before."""
    counts: Counts = {
        "lines_posted": 0, "lines_refused": 0, "entries_posted": 0, "unidentified": 0, "found_later": 0,
        "fees_charged": 0, "breaks": 0,
    }  # fmt: skip
    await post_files(night, counts)
    await _rematch_lines(night, counts)
    await _charge_fees(night, counts)
    await post_statements(night, counts)
    await match_later(night, counts)
    return counts


async def _charge_fees(night: Night, counts: Counts) -> None:
    """Charge departments the fees their contracts make them bear, one journal a file and department."""
    async with night.transaction() as connection:
        files = await settlement_files.uncharged(connection)
    for file in files:
        async with night.transaction() as connection:
            if not await settlement_files.mark_charged(connection, file["file_no"]):
                continue
            booking = Booking(file["book_date"], file["effective_at"], file["late_for"])
            currency = file["currency"]
            entries = [
                borne_fee_entry(
                    file["provider"], file["file_no"], file["name"], row["department"],
                    Money(row["fee_minor"], currency), Money(row["fee_vat_minor"], currency), booking,
                )
                for row in await settlement_files.borne_fees(connection, file["file_no"], currency)
                if row["fee_minor"] or row["fee_vat_minor"]
            ]  # fmt: skip
            for entry, posted in zip(
                entries, await post_within(connection, entries, recorded_at=night.deps.clock()), strict=True
            ):
                if posted.status is PostStatus.REFUSED:
                    raise BooksDisagreeError(f"{entry.reference}: {posted.error}")
            counts["fees_charged"] += len(entries)


async def _rematch_lines(night: Night, counts: Counts) -> None:
    """Clear suspense for lines whose payment our books have learned of since."""
    since = night.business_date - timedelta(days=night.deps.policy.rematch_days)
    while True:
        async with night.transaction() as connection:
            rows = await line_matching.found_later(connection, since, REMATCHES_A_CHUNK)
            if not rows:
                return
            now = night.deps.clock()
            tolerated = [_is_tolerated(night, row) for row in rows]
            entries = [
                rematch_entry(_found_evidence(row, within), night.booking(now), row["version"] + 1)
                for row, within in zip(rows, tolerated, strict=True)
            ]
            await line_matching.insert_matches(
                connection, [_found_match(row, within) for row, within in zip(rows, tolerated, strict=True)]
            )
            refused: list[tuple[int, str]] = []
            counts["found_later"] += await post_lines(night, connection, entries, refused)
            counts["lines_refused"] += len(refused)
            counts["breaks"] += await breaks.raise_breaks(
                connection, await _other_amounts(night, connection, rows), now=now, random_bytes=night.deps.random_bytes
            )


def _is_tolerated(night: Night, row: Record) -> bool:
    """Tell whether a line is what the item says, as far as the contract of its file's day counts it the same."""
    expected_minor, gross_minor = row["expected_minor"], row["gross_minor"]
    tolerance = night.terms_of(row["provider"], row["file_date"]).tolerance_in(row["currency"])
    return (expected_minor > 0) == (gross_minor > 0) and tolerance.allows(expected_minor, gross_minor)


def _found_match(row: Record, tolerated: bool) -> NewMatch:  # noqa: FBT001 - what was decided of the row
    return NewMatch(
        leg=Leg.PROVIDER,
        file_no=row["file_no"],
        line=row["line"],
        version=row["version"] + 1,
        outcome=MatchOutcome.MATCHED if tolerated else MatchOutcome.AMOUNT,
        rule="found_later",
        account=row["account"],
        item=row["item"],
        payment=row["payment"],
        expected_minor=row["expected_minor"],
        variance_minor=row["gross_minor"] - row["expected_minor"],
    )


async def _other_amounts(night: Night, connection: Connection, rows: list[Record]) -> list[NewBreak]:
    """Name the lines found later that leave their item open: another amount is a break, whenever it is found."""
    found: list[NewBreak] = []
    for row in rows:
        if row["expected_minor"] == row["gross_minor"] or not await resolutions.open_amount(
            connection, row["account"], row["currency"], row["item"]
        ):
            continue
        theirs, ours = Money(row["gross_minor"], row["currency"]), Money(row["expected_minor"], row["currency"])
        found.append(
            NewBreak(
                type=BreakType.AMOUNT, subject=f"{row['provider']}:{row['file_no']}:{row['line']}",
                business_date=night.business_date, amount_minor=(theirs - ours).amount_minor, currency=row["currency"],
                provider=row["provider"], account=row["account"], item=row["item"], leg=Leg.PROVIDER,
                file_no=row["file_no"], line=row["line"],
                detail={
                    "provider": row["provider"], "reference": row["provider_reference"] or row["reference"] or "",
                    "amount": str(theirs), "theirs": str(theirs), "ours": str(ours), "file": row["name"],
                    "line": str(row["line"]),
                },
            )
        )  # fmt: skip
    return found


def _found_evidence(row: Record, tolerated: bool) -> LineEvidence:  # noqa: FBT001
    """Give the evidence for moving a line's gross; net and fees were posted when the line came."""
    return LineEvidence(
        provider=row["provider"],
        file_no=row["file_no"],
        file_name=row["name"],
        number=row["line"],
        kind=row["kind"],
        batch_reference=row["batch_reference"],
        currency=row["currency"],
        gross_minor=row["gross_minor"],
        fee_minor=0,
        fee_vat_minor=0,
        net_minor=0,
        account=row["account"],
        item=row["item"],
        payment=row["payment"],
        provider_reference=row["provider_reference"],
        tolerated_minor=row["gross_minor"] - row["expected_minor"] if tolerated else 0,
    )
