"""A town that lives a month: two departments, a card acquirer, a wallet and a bank on real ports, on one clock."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.contract import Method, PayReference, SettlementFile
from gateway.domain.contact import Contact
from gateway.services import links
from gateway.services.attempts.start_payment import Started, start_payment
from ledger.money import Money
from ops.commands.finance import finance_command
from ops.commands.night import nightly_command
from ops.commands.report import report_command
from reconciliation.business_days import Calendar
from reconciliation.day_close import day_status, decide_day, explain_break, propose_day
from reconciliation.deps import Deps, Letter
from reconciliation.errors import NotAllowedError
from reconciliation.nightly import run_night
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from reconciliation.provider_terms import NOT_AGREED
from tests.gateway.conftest import Town

SEAL_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FUND: Final = "AE430230000000000054321"
PAYEES: Final = {"economy": "AE790353000000000012345", "roads": "AE840261001015033304101"}


class ListedAgain:
    """A provider whose server lists one day's file again on a later day, byte for byte."""

    def __init__(self, provider: Any, again: dict[date, date]) -> None:
        self._provider = provider
        self._again = again

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        for day in (business_date, self._again.get(business_date)):
            if day is not None:
                async for file in self._provider.settlement_files(day):
                    yield file


@dataclass
class Postbox:
    """Keeps the letters that departments' finance offices get."""

    carried: list[Letter] = field(default_factory=list)

    async def send_with_files(self, message: Letter) -> None:
        self.carried.append(message)


@dataclass(frozen=True, slots=True)
class Evening:
    """One day's line of the month's table."""

    day: date
    paid: int
    taken: Money
    cash: Money
    statement: Money
    receivable: Money
    in_transit: Money
    owed: Money
    under_way: Money
    breaks: int
    closed: str

    def line(self) -> str:
        amounts = (self.taken, self.receivable, self.in_transit, self.owed, self.under_way, self.cash, self.statement)
        shown = "".join(f"{amount.decimal():>10}" for amount in amounts)
        return f"{self.day:%a %m-%d}{self.paid:>5}{shown}{self.breaks:>4}  {self.closed}"


HEADING: Final = (
    "day       paid     taken    at prov  transit      owed under way      cash statement  brk  closed up to"
)


@dataclass
class Month:
    """Short verbs for what citizens, providers, the bank and finance do."""

    town: Town
    night: Deps
    database_url: str
    bank_url: str
    wallet_url: str
    paid: int = 0
    taken_minor: int = 0
    credits: int = 0
    table: list[Evening] = field(default_factory=list)

    @property
    def pool(self) -> asyncpg.Pool[Any]:
        return self.town.deps.pool

    # What citizens do.

    async def by_card(self, *lines: dict[str, Any], department: str = "economy", **more: Any) -> dict[str, Any]:
        intent = await self._intent(department, lines, **more)
        await self.town.start(intent)
        await self.town.pay(intent)
        return intent

    async def by_wallet(self, line: dict[str, Any], *, department: str = "roads") -> dict[str, Any]:
        intent = await self._intent(department, [line])
        await self._start(intent, Method.MOBILE, Contact(mobile="+971501234567"))
        attempt = await self.town.attempt_of(intent)
        await self.ask(self.wallet_url, "pay", {"reference": attempt["id"]})
        return intent

    async def to_transfer(self, line: dict[str, Any], *, department: str = "roads") -> tuple[dict[str, Any], str]:
        """A payer who is told by which reference to transfer, and has not yet."""
        intent = await self._intent(department, [line])
        step = (await self._start(intent, Method.BANK_TRANSFER, Contact(email="omar@example.ae"))).next_step
        assert isinstance(step, PayReference)
        return intent, step.reference

    async def bank_credit(self, amount_minor: int, text: str) -> None:
        self.credits += 1
        body = {"credit_id": f"c{self.credits}", "amount_minor": amount_minor, "remittance": text, "debtor": "OMAR"}
        await self.ask(self.bank_url, "credits", body)

    async def by_transfer(self, line: dict[str, Any], *, department: str = "roads") -> dict[str, Any]:
        intent, reference = await self.to_transfer(line, department=department)
        await self.bank_credit(intent["amount"]["amount"], f"fine {reference}")
        return intent

    async def _intent(self, department: str, lines: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
        body = {"reference": f"M-{next(self.town._numbers)}", "lines": list(lines), **more}
        answer = await self.town.ask("POST", "/v1/payment-intents", body, department=department)
        assert answer.status == 201, answer.body
        return answer.body

    async def _start(self, intent: dict[str, Any], method: Method, contact: Contact) -> Started:
        return await start_payment(self.town.deps, links.token_of(self.town.deps, intent["id"]), method, contact)

    async def refund(self, intent: dict[str, Any], department: str = "economy", **body: Any) -> None:
        path = f"/v1/payment-intents/{intent['id']}/refunds"
        answer = await self.town.ask("POST", path, {"reason": "requested", **body}, department=department)
        assert answer.status in {201, 202}, answer.body

    async def ask(self, url: str, route: str, body: dict[str, Any]) -> Any:
        async with self.town.session.post(f"{url}/simulator/{route}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def work(self) -> None:
        """Let the worker do what the day left to do, some minutes later."""
        for _ in range(2):
            self.town.clock.advance(minutes=5)
            await self.town.work()

    # What finance does.

    async def payee(self, department: str, **terms: Any) -> None:
        iban = terms.pop("iban", PAYEES[department])
        details = PayeeDetails(department, "AED", f"{department.title()} Department", iban, **terms)
        change = await propose_payee_change(self.night, details, by="amal", reason="first registration")
        await decide_payee_change(self.night, change, by="bilal", approve=True)

    async def run_night(self, day: date) -> None:
        self.town.clock.set(datetime(day.year, day.month, day.day, 22, 0, tzinfo=UTC))
        await run_night(self.night, day)

    async def close_days(self, days: Sequence[date]) -> date | None:
        """Two people close what can be closed, oldest first; a missing file keeps all days after it open."""
        closed = None
        for standing in await self.pool.fetch("SELECT id FROM reconciliation.break WHERE closed_at IS NULL"):
            await explain_break(self.night, standing["id"], owner="huda", reason="asked them", by="amal")
        for day in days:
            if (await day_status(self.night, day)).seal_number is None:
                try:
                    close_id = await propose_day(self.night, day, by="amal")
                except NotAllowedError:
                    break
                await decide_day(self.night, close_id, by="bilal", approve=True, key=SEAL_KEY)
            closed = day
        return closed

    async def mizan(self, *arguments: str) -> str:
        """Type a command as a finance officer does, in a process of its own as far as the database can tell."""

        @asynccontextmanager
        async def open_deps() -> AsyncIterator[Deps]:
            async with asyncpg.create_pool(
                self.database_url, min_size=1, max_size=2, server_settings={"role": "mizan_service"}
            ) as pool:
                yield replace(self.night, pool=pool)

        commands: dict[str, Callable[[], Any]] = {
            "report": lambda: report_command(open_deps),
            "finance": lambda: finance_command(open_deps, lambda: SEAL_KEY),
            "nightly": lambda: nightly_command(open_deps),
        }
        command = commands[arguments[0]]()
        done = await asyncio.to_thread(CliRunner().invoke, command, arguments[1:])
        assert done.exit_code == 0, done.output
        return done.output

    async def report(self, name: str, *options: str) -> list[list[str]]:
        """Ask for a report as CSV and return its rows."""
        written = await self.mizan("report", name, *options, "--format", "csv")
        return list(csv.reader(io.StringIO(written.removeprefix("\ufeff"))))

    # What stands in the books, and at the bank.

    async def total(self, pattern: str) -> Money:
        minor = await self.pool.fetchval(
            "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger.balances WHERE account LIKE $1", pattern
        )
        return Money(minor, "AED")

    async def statement_closing(self) -> Money:
        minor = await self.pool.fetchval(
            "SELECT closing_minor FROM reconciliation.statement WHERE status = 'accepted'"
            " ORDER BY sequence DESC LIMIT 1"
        )
        return Money(minor or 0, "AED")

    async def at_the_bank(self) -> Money:
        """What the bank itself holds for us at the end of the last day it closed."""
        async with self.town.session.get(f"{self.bank_url}/simulator/book") as answer:
            book = await answer.json()
        return Money(book["statements"][-1]["closing_minor"], "AED")

    async def breaks(self) -> list[asyncpg.Record]:
        return await self.pool.fetch(
            "SELECT id, type, account, item, amount_minor FROM reconciliation.break WHERE closed_at IS NULL"
            " ORDER BY type, subject"
        )

    async def not_listed(self, night: date) -> list[tuple[str, str]]:
        """Name the items a provider or the bank should have cleared by this night and no standing break is about."""
        calendar = await self._calendar()
        standing = {(row["account"], row["item"]) for row in await self.breaks()}
        rows = await self.pool.fetch(
            "SELECT account, item, business_date FROM ledger.open_items WHERE account LIKE 'provider:%'"
            " OR account LIKE 'suspense:%' OR account = 'disputes:receivable'"
        )
        late = []
        for row in rows:
            days = NOT_AGREED.settlement_days if row["account"].startswith("provider:") else 0
            due = calendar.after(row["business_date"], days) if days else row["business_date"]
            if due <= night and (row["account"], row["item"]) not in standing:
                late.append((row["account"], row["item"]))
        return late

    async def _calendar(self) -> Calendar:
        moved = await self.pool.fetch("SELECT day, worked FROM reconciliation.holiday")
        return replace(self.night.calendar, overrides={row["day"]: row["worked"] for row in moved})

    async def evening(self, day: date, closed: date | None) -> Evening:
        """Add the day's line to the table."""
        line = Evening(
            day, self.paid, Money(self.taken_minor, "AED"), await self.total("bank:main:cash"),
            await self.statement_closing(), await self.total("provider:%:receivable"),
            await self.total("provider:%:in_transit"), -await self.total("department:%:payable"),
            -await self.total("department:%:payout_in_transit"), len(await self.breaks()), str(closed or "-"),
        )  # fmt: skip
        self.table.append(line)
        self.paid = self.taken_minor = 0
        return line
