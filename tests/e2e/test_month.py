"""A month of simulated days: payments, refunds and disputes by day, the night, two people closing, and every proof."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters import registry
from adapters.contract import Method
from adapters.http import open_session
from gateway.services.revenue import RevenueCodes
from ledger.money import Money
from reconciliation.contracts import decide_contract, propose_contract
from reconciliation.deps import BankAccount, Deps, Policy
from reconciliation.remittances import send_remittances
from tests.gateway.conftest import open_town

from .month import FUND, HEADING, ListedAgain, Month, Postbox

__all__ = ["open_town"]
pytestmark = pytest.mark.timeout(300)

ACCOUNT = "AE070331234567890123456"
FIRST = date(2026, 11, 22)  # a Sunday: the weekend's second day; the national days are 2 and 3 December
DAYS = 30
QUIET_DAYS = 5  # nobody pays any more; what is under way arrives
LICENCE = {"service": "licence"}


def fine(amount_minor: int) -> dict[str, Any]:
    return {"service": "fine", "amount": {"amount": amount_minor, "currency": "AED"}}


@pytest.fixture
async def month(open_town: Any, clock: Any, random_bytes: Any, database_url: str) -> AsyncIterator[Month]:
    async with AsyncExitStack() as stack:

        async def serve(app: web.Application) -> str:
            server = TestServer(app)
            await server.start_server()
            stack.push_async_callback(server.close)
            return str(server.make_url("")).rstrip("/")

        made = {"clock": clock, "random_bytes": random_bytes}
        bank = registry.BANKS["bank_host"]
        bank_url = await serve(bank.simulator(**made, book_path=":memory:", account_iban=ACCOUNT))
        cards, wallets, transfers = (registry.PROVIDERS[name] for name in ("ngenius", "gsma", "bank_transfer"))
        acquirer = await serve(cards.simulator(**made, callback_url=None, bank_url=bank_url))
        wallet = await serve(wallets.simulator(**made, callback_url=None, bank_url=bank_url))
        session = await stack.enter_async_context(open_session())
        settings = {
            "ngenius": {**cards.simulator_settings, "base_url": acquirer},
            "gsma": {**wallets.simulator_settings, "base_url": wallet},
            "bank_transfer": {**transfers.simulator_settings, "base_url": bank_url, "account_iban": ACCOUNT,
                              "beneficiary": "Treasury"},
        }  # fmt: skip
        providers = {name: registry.build(name, values, session=session, **made) for name, values in settings.items()}
        routing = {
            Method.CARD: ("ngenius",), Method.MOBILE: ("gsma",), Method.BANK_TRANSFER: ("bank_transfer",),
        }  # fmt: skip
        town = await open_town(providers=providers, routing=routing)
        town.acquirer = acquirer
        await town.control("outlet", {"callback_url": f"{town.url}/callbacks/ngenius"})
        # On the twelfth day the acquirer's server lists the ninth day's file once more.
        again = {FIRST + timedelta(days=11): FIRST + timedelta(days=8)}
        night = Deps(
            pool=town.deps.pool, **made,
            settling={"ngenius": ListedAgain(providers["ngenius"], again), "gsma": providers["gsma"]},
            direct=frozenset({"bank_transfer"}),
            bank=bank.build({**bank.simulator_settings, "url": bank_url}, session, clock),
            account=BankAccount("main", ACCOUNT, "Treasury"),
            policy=Policy(auto_approve_limit_minor=400_00),
            revenue_codes=RevenueCodes(), letters=Postbox(),
        )  # fmt: skip
        signed = await propose_contract(
            night, "ngenius", FIRST, {"fee_basis_points": 120}, by="amal", reason="a contract"
        )  # fmt: skip
        await decide_contract(night, signed, by="bilal", approve=True)
        yield Month(town, night, database_url, bank_url, wallet)


class Diary:
    """What is out of the ordinary in the month, by the day on which it happens."""

    def __init__(self, month: Month) -> None:
        self.month = month
        self.kept: dict[str, Any] = {}
        self.licences: list[dict[str, Any]] = []

    async def of(self, number: int) -> bool:
        """Let happen what this day has, and say whether it had anything."""
        page = getattr(self, f"on_day_{number}", None)
        if page is not None:
            await page()
        return page is not None

    async def on_day_2(self) -> None:
        """Two payments whose payers will dispute them."""
        self.kept["to_lose"] = await self.month.by_card(fine(61_00), department="roads")
        self.kept["to_win"] = await self.month.by_card(fine(62_00), department="roads")
        self.month.taken_minor += 123_00
        self.month.paid += 2

    async def on_day_4(self) -> None:
        await self.month.refund(self.licences[4], amount={"amount": 40_00, "currency": "AED"})

    async def on_day_5(self) -> None:
        """Friday's file comes on Sunday. It was due on Monday, so nobody is troubled."""
        await self._spoil("late", days=2)

    async def on_day_8(self) -> None:
        await self.month.bank_credit(77_70, "nobody knows")
        await self.month.bank_credit(12_00, "nobody knows this one either")

    async def on_day_10(self) -> None:
        """A transfer that comes in two parts, the second two days later."""
        intent, reference = await self.month.to_transfer(fine(90_00))
        self.kept["in_parts"] = intent, reference
        await self.month.bank_credit(50_00, reference)

    async def on_day_12(self) -> None:
        await self.month.bank_credit(40_00, self.kept["in_parts"][1])
        self.month.taken_minor += 90_00
        self.month.paid += 1
        # The payers' banks take two payments back, after their department was paid.
        for name in ("to_lose", "to_win"):
            attempt = await self.month.town.attempt_of(self.kept[name])
            await self.month.ask(self.month.town.acquirer, "dispute", {"reference": attempt["id"]})

    async def on_day_14(self) -> None:
        """The bank will pay the next payout and book its first line back two days later."""
        await self.month.ask(
            self.month.bank_url, "faults", {"on": "payout", "kind": "return_line", "line": 0, "days": 2}
        )

    async def on_day_16(self) -> None:
        """The acquirer's file will forget a payment, for ever."""
        await self._spoil("omit")

    async def on_day_18(self) -> None:
        attempt = await self.month.town.attempt_of(self.kept["to_win"])
        await self.month.ask(self.month.town.acquirer, "dispute", {"reference": attempt["id"], "won": True})
        await self._spoil("fee_changed")

    async def on_day_20(self) -> None:
        """Two people give the first dispute up, and write off what nobody can name."""
        await self._resolve("chargeback", "book_loss", 61_00)
        await self._resolve("unknown_bank_credit", "write_off", 12_00)
        await self._resolve("fee", "accept")

    async def on_day_21(self) -> None:
        """A Sunday on which more is given back than is taken, of payments whose department has its money already."""
        for number in (15, 16, 17):
            await self.month.refund(self.licences[number])

    async def on_day_23(self) -> None:
        """Tuesday's file comes on Friday: it was due on Wednesday, and no day from then on can be closed without it."""
        await self._spoil("late", days=3)

    async def on_day_27(self) -> None:
        await self._resolve("file_late", "accept")
        await self._spoil("duplicate")

    async def _spoil(self, fault: str, **arguments: Any) -> None:
        """Order what is wrong with the acquirer's next file."""
        wish = {"call": "settlement", "fault": fault, **arguments}
        await self.month.ask(self.month.town.acquirer, "faults", wish)

    async def _resolve(self, kind: str, action: str, amount_minor: int | None = None) -> None:
        """Two people end the break of this kind, as the command line has it."""
        (found,) = [
            row
            for row in await self.month.breaks()
            if row["type"] == kind and amount_minor in {None, abs(row["amount_minor"])}
        ]
        proposed = await self.month.mizan(
            "finance", "propose-resolution", found["id"], action, "--reason", "asked for a month", "--by", "amal"
        )
        await self.month.mizan("finance", "approve-resolution", proposed.split()[0], "--by", "bilal")


async def live_a_day(month: Month, diary: Diary, number: int, day: date) -> None:
    """An ordinary day's payments, fewer at the weekend, and what the diary adds."""
    month.town.clock.set(datetime(day.year, day.month, day.day, 6, 0, tzinfo=UTC))
    diary.licences.append(await month.by_card(LICENCE))
    month.paid, month.taken_minor = month.paid + 1, month.taken_minor + 105_00
    if day.weekday() < 5:
        await month.by_card(LICENCE, fine(40_00), bundle="delivery")
        await month.by_wallet(fine(25_00 + number))
        month.paid, month.taken_minor = month.paid + 2, month.taken_minor + 170_00 + number
    if day.weekday() == 1:
        await month.by_card({**fine(30_00), "service": "assessment"})
        month.paid, month.taken_minor = month.paid + 1, month.taken_minor + 30_00
    if number % 3 == 0:
        await month.by_transfer(fine(33_00))
        month.paid, month.taken_minor = month.paid + 1, month.taken_minor + 33_00
    await month.work()
    if await diary.of(number):
        await month.work()


async def test_a_month_ends_with_cash_as_the_bank_says_and_every_difference_listed(month: Month) -> None:
    await month.payee("economy")
    await month.payee("roads", remittance_email="finance@roads.example.ae")
    await month.payee("economy", iban=FUND, revenue_code="411600")  # in force from the third day on
    await month.pool.execute("INSERT INTO reconciliation.holiday VALUES ('AE', '2026-12-04', false, 'moved', 'منقولة')")
    diary, days = Diary(month), [FIRST + timedelta(days=number) for number in range(DAYS + QUIET_DAYS)]
    sys.stdout.write(f"\n{HEADING}\n")
    for number, day in enumerate(days):
        if number < DAYS:
            await live_a_day(month, diary, number, day)
        await month.run_night(day)
        await send_remittances(month.night, 10)
        await approve_what_waits(month)
        await prove(month, day)
        month.town.clock.advance(hours=6)
        evening = await month.evening(day, await month.close_days(days[: number + 1]))
        sys.stdout.write(f"{evening.line()}\n")

    await prove_the_end(month)
    await follow_a_payout(month, FIRST + timedelta(days=9), "roads")


async def approve_what_waits(month: Month) -> None:
    """What is above the policy's limit waits for a person and leaves with the next payouts step."""
    for line in (await month.mizan("finance", "payouts")).splitlines():
        await month.mizan("finance", "approve-payout", line.split()[0], "--by", "huda")


async def prove(month: Month, day: date) -> None:
    """The trial balance is zero, cash is the bank's own figure, and whatever is overdue is somebody's work."""
    off = await month.pool.fetch("SELECT currency FROM ledger.balances GROUP BY 1 HAVING sum(amount_minor) <> 0")
    assert off == []
    cash = await month.total("bank:main:cash")
    assert cash == await month.statement_closing() == await month.at_the_bank(), day
    assert await month.not_listed(day) == [], day


async def prove_the_end(month: Month) -> None:
    """What is at a provider, in suspense or owed is what stands on the list, item by item, and nothing else is open."""
    standing = {(row["type"], Money(row["amount_minor"], "AED").decimal()) for row in await month.breaks()}
    assert standing == {
        ("missing_at_provider", "105.00"),  # what the acquirer's file forgot
        ("duplicate", "105.00"),  # what another lists twice
        ("late_payment", "-90.00"),  # the transfer whose second half came after the bill had expired
        ("unknown_bank_credit", "77.70"),
    }
    receivable = await month.pool.fetch(
        "SELECT account, amount_minor FROM ledger.open_items ORDER BY account, amount_minor DESC"
    )
    assert [(row["account"], row["amount_minor"]) for row in receivable] == [
        ("provider:ngenius:receivable", 105_00),
        ("suspense:late_payments", -90_00),
        ("suspense:unidentified", -77_70),
        ("suspense:unidentified", -105_00),
    ]
    # Everything proven is paid: what economy is still owed is the payment no file has listed.
    assert (await month.total("department:economy:payable"), await month.total("department:roads:payable")) == (
        Money(-100_00, "AED"), Money(0, "AED"),
    )  # fmt: skip
    # What assessments brought went to their own account, and nothing else did.
    fund = (
        "SELECT sum(amount_minor)::bigint FROM reconciliation.payout_line WHERE creditor_iban = $1 AND status = 'paid'"
    )
    assert await month.pool.fetchval(fund, FUND) == await month.pool.fetchval(
        "SELECT sum(l.amount_minor)::bigint FROM gateway.intent_line l JOIN gateway.intent i ON i.id = l.intent"
        " WHERE l.revenue_code = '411600' AND i.status = 'paid'"
    )
    # Every payout to roads had its advice, once.
    advised = [letter.id for letter in month.night.letters.carried]
    released = await month.pool.fetch(
        "SELECT p.id FROM reconciliation.payout_batch p JOIN reconciliation.payout_line l ON l.batch_id = p.id"
        " WHERE l.department = 'roads' AND p.released_at IS NOT NULL ORDER BY p.released_at, p.id"
    )
    assert sorted(advised) == sorted(f"{row['id']}-roads" for row in released)
    files = await month.pool.fetch("SELECT status, count(*) FROM reconciliation.settlement_file GROUP BY 1")
    assert [row["status"] for row in files] == ["accepted"]
    assert month.table[-1].closed == str(month.table[-1].day)
    by_day = {evening.day: evening for evening in month.table}
    assert by_day[FIRST + timedelta(days=25)].closed == str(FIRST + timedelta(days=23))  # the file had not come
    assert by_day[FIRST + timedelta(days=26)].closed == str(FIRST + timedelta(days=26))


async def follow_a_payout(month: Month, day: date, department: str) -> None:
    """Back to its payments and forward to its bank line, with nothing but what a finance officer can type."""
    line = await payout_of(month, day, department)
    assert line["Status"] == "paid"

    # Back: the advice lists every payment inside, and they sum to what was paid.
    inside = rows_of(await month.report("remittance", "--date", str(day), "--department", department), "Journal")
    parts = [row for row in inside if row["Journal"] not in {"", "Total"}]
    assert sum((Money.parse(row["Amount"], "AED") for row in parts), Money(0, "AED")).decimal() == line["Amount"]
    captured = [row for row in parts if row["Reference"].startswith("capture:")]
    assert captured
    for row in captured:
        attempt = row["Reference"].removeprefix("capture:")
        assert row["Payment"] == await month.pool.fetchval("SELECT intent FROM gateway.attempt WHERE id = $1", attempt)

    # The files those payments were settled in, and the bank lines that brought the money.
    proof = rows_of(
        await month.report("settlement", "--from", str(day - timedelta(days=1)), "--date", str(day)), "Provider"
    )
    assert {row["Provider"] for row in proof} == {"ngenius", "gsma"}
    assert all(row["Still open"] == "0.00" and row["Bank lines"] for row in proof), proof

    # Forward: the register names the entry of the statement, and the entry names the payout.
    statement, entry, reference = line["Bank lines"].split(" · ")
    assert statement.startswith("camt053-")
    said = await month.mizan("finance", "match", *reference.split(":"))
    assert f"department:{department}:payout_in_transit {line['Line']}" in said
    assert f"The debit carries the payout line's id {line['Line']}." in said
    booked = await month.pool.fetchrow(
        "SELECT e.amount_minor, e.end_to_end_id FROM reconciliation.statement_entry e"
        " JOIN reconciliation.statement s USING (statement_no) WHERE s.file_name = $1 AND e.number = $2",
        statement, int(entry),
    )  # fmt: skip
    assert booked["end_to_end_id"] == line["Line"]
    assert Money(-booked["amount_minor"], "AED").decimal() == line["Amount"]


async def payout_of(month: Month, day: date, department: str) -> dict[str, str]:
    """Return the department's line of the payout made for a date."""
    register = rows_of(await month.report("payouts", "--date", str(day)), "Payout")
    (batch,) = await month.pool.fetch("SELECT id FROM reconciliation.payout_batch WHERE business_date = $1", day)
    (line,) = [row for row in register if row["Department"] == department and row["Payout"] == batch["id"]]
    return line


def rows_of(written: list[list[str]], first: str) -> list[dict[str, str]]:
    """Return the rows of the table whose first column has this title, up to its total or its end."""
    start = next(number for number, row in enumerate(written) if row[:1] == [first])
    rows = []
    for row in written[start + 1 :]:
        if len(row) != len(written[start]) or row[0] == "Total":
            break
        rows.append(dict(zip(written[start], row, strict=True)))
    return rows
