"""A payment followed to its bank lines, and a payout line to its own: each step names the evidence of the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.accounts import department_payout_in_transit
from ledger.money import Money
from reconciliation.break_words import reason_words
from reconciliation.breaks import Language
from reconciliation.deps import Deps
from reconciliation.errors import NotFoundError
from reconciliation.reports.words import kind_word, status_word, word
from reconciliation.store import Connection, Record, following

RETURNS_MAX: Final = 20
"""How often a payout that came back is followed to the next one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: which kind it is, what it says in words, and the evidence as it is written."""

    label: str
    words: str
    evidence: str
    depth: int = 0


async def follow(deps: Deps, asked: str, language: Language) -> list[Step]:
    """Follow a payment, one of its attempts or refunds, or a payout line, as far as the books know."""
    async with deps.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        if (line := await following.payout_line(connection, asked)) is not None:
            return await _payout(connection, line, language)
        payments = await following.payments_of(connection, asked)
        if not payments:
            raise NotFoundError(f"the books know no payment, attempt, refund or payout line {asked}")
        steps: list[Step] = []
        for payment in payments:
            steps += await _payment(connection, payment, language)
        return steps


async def _payment(connection: Connection, payment: str, language: Language) -> list[Step]:
    rows = await following.journals_of_payment(connection, payment)
    items = sorted({(row["account"], row["item"]) for row in rows
                    if row["item"] and row["account"].startswith("provider:")})  # fmt: skip
    lines = await following.settlement_lines(connection, items)
    steps = [Step(word("payment", language), "", payment), *_journals(rows, language)]
    for line in lines:
        gross, net = (Money(line[name], line["currency"]) for name in ("gross_minor", "net_minor"))
        file = f"{line['provider']} {line['file_no']} {line['name']}:{line['line']}"
        steps.append(
            Step(word("settled", language), f"{word('file', language)}, {word('line', language)}", f"{file}  {gross}")
        )
        steps.append(Step(word("batch", language), word("net", language), f"{line['batch_reference']}  {net}", 1))
        steps += await _bank(connection, line["transit"], line["batch_reference"], language, depth=1)
    for row in rows:
        if row["account"].startswith("provider:") and row["account"].endswith((":receivable", ":refunds_in_transit")):
            steps += await _bank(connection, row["account"], row["item"], language, depth=0, quiet=True)
    return steps + await _payouts(connection, rows, language)


async def _payouts(connection: Connection, rows: list[Record], language: Language) -> list[Step]:
    """Follow every department's part to the payout that paid it; one that came back, to the next."""
    steps: list[Step] = []
    seen: set[str] = set()
    for row in rows:
        kind, department, purse = (*row["account"].split(":"), "", "")[:3]
        if (kind, purse) != ("department", "payable"):
            continue
        journal_id = row["journal_id"]
        for _ in range(RETURNS_MAX):
            lines = await following.payout_lines(connection, department, row["currency"], journal_id)
            for line in lines:
                if line["id"] not in seen:
                    steps += await _payout(connection, line, language)
                seen.add(line["id"])
            back = [f"payout_returned:{line['id']}" for line in lines if line["status"] in {"rejected", "returned"}]
            returned = await following.journals_named(connection, back)
            if not lines or not returned:
                if not lines:
                    steps.append(Step(word("payout", language), word("not_included", language), department))
                break
            journal_id = returned[-1]["journal_id"]
    return steps


async def _payout(connection: Connection, line: Record, language: Language) -> list[Step]:
    """Say what a payout line is, its journals, what is inside, and the bank line that proves it."""
    amount = Money(line["amount_minor"], line["currency"])
    said = status_word(line["status"], language)
    if line["reason"]:
        said += f": {reason_words(line['reason'], language)}"
    department = f"{line['department']} {line['revenue_code']}".rstrip()
    steps = [
        Step(word("payout", language), said, f"{line['id']}  {amount}  {department}  {line['creditor_iban']}"),
        Step(word("batch", language), "", f"{line['batch_id']}  {line['business_date']}", 1),
        Step(
            word("inside", language), "",
            f"mizan report remittance --department {line['department']} --date {line['business_date']}", 1,
        ),
    ]  # fmt: skip
    rows = await following.journals_named(connection, [f"payout:{line['id']}", f"payout_returned:{line['id']}"])
    steps += _journals(rows, language, depth=1)
    account = department_payout_in_transit(line["department"])
    return steps + await _bank(connection, account, line["id"], language, depth=1)


async def _bank(
    connection: Connection, account: str, item: str, language: Language, *, depth: int, quiet: bool = False
) -> list[Step]:
    rows = await following.bank_entries(connection, account, item)
    label = word("bank_line", language)
    if not rows:
        return [] if quiet else [Step(label, word("not_at_bank", language), "", depth)]
    return [
        Step(
            label, "",
            f"{row['statement_no']} {row['file_name']}:{row['number']}  {_day(row['booked_on'])}"
            f"  {Money(row['amount_minor'], row['currency'])}",
            depth,
        )
        for row in rows
    ]  # fmt: skip


def _journals(rows: list[Record], language: Language, depth: int = 0) -> list[Step]:
    steps: list[Step] = []
    last = None
    for row in rows:
        if row["journal_id"] != last:
            last = row["journal_id"]
            evidence = f"{last}  {_day(row['business_date'])}  {row['reference']}"
            steps.append(Step(word("journal", language), kind_word(row["kind"], language), evidence, depth))
        amount = Money(row["amount_minor"], row["currency"])
        side = word("debit" if row["amount_minor"] > 0 else "credit", language)
        shown = amount if row["amount_minor"] > 0 else -amount
        steps.append(Step("", side, f"{shown}  {row['account']} {row['item'] or ''}".rstrip(), depth + 1))
    return steps


def _day(day: date) -> str:
    return day.isoformat()
