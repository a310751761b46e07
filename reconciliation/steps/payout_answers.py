"""The bank's word on a payout file, applied line by line: accepted waits for the statement, rejected is owed again."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.contract import PayoutReport, PayoutStatus
from ledger.journal import post_within
from ledger.money import Money
from reconciliation.bank_codes import line_reason, refuses_account
from reconciliation.breaks import BreakType
from reconciliation.errors import BooksDisagreeError
from reconciliation.night import Night
from reconciliation.payout_postings import PayoutEvidence, payout_returned_entry
from reconciliation.store import Connection, Record, breaks, payouts, remittances
from reconciliation.store.breaks import NewBreak

WAITING = frozenset({"released", "accepted"})
OPEN_BATCH = frozenset({"released", "unknown", "sent", "accepted"})


async def apply_answer(night: Night, batch_id: str, report: PayoutReport, *, sent: bool = False) -> bool:
    """Apply a report and return whether the bank knows the file. What it does not say stays as it was."""
    if report.status is PayoutStatus.UNKNOWN:
        if sent:
            await mark_unknown(night, batch_id, report.reason)
        return False
    async with night.transaction() as connection:
        batch = await payouts.read_locked(connection, batch_id)
        if batch is None or batch["status"] not in OPEN_BATCH:
            return True
        lines = await payouts.read_lines(connection, batch_id)
        words = line_words(report, [line["id"] for line in lines])
        status = "accepted" if PayoutStatus.ACCEPTED in words.values() else "sent"
        if batch["status"] != "accepted" or status == "accepted":
            await payouts.set_status(connection, batch_id, status, report.reason[:500], night.deps.clock())
        accepted = [line for line, word in words.items() if word is PayoutStatus.ACCEPTED]
        await payouts.set_accepted(connection, accepted, night.deps.clock())
        rejected = [line for line in lines if line["status"] in WAITING and words[line["id"]] is PayoutStatus.REJECTED]
        await _owe_again(night, connection, batch, rejected, report)
    return True


def line_words(report: PayoutReport, line_ids: list[str]) -> Mapping[str, PayoutStatus]:
    """Give each line the bank's word: its own where it has one, else the file's.

    A file rejected as a whole rejects every line; a file accepted as a whole accepts only lines it does not reject.
    """
    return {line_id: report.lines.get(line_id, report.status) for line_id in line_ids}


async def apply_rejection(night: Night, batch_id: str, reason: str) -> None:
    """Apply a refusal of the whole file: nothing of it moved."""
    await apply_answer(night, batch_id, PayoutReport(PayoutStatus.REJECTED, {}, reason))


async def mark_unknown(night: Night, batch_id: str, reason: str) -> None:
    """Nobody knows whether the bank has it: it stays so until the bank or a statement says."""
    async with night.transaction() as connection:
        batch = await payouts.read_locked(connection, batch_id)
        if batch is not None and batch["status"] in {"released", "unknown"}:
            await payouts.set_status(connection, batch_id, "unknown", reason[:500], night.deps.clock())


async def _owe_again(
    night: Night, connection: Connection, batch: Record, rejected: list[Record], report: PayoutReport
) -> None:
    """Re-open the payables of rejected lines, and tell finance; an account that was refused takes nothing more.

    What is said of the whole file is not said of any payee's account.
    """
    if not rejected:
        return
    now, currency = night.deps.clock(), batch["currency"]
    booking = night.booking(now)
    entries, found = [], []
    for line in rejected:
        reason = line_reason(report, line["id"]) or "refused_by_bank"
        held = line["creditor_iban"] if refuses_account(report, line["id"]) else ""
        journal_id = await payouts.mark_returned(connection, line["id"], "rejected", reason[:500], now)
        amount = Money(line["amount_minor"], currency)
        entries.append(
            payout_returned_entry(
                PayoutEvidence(line["id"], batch["id"], line["department"], amount), booking, journal_id
            )
        )
        found.append(
            NewBreak(
                type=BreakType.REJECTED_PAYOUT, subject=line["id"], business_date=night.business_date,
                amount_minor=line["amount_minor"], currency=currency, department=line["department"],
                detail={"amount": str(amount), "department": line["department"], "reference": line["id"],
                        "reason": reason, **({"held": held} if held else {})},
            )
        )  # fmt: skip
    await remittances.correct(connection, [line["id"] for line in rejected], now)
    await breaks.raise_breaks(connection, found, now=now, random_bytes=night.deps.random_bytes)
    for entry, posted in zip(entries, await post_within(connection, entries, recorded_at=now), strict=True):
        if posted.journal_id is None:
            raise BooksDisagreeError(f"{entry.reference}: {posted.error}")
