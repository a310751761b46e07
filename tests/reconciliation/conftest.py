"""A night's world in one fixture: the real books, and a provider and a bank that say what the test scripts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.contract import (
    LineKind,
    PayoutFile,
    PayoutReport,
    PayoutStatus,
    SettlementFile,
    SettlementLine,
    Statement,
    StatementEntry,
)
from adapters.errors import NotSentError, OutcomeUnknownError, ProviderError
from ledger.accounts import (
    SUSPENSE_LATE_PAYMENTS,
    department_payable,
    provider_receivable,
    provider_refunds_in_transit,
)
from ledger.entry import Entry, Source, credit, debit
from ledger.journal import PostStatus, post_within
from ledger.money import Money, total
from reconciliation.business_days import Calendar
from reconciliation.contracts import decide_contract, propose_contract
from reconciliation.day_close import decide_day, explain_break, propose_day
from reconciliation.deps import BankAccount, Deps, Policy
from reconciliation.nightly import NightSummary, run_night
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from reconciliation.provider_terms import ProviderTerms

SUNDAY = date(2026, 11, 22)
MONDAY = date(2026, 11, 23)
TUESDAY = date(2026, 11, 24)
SEAL_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OUR_IBAN = "AE070331234567890123456"
IBAN = {"traffic": "AE840261001015033304101", "health": "AE790353000000000012345", "courts": "AE430230000000000054321"}


def aed(text: str) -> Money:
    return Money.parse(text, "AED")


def line(
    number: int, order: str | None, gross: str, *, fee: str = "0", vat: str = "0", net: str | None = None,
    kind: LineKind = LineKind.PAYMENT, reference: str | None = None, currency: str = "AED", raw_kind: str = "",
) -> SettlementLine:  # fmt: skip
    def money(text: str) -> Money:
        return Money.parse(text, currency)

    return SettlementLine(
        number, kind, reference, order, money(gross), money(fee), money(vat),
        money(net) if net is not None else money(gross) - money(fee) - money(vat),
        datetime(2026, 11, 22, 5, 0, tzinfo=UTC), raw_kind,
    )  # fmt: skip


def settlement(
    lines: Sequence[SettlementLine], *, batch: str = "BATCH-1", day: date = SUNDAY, total_net: str | None = None,
    credit_on: date | None = None, name: str | None = None, currency: str = "AED", provider: str = "alpha",
    refused: Sequence[tuple[int, str]] = (),
) -> SettlementFile:  # fmt: skip
    stated = (
        Money.parse(total_net, currency)
        if total_net
        else total((one.net for one in lines if one.net.currency == currency), currency)
    )
    content = repr((batch, day, stated, [repr(one) for one in lines], refused)).encode()
    return SettlementFile(
        provider, name or f"{provider}-{batch}.csv", hashlib.sha256(content).hexdigest(), day, batch, currency,
        tuple(lines), stated, credit_on, tuple(refused),
    )  # fmt: skip


def entry(
    amount: str, *, batch: str | None = None, end_to_end: str | None = None, remittance: str = "", day: date = SUNDAY,
    returned: bool = False, currency: str = "AED",
) -> StatementEntry:  # fmt: skip
    return StatementEntry(
        0, Money.parse(amount, currency), day, day, None, end_to_end, batch, remittance, returned=returned
    )


class ScriptedProvider:
    """Settles: gives the files a test puts on its days; an error put there is raised instead."""

    def __init__(self) -> None:
        self.days: dict[date, list[SettlementFile | ProviderError]] = {}
        self.asked: list[date] = []

    def put(self, file: SettlementFile | ProviderError, day: date = SUNDAY) -> None:
        self.days.setdefault(day, []).append(file)

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        self.asked.append(business_date)
        for file in self.days.get(business_date, []):
            if isinstance(file, ProviderError):
                raise file
            yield file


class ScriptedBank:
    """States and pays: a book of entries cut into statements, and one file per message id however often it is sent.

    `answers` scripts the next sends: `ok`, `lost` (taken, and the answer never arrives), `refused` (never left).
    """

    def __init__(self) -> None:
        self.days: dict[date, list[Statement | ProviderError]] = {}
        self.files: dict[str, PayoutFile] = {}
        self.sends: list[str] = []
        self.answers: list[str] = []
        self.reports: dict[str, PayoutReport] = {}
        self.balance = aed("0")
        self.sequence = 0

    def state(self, *entries: StatementEntry, day: date = SUNDAY, **change: Any) -> Statement:
        """Cut a statement of these entries, following the last; `change` overrides what the bank would write."""
        self.sequence += 1
        numbered = tuple(replace(one, number=number) for number, one in enumerate(entries, start=1))
        opening = self.balance
        self.balance = opening + total((one.amount for one in numbered), "AED")
        statement = Statement(
            OUR_IBAN, f"ST-{self.sequence:04}", self.sequence, "AED", day, day, opening, self.balance, numbered,
            f"camt053-{self.sequence:04}.xml", hashlib.sha256(f"{self.sequence}{numbered}".encode()).hexdigest(),
        )  # fmt: skip
        statement = replace(statement, **change)
        self.days.setdefault(day, []).append(statement)
        return statement

    async def statements(self, account_iban: str, business_date: date) -> AsyncIterator[Statement]:
        assert account_iban == OUR_IBAN
        for statement in self.days.get(business_date, []):
            if isinstance(statement, ProviderError):
                raise statement
            yield statement

    async def send_payout(self, file: PayoutFile) -> PayoutReport:
        self.sends.append(file.message_id)
        answer = self.answers.pop(0) if self.answers else "ok"
        if answer == "refused":
            raise NotSentError("connection refused")
        known = self.files.setdefault(file.message_id, file)
        assert known == file, "one message id, two contents"
        if answer == "lost":
            raise OutcomeUnknownError("reset after the write")
        return self.reports.get(file.message_id, PayoutReport(PayoutStatus.RECEIVED))

    async def query_payout(self, message_id: str) -> PayoutReport:
        if message_id not in self.files:
            return PayoutReport(PayoutStatus.UNKNOWN)
        return self.reports.get(message_id, PayoutReport(PayoutStatus.ACCEPTED))

    def instructed(self) -> dict[str, Money]:
        """Everything the bank was ever told to pay, by end-to-end id."""
        return {one.end_to_end_id: one.amount for file in self.files.values() for one in file.lines}


@dataclass
class World:
    """The books and the two outside parties, and short verbs for what happens by day."""

    pool: asyncpg.Pool[Any]
    clock: Any
    deps: Deps
    provider: ScriptedProvider
    bank: ScriptedBank
    counted: int = field(default=0)

    async def post(self, *entries: Entry) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            posted = await post_within(connection, entries, recorded_at=self.clock())
        assert [one.status for one in posted] == [PostStatus.POSTED] * len(entries), posted

    async def capture(
        self, attempt: str, *parts: tuple[str, str], order: str | None = None, day: date = SUNDAY, currency: str = "AED"
    ) -> None:
        """A citizen pays: parts are (department, amount)."""
        amounts = [(department, Money.parse(text, currency)) for department, text in parts]
        gross = total((amount for _, amount in amounts), currency)
        await self.post(
            Entry(
                reference=f"capture:{attempt}",
                kind="payment_captured",
                business_date=day,
                effective_at=self.clock(),
                postings=(
                    debit(provider_receivable("alpha"), gross, attempt),
                    *(credit(department_payable(department), amount) for department, amount in amounts),
                ),
                source=Source(payment=f"pi_{attempt}", provider="alpha", provider_reference=order or f"O-{attempt}"),
            )
        )

    async def refund(self, refund: str, department: str, amount: str, *, day: date = SUNDAY) -> None:
        await self.post(
            Entry(
                reference=f"refund:{refund}",
                kind="refund_accepted",
                business_date=day,
                effective_at=self.clock(),
                postings=(
                    debit(department_payable(department), aed(amount)),
                    credit(provider_refunds_in_transit("alpha"), aed(amount), refund),
                ),
                source=Source(payment=f"pi_{refund}", provider="alpha", provider_reference=f"R-{refund}"),
            )
        )

    async def capture_late(self, attempt: str, amount: str, *, day: date = SUNDAY) -> None:
        await self.post(
            Entry(
                reference=f"capture:{attempt}",
                kind="late_payment_captured",
                business_date=day,
                effective_at=self.clock(),
                postings=(
                    debit(provider_receivable("alpha"), aed(amount), attempt),
                    credit(SUSPENSE_LATE_PAYMENTS, aed(amount), attempt),
                ),
                source=Source(payment=f"pi_{attempt}", provider="alpha", provider_reference=f"O-{attempt}"),
            )
        )

    async def accept_late(self, attempt: str, department: str, amount: str, *, day: date = SUNDAY) -> None:
        await self.post(
            Entry(
                reference=f"late_accepted:{attempt}",
                kind="late_payment_accepted",
                business_date=day,
                effective_at=self.clock(),
                postings=(
                    debit(SUSPENSE_LATE_PAYMENTS, aed(amount), attempt),
                    credit(department_payable(department), aed(amount)),
                ),
                source=Source(payment=f"pi_{attempt}"),
            )
        )

    async def payee(self, department: str, **change: Any) -> None:
        """Two people register where a department is paid."""
        details = PayeeDetails(department, "AED", f"{department.title()} Department", IBAN[department], None, **change)
        change_id = await propose_payee_change(self.deps, details, by="amal", reason="first registration")
        await decide_payee_change(self.deps, change_id, by="bilal", approve=True)

    async def night(self, day: date = SUNDAY, *, step: str | None = None) -> NightSummary:
        """Run the night of a day at two in the morning of the next, unless the clock is already past that."""
        at = datetime(day.year, day.month, day.day, 22, 0, tzinfo=UTC)
        if self.clock() < at:
            self.clock.set(at)
        return await run_night(self.deps, day, step=step)

    async def explain_all(self) -> None:
        """Somebody takes on every standing break."""
        rows = await self.pool.fetch("SELECT id FROM reconciliation.break WHERE closed_at IS NULL ORDER BY id")
        for row in rows:
            await explain_break(self.deps, row["id"], owner="huda", reason="the provider was asked", by="amal")

    async def close(self, day: date = SUNDAY) -> None:
        """Two people close a day, whatever stands explained."""
        await self.explain_all()
        close_id = await propose_day(self.deps, day, by="amal", note="as usual")
        await decide_day(self.deps, close_id, by="bilal", approve=True, key=SEAL_KEY)

    async def balances(self, currency: str = "AED") -> dict[str, str]:
        """The books as a table: debit above zero, accounts at zero left out."""
        rows = await self.pool.fetch(
            "SELECT account, amount_minor FROM ledger.balances WHERE currency = $1 AND amount_minor <> 0"
            " ORDER BY account",
            currency,
        )
        return {row["account"]: Money(row["amount_minor"], currency).decimal() for row in rows}

    async def journals(self, *kinds: str) -> list[str]:
        """The journals of some kinds as a bookkeeper would write them, one posting a line."""
        rows = await self.pool.fetch(
            "SELECT reference, account, currency, amount_minor, item FROM ledger.postings WHERE kind = ANY ($1)"
            " ORDER BY journal_id, seq",
            list(kinds),
        )
        return [
            f"{row['reference']} | {row['account']} | {Money(row['amount_minor'], row['currency']).decimal()}"
            f" | {row['item'] or ''}".rstrip()
            for row in rows
        ]

    async def breaks(self, *, standing: bool = True, payees: bool = False) -> list[tuple[str, str, str]]:
        """The breaks as (type, subject's item or file, value); departments without an account only when asked for."""
        rows = await self.pool.fetch(
            "SELECT type, amount_minor, currency, item, subject, status FROM reconciliation.break"
            " WHERE NOT $1 OR closed_at IS NULL ORDER BY type, subject",
            standing,
        )
        return [
            (row["type"], row["item"] or row["subject"],
             Money(row["amount_minor"], row["currency"]).decimal() if row["currency"] else "")
            for row in rows
            if payees or row["type"] != "payee_missing"
        ]  # fmt: skip

    async def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row the night writes and every journal, to see that a rerun changes nothing of it."""
        tables = (
            "settlement_file", "settlement_line", "statement", "statement_entry", "match", "break", "payee",
            "payout_line", "payout_deferred",
        )  # fmt: skip
        found = {
            table: [
                tuple(row) for row in await self.pool.fetch(f"SELECT * FROM reconciliation.{table} ORDER BY 1, 2, 3")
            ]
            for table in tables
        }
        found["postings"] = [
            tuple(row)
            for row in await self.pool.fetch(
                "SELECT reference, kind, account, amount_minor, item FROM ledger.postings ORDER BY journal_id, seq"
            )
        ]
        found["payout_batch"] = [
            tuple(row)
            for row in await self.pool.fetch(
                "SELECT id, status, total_minor FROM reconciliation.payout_batch ORDER BY 1"
            )
        ]
        return found

    async def assert_books_hold(self) -> None:
        """The trial balance is zero, and cash stands where the last accepted statement closes."""
        off = await self.pool.fetch(
            "SELECT currency, sum(amount_minor) FROM ledger.balances GROUP BY currency HAVING sum(amount_minor) <> 0"
        )
        assert off == []
        closing = await self.pool.fetchval(
            "SELECT closing_minor FROM reconciliation.statement WHERE status = 'accepted'"
            " ORDER BY closed_on DESC, sequence DESC LIMIT 1"
        )
        if closing is not None:
            assert (await self.balances()).get("bank:main:cash", "0.00") == Money(closing, "AED").decimal()


async def sign(deps: Deps, provider: str, terms: ProviderTerms, begins_on: date = SUNDAY - timedelta(days=60)) -> None:
    """Two people agree on a contract."""
    changes: dict[str, object] = {
        "file_days": terms.file_days, "settlement_days": terms.settlement_days, "credit_days": terms.credit_days,
        "currency": terms.currency, "tolerance_above_minor": terms.tolerance.above_minor,
        "tolerance_below_minor": terms.tolerance.below_minor,
        "tolerance_above_basis_points": terms.tolerance.above_basis_points,
        "tolerance_below_basis_points": terms.tolerance.below_basis_points, "settles": terms.settles,
    }  # fmt: skip
    if terms.fees is not None:
        changes |= {
            "fee_basis_points": terms.fees.basis_points, "fee_fixed_minor": terms.fees.fixed_minor,
            "fee_vat_basis_points": terms.fees.vat_basis_points, "fee_tolerance_minor": terms.fees.tolerance_minor,
        }  # fmt: skip
    contract = await propose_contract(deps, provider, begins_on, changes, by="amal", reason="a contract")
    await decide_contract(deps, contract, by="bilal", approve=True)


def make_deps(
    pool: Any, clock: Any, random_bytes: Callable[[int], bytes], provider: Any, bank: Any, **change: Any
) -> Deps:
    settings: dict[str, Any] = {
        "settling": {"alpha": provider},
        "account": BankAccount("main", OUR_IBAN, "Treasury of Mizan"),
        "calendar": Calendar(overrides={SUNDAY: True}),
        "policy": Policy(look_back_days=2, auto_approve_limit_minor=10**12),
        **change,
    }
    return Deps(pool=pool, clock=clock, random_bytes=random_bytes, bank=bank, **settings)


@pytest_asyncio.fixture
async def world(pool: Any, clock: Any, random_bytes: Callable[[int], bytes]) -> World:
    provider, bank = ScriptedProvider(), ScriptedBank()
    deps = make_deps(pool, clock, random_bytes, provider, bank)
    await sign(deps, "alpha", ProviderTerms(file_days=1, settlement_days=1, credit_days=1))
    return World(pool, clock, deps, provider, bank)
