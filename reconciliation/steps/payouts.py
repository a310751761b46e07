"""Step 5: compute what each department is owed, fix it as one batch, post it, and only then hand it to the bank."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.contract import PayoutFile, PayoutLine
from adapters.errors import NotSentError, ProviderError, RejectedError
from ledger.ids import mint
from ledger.journal import post_within
from ledger.money import Money
from reconciliation.breaks import BreakType
from reconciliation.errors import BooksDisagreeError
from reconciliation.night import Counts, Night
from reconciliation.payout_postings import PayoutEvidence, payout_entry
from reconciliation.payout_terms import Due, Held, PayoutTerms, Proof, Schedule, due
from reconciliation.revenue_accounts import Share, divide, hold_refused
from reconciliation.steps.payout_answers import apply_answer, apply_rejection, mark_unknown
from reconciliation.store import (
    Connection,
    Record,
    breaks,
    payees,
    payout_release,
    payouts,
    remittances,
    revenue_parts,
)
from reconciliation.store.breaks import NewBreak

STEP: Final = "payouts"
MAKER: Final = "night"
POLICY: Final = "policy"


async def pay_departments(night: Night) -> Counts:
    """Release what was approved since, draft tonight's batch, send what is released.

    What waited goes first, so that it keeps nothing else back: tonight's draft has what is owed beyond it.
    """
    counts: Counts = {"departments": 0, "lines": 0, "amount_minor": 0, "released": 0, "sent": 0, "breaks": 0}
    async with night.transaction() as connection:
        await payees.apply_due(connection, night.deps.clock())
        await _raise_owed_elsewhere(night, connection, counts)
    for batch_id in await _approved(night):
        if stale := await _why_stale(night, batch_id):
            await _refuse(night, batch_id, stale)
        else:
            await _release(night, batch_id, counts)
    if drafted := await _draft(night, counts):
        await _release(night, drafted, counts)
    for batch in await _unsent(night):
        await send(night, batch, counts)
    return counts


async def _draft(night: Night, counts: Counts) -> str | None:
    """Draft one batch of this business date; the message id and the content are fixed from here on."""
    currency, drafted = night.deps.account.currency, None
    async with night.transaction(isolation="repeatable_read") as connection:
        if await payouts.has_batch(connection, night.business_date, currency):
            return None
        if await payouts.has_unreleased(connection, currency):
            return None
        computed = await compute_due(night, connection)
        counts["departments"] = len(computed)
        await _raise_payees_missing(night, connection, computed, counts)
        payable = [(row, amount) for row, amount in computed if amount.held is None]
        if payable:
            drafted = await _insert(night, connection, payable, counts)
        await payout_release.remember_draft(connection, night.business_date, currency, night.deps.clock())
    return drafted


async def compute_due(night: Night, connection: Connection) -> list[tuple[Record, Due]]:
    """Compute, from one snapshot, what each department is paid tonight, or why it is not."""
    currency = night.deps.account.currency
    drafted_before = await payout_release.last_drafted(connection, night.business_date, currency)
    computed = []
    for row in await payouts.compute_owed(connection, currency):
        waiting_minor = await hold_refused(connection, night.deps.revenue_codes, row, currency)
        terms = _terms_of(row, stopped=waiting_minor is None)
        unproven_minor = row["unproven_minor"] + (waiting_minor or 0)
        amount = due(row["payable_minor"], unproven_minor, terms, night.business_date, drafted_before)
        computed.append((row, amount))
    return computed


def _terms_of(row: Record, *, stopped: bool) -> PayoutTerms | None:
    """Read a department's terms; without an approved account there are none."""
    if row["iban"] is None:
        return None
    return PayoutTerms(
        Proof(row["proof"]), Schedule(row["schedule"]), row["weekday"], row["minimum_minor"], row["holdback_minor"],
        row["account_refused"] or stopped,
    )  # fmt: skip


async def _insert(night: Night, connection: Connection, payable: Sequence[tuple[Record, Due]], counts: Counts) -> str:
    deps, now = night.deps, night.deps.clock()
    account, limit_minor = deps.account, deps.policy.auto_approve_limit_minor
    batch_id = mint("po", now, deps.random_bytes)
    lines = [
        (
            mint("pl", now, deps.random_bytes), batch_id, row["department"], share.account["legal_name"],
            share.account["iban"], share.account["bic"], share.account["purpose"], share.amount_minor,
            f"MIZAN {night.business_date} {row['department']} {share.revenue_code}".rstrip()[:140],
            amount.payable_minor, amount.unproven_minor, amount.holdback_minor, row["previous_line"],
            row["journal_through"], now, share.revenue_code,
        )
        for row, amount, share in await _shares(night, connection, payable)
    ]  # fmt: skip
    total_minor = sum(amount.amount_minor for _, amount in payable)
    execution_date = night.calendar.next_working_day(max(night.business_date, night.calendar.business_date(now)))
    by_policy = total_minor <= limit_minor
    file = PayoutFile(
        batch_id, now, execution_date, account.name, account.iban, account.bic,
        [_payout_line(line[0], line[3], line[4], line[5], line[7], account.currency, line[8], line[6])
         for line in sorted(lines)],
    )  # fmt: skip
    await payouts.insert_batch(
        connection,
        (
            batch_id, night.business_date, account.currency, account.code, account.name, account.iban, account.bic,
            execution_date, len(lines), total_minor, content_hash(file), "approved" if by_policy else "submitted",
            MAKER, now, POLICY if by_policy else None, now if by_policy else None, limit_minor,
        ),
    )  # fmt: skip
    await payouts.insert_lines(connection, lines)
    if any(line[-1] for line in lines):
        await revenue_parts.keep(connection, batch_id)
    counts["lines"] += len(lines)
    counts["amount_minor"] += total_minor
    return batch_id


async def _shares(
    night: Night, connection: Connection, payable: Sequence[tuple[Record, Due]]
) -> list[tuple[Record, Due, Share]]:
    """Divide what each department is paid over its accounts, where it has some for single revenue codes."""
    currency = night.deps.account.currency
    accounts: dict[str, list[Record]] = {}
    for account in await payees.by_revenue_code(connection, currency):
        accounts.setdefault(account["department"], []).append(account)
    return [
        (row, amount, share)
        for row, amount in payable
        for share in await divide(
            connection, night.deps.revenue_codes, row, amount.amount_minor, currency,
            accounts.get(row["department"], ()),
        )
    ]  # fmt: skip


def _payout_line(
    line_id: str, name: str, iban: str, bic: str | None, amount_minor: int, currency: str, remittance: str,
    purpose: str,
) -> PayoutLine:  # fmt: skip
    return PayoutLine(line_id, name, iban, bic, Money(amount_minor, currency), remittance, purpose)


def content_hash(file: PayoutFile) -> str:
    """Hash what the bank is asked to do; it is compared again before every send."""
    return hashlib.sha256(msgspec.json.encode(file)).hexdigest()


def payout_file(batch: Record, lines: Sequence[Record]) -> PayoutFile:
    """Build the file from what is stored; it is the same file each time."""
    file = PayoutFile(
        message_id=batch["id"],
        created_at=batch["made_at"],
        execution_date=batch["execution_date"],
        debtor_name=batch["debtor_name"],
        debtor_iban=batch["debtor_iban"],
        debtor_bic=batch["debtor_bic"],
        lines=[
            _payout_line(line["id"], line["creditor_name"], line["creditor_iban"], line["creditor_bic"],
                         line["amount_minor"], batch["currency"], line["remittance"], line["purpose"])
            for line in lines
        ],
    )  # fmt: skip
    if content_hash(file) != batch["content_sha256"]:
        raise BooksDisagreeError(f"payout {batch['id']} is not what was approved; it is not sent")
    return file


async def _approved(night: Night) -> list[str]:
    async with night.transaction() as connection:
        return [row["id"] for row in await payouts.in_status(connection, ["approved"])]


async def _why_stale(night: Night, batch_id: str) -> str:
    """Say why a batch must not leave as it was drafted, from one snapshot of the books and accounts; empty when it may.

    It may have waited for days: a dispute, a match undone, another account or a refusal of the bank came in between.
    """
    async with night.transaction(isolation="repeatable_read") as connection:
        paid = await payout_release.paid_to(connection, batch_id)
        found = {row["department"]: amount for row, amount in await compute_due(night, connection)}
        changed = await payout_release.changed_accounts(connection, batch_id)
    stopped = [one for one in paid if one not in found or found[one].held in {Held.NO_ACCOUNT, Held.ACCOUNT_REFUSED}]
    short = [one for one, amount_minor in paid.items() if one in found and found[one].available_minor < amount_minor]
    for why, departments in (("account_changed", changed), ("account_stopped", stopped), ("not_proven_now", short)):
        if departments:
            return f"{why}: {', '.join(departments)}"
    return ""


async def _refuse(night: Night, batch_id: str, reason: str) -> None:
    """Take an approved batch back: the next draft computes it anew, and it is approved anew."""
    async with night.transaction() as connection:
        batch = await payouts.read_locked(connection, batch_id)
        if batch is not None and batch["status"] == "approved":
            await payouts.refuse(connection, batch_id, reason[:500], night.deps.clock())


async def _release(night: Night, batch_id: str, counts: Counts) -> None:
    """Post the journals and mark the batch released, in one transaction: from here the money is on its way."""
    async with night.transaction() as connection:
        batch = await payouts.read_locked(connection, batch_id)
        if batch is None or batch["status"] != "approved":
            return
        if short := await payout_release.short_departments(connection, batch_id, batch["currency"]):
            # Refunds since the draft took the money; the next night computes it anew.
            reason = f"balance_fell: {', '.join(short)}"[:500]
            await payouts.refuse(connection, batch_id, reason, night.deps.clock())
            return
        lines = await payouts.read_lines(connection, batch_id)
        payout_file(batch, lines)
        now = night.deps.clock()
        booking = night.booking(now)
        entries = [
            payout_entry(
                PayoutEvidence(
                    line["id"], batch_id, line["department"], Money(line["amount_minor"], batch["currency"])
                ),
                booking,
            )
            for line in lines
        ]
        answers = await post_within(connection, entries, recorded_at=now)
        journals: list[tuple[str, int]] = []
        for line, answer in zip(lines, answers, strict=True):
            if answer.journal_id is None:
                raise BooksDisagreeError(f"payout line {line['id']}: {answer.error}")
            journals.append((line["id"], answer.journal_id))
        await payouts.release(connection, batch_id, journals, booking.business_date, now)
        await remittances.queue(connection, batch_id, now)
        counts["released"] += len(journals)


async def _unsent(night: Night) -> list[Record]:
    async with night.transaction() as connection:
        return await payouts.in_status(connection, ["released", "unknown"])


async def send(night: Night, batch: Record, counts: Counts) -> None:
    """Hand a released batch to the bank. When an earlier send may have arrived, the bank is asked first.

    Sending again is safe in any case: the message id is the batch's own, and the bank takes one file per id.
    """
    bank = night.deps.bank
    async with night.transaction() as connection:
        lines = await payouts.read_lines(connection, batch["id"])
        file = payout_file(batch, lines)
        await payouts.count_send(connection, batch["id"])
    first = batch["sends"] == 0
    try:
        if not first:
            report = await bank.query_payout(batch["id"])
            if await apply_answer(night, batch["id"], report):
                counts["sent"] += 1
                return
        report = await bank.send_payout(file)
    except NotSentError:
        return  # still released; the next run sends it
    except RejectedError as error:
        if first:
            await apply_rejection(night, batch["id"], str(error))
        else:
            await mark_unknown(night, batch["id"], str(error))
    except ProviderError as error:
        await mark_unknown(night, batch["id"], str(error))
    else:
        await apply_answer(night, batch["id"], report, sent=True)
        counts["sent"] += 1


async def _raise_payees_missing(
    night: Night, connection: Connection, computed: Sequence[tuple[Record, Due]], counts: Counts
) -> None:
    currency = night.deps.account.currency
    found = [
        NewBreak(
            type=BreakType.PAYEE_MISSING, subject=f"{row['department']}:{currency}", business_date=night.business_date,
            amount_minor=row["payable_minor"], currency=currency, department=row["department"],
            detail={"department": row["department"], "amount": str(Money(row["payable_minor"], currency))},
        )
        for row, amount in computed
        if amount.held is Held.NO_ACCOUNT
    ]  # fmt: skip
    counts["breaks"] += await breaks.raise_breaks(
        connection, found, now=night.deps.clock(), random_bytes=night.deps.random_bytes
    )


async def _raise_owed_elsewhere(night: Night, connection: Connection, counts: Counts) -> None:
    """Name what is owed in a currency our account does not hold: no payout can leave for it."""
    ours = night.deps.account.currency
    found = [
        NewBreak(
            type=BreakType.OWED_IN_OTHER_CURRENCY, subject=f"{row['department']}:{row['currency']}",
            business_date=night.business_date, amount_minor=row["payable_minor"], currency=row["currency"],
            department=row["department"],
            detail={"department": row["department"], "ours": ours,
                    "amount": str(Money.of_total(row["payable_minor"], row["currency"]))},
        )
        for row in await payouts.owed_elsewhere(connection, ours)
    ]  # fmt: skip
    counts["breaks"] += await breaks.raise_breaks(
        connection, found, now=night.deps.clock(), random_bytes=night.deps.random_bytes
    )
