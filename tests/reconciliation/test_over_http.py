"""The night against the real adapters and their simulators over HTTP: its books, theirs and the bank's agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from adapters import ngenius
from adapters.bank_host import manifest as bank_manifest
from adapters.bank_host import simulator as bank_simulator
from adapters.contract import PaymentOrder, RefundOrder
from adapters.http import open_session
from adapters.ngenius import simulator as acquirer_simulator
from ledger.accounts import department_payable, provider_receivable, provider_refunds_in_transit
from ledger.entry import Entry, Source, credit, debit
from ledger.money import Money, total
from reconciliation.business_days import Calendar
from reconciliation.provider_terms import FeeTerms, ProviderTerms

from .conftest import OUR_IBAN, SUNDAY, World, aed, make_deps, sign

EVERY_DAY = Calendar(overrides={SUNDAY + timedelta(days=number): True for number in range(-10, 40)})


@dataclass
class Outside:
    """Acquirer and bank as servers of their own, and their levers."""

    session: Any
    acquirer_url: str
    bank_url: str

    async def post(self, url: str, lever: str, body: dict[str, Any]) -> None:
        async with self.session.post(f"{url}/simulator/{lever}", json=body) as answer:
            assert answer.status < 300, await answer.text()

    async def spoil_settlement(self, fault: str, **arguments: Any) -> None:
        await self.post(self.acquirer_url, "faults", {"call": "settlement", "fault": fault, **arguments})

    async def spoil_bank(self, on: str, kind: str, **arguments: Any) -> None:
        await self.post(self.bank_url, "faults", {"on": on, "kind": kind, **arguments})

    async def mend_bank(self) -> None:
        async with self.session.delete(f"{self.bank_url}/simulator/faults") as answer:
            assert answer.status < 300

    async def book(self, url: str) -> dict[str, Any]:
        async with self.session.get(f"{url}/simulator/book") as answer:
            return await answer.json()


@pytest.fixture
async def town(pool, clock, random_bytes):
    """A world whose provider and bank are real servers."""
    async with open_session() as session:
        bank_app = bank_simulator.build_app(
            clock=clock, random_bytes=random_bytes, book_path=":memory:", account_iban=OUR_IBAN
        )
        async with TestServer(bank_app) as bank_server:
            bank_url = str(bank_server.make_url("")).rstrip("/")
            acquirer_app = acquirer_simulator.build_app(clock=clock, random_bytes=random_bytes, bank_url=bank_url)
            async with TestServer(acquirer_app) as acquirer_server:
                acquirer_url = str(acquirer_server.make_url("")).rstrip("/")
                provider = ngenius.build(
                    {**acquirer_simulator.SETTINGS, "base_url": acquirer_url},
                    session=session, clock=clock, random_bytes=random_bytes,
                )  # fmt: skip
                bank = bank_manifest.build(
                    {"url": bank_url, **bank_simulator.SETTINGS, "timeout_s": "2"}, session, clock
                )
                deps = make_deps(
                    pool, clock, random_bytes, provider, bank, settling={"ngenius": provider}, calendar=EVERY_DAY,
                )  # fmt: skip
                await sign(deps, "ngenius", ProviderTerms(settlement_days=1, fees=FeeTerms(basis_points=120)))
                yield Town(pool, clock, deps, provider, bank, outside=Outside(session, acquirer_url, bank_url))


@dataclass
class Town(World):
    outside: Any = None

    async def pay(self, attempt: str, *parts: tuple[str, str]) -> str:
        """A citizen pays at the acquirer's page, and our books learn of it as the gateway would tell them."""
        amounts = [(department, aed(text)) for department, text in parts]
        gross = total((amount for _, amount in amounts), "AED")
        order = PaymentOrder(
            attempt, gross, "Fee", "en", "http://127.0.0.1:9/r", "http://127.0.0.1:9/c", "http://127.0.0.1:9/b",
            self.clock() + timedelta(hours=1),
        )  # fmt: skip
        started = await self.provider.start(order)
        await self.outside.post(self.outside.acquirer_url, "pay", {"reference": attempt})
        report = await self.provider.query(order, started.provider_reference)
        assert report.captured == gross
        await self.post(
            Entry(
                reference=f"capture:{attempt}", kind="payment_captured", business_date=self.today(),
                effective_at=self.clock(),
                postings=(debit(provider_receivable("ngenius"), gross, attempt),
                          *(credit(department_payable(department), amount) for department, amount in amounts)),
                source=Source(payment=f"pi_{attempt}", provider="ngenius",
                              provider_reference=report.provider_reference),
            )
        )  # fmt: skip
        return report.provider_reference

    async def give_back(self, refund: str, attempt: str, order: str, department: str, amount: str) -> None:
        self.clock.advance(seconds=1)
        report = await self.provider.refund(RefundOrder(refund, attempt, order, aed(amount), other_refunds=frozenset()))
        await self.post(
            Entry(
                reference=f"refund:{refund}", kind="refund_accepted", business_date=self.today(),
                effective_at=self.clock(),
                postings=(debit(department_payable(department), aed(amount)),
                          credit(provider_refunds_in_transit("ngenius"), aed(amount), refund)),
                source=Source(payment=f"pi_{attempt}", provider="ngenius",
                              provider_reference=report.provider_reference),
            )
        )  # fmt: skip

    def today(self) -> date:
        return self.deps.calendar.business_date(self.clock())

    async def bank_agrees(self) -> None:
        """Our cash is what the bank's own book holds in the days it closed, and the statement says so."""
        await self.assert_books_hold()


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 5, 0, tzinfo=UTC)


async def test_a_fee_from_the_acquirers_page_to_the_departments_account(town):
    await town.payee("traffic")
    await town.payee("health")
    order = await town.pay("pa_1", ("traffic", "100.00"))
    await town.pay("pa_2", ("traffic", "60.00"), ("health", "40.00"))
    await town.give_back("re_1", "pa_1", order, "traffic", "30.00")

    await town.night()

    assert await town.breaks(payees=True) == []
    balances = await town.balances()
    assert balances["department:traffic:payout_in_transit"] == "-130.00"
    assert balances["department:health:payout_in_transit"] == "-40.00"
    assert balances["bank:main:cash"] == "167.48"
    (batch,) = await town.pool.fetch("SELECT id, status FROM reconciliation.payout_batch")
    assert batch["status"] in {"sent", "accepted"}

    # The file goes out in Monday's first hours; the bank books it the day after.
    tuesday = SUNDAY + timedelta(days=2)
    await town.night(tuesday)

    statuses = await town.pool.fetch("SELECT status, paid_on FROM reconciliation.payout_line")
    assert {(row["status"], row["paid_on"]) for row in statuses} == {("paid", tuesday)}
    assert await town.balances() == {
        "bank:main:cash": "-2.52",
        "treasury:provider_fees": "2.40",
        "treasury:provider_fees_vat": "0.12",
    }
    await town.bank_agrees()


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("omit", ["missing_at_provider"]),
        ("duplicate", ["duplicate"]),
        ("extra", ["missing_in_books"]),
        ("unknown_type", ["unknown_line"]),
        ("fee_changed", ["fee"]),
        ("split", []),
        (
            "wrong_total",
            ["file_missing", "missing_at_provider", "missing_at_provider", "total_not_lines", "unknown_bank_credit"],
        ),
    ],
)
async def test_hc23_each_fault_of_the_settlement_file_is_its_own_break(town, fault, raised):
    await town.outside.spoil_settlement(fault)
    await town.pay("pa_1", ("traffic", "100.00"))
    await town.pay("pa_2", ("traffic", "50.00"))

    await town.night()
    await town.night(SUNDAY + timedelta(days=1))

    assert [kind for kind, _, _ in await town.breaks()] == raised
    await town.bank_agrees()


async def test_hc25_a_file_that_comes_days_late_is_booked_on_the_open_day_and_says_so(town):
    await town.outside.spoil_settlement("late", days=2)
    await town.pay("pa_1", ("traffic", "100.00"))
    await town.night()
    monday, tuesday = SUNDAY + timedelta(days=1), SUNDAY + timedelta(days=2)
    await town.night(monday)
    assert [kind for kind, _, _ in await town.breaks()] == [
        "file_missing",
        "missing_at_provider",
        "unknown_bank_credit",
    ]

    await town.night(tuesday)

    assert [kind for kind, _, _ in await town.breaks()] == ["file_late"]
    booked = await town.pool.fetchrow("SELECT book_date, late_for FROM reconciliation.settlement_file")
    assert tuple(booked) == (tuesday, SUNDAY)
    await town.bank_agrees()


@pytest.mark.parametrize(
    ("fault", "batch", "line", "raised"),
    [
        ({"on": "payout", "kind": "drop_after"}, "confirmed", "paid", []),
        ({"on": "payout", "kind": "drop_before"}, "confirmed", "paid", []),
        ({"on": "payout", "kind": "http", "status": 503}, "confirmed", "paid", []),
        ({"on": "payout", "kind": "malformed"}, "confirmed", "paid", []),
        ({"on": "payout", "kind": "unknown_word"}, "confirmed", "paid", []),
        ({"on": "payout", "kind": "never_answer"}, "confirmed", "paid", []),
        ({"on": "payout", "kind": "reject_file", "code": "AC06"}, "rejected", "rejected", []),
        ({"on": "payout", "kind": "reject_line", "line": 0, "code": "AM05"}, "rejected", "rejected", []),
    ],
)
async def test_hc26_whatever_the_bank_answers_the_money_leaves_once(town, fault, batch, line, raised):
    await town.payee("traffic")
    await town.pay("pa_1", ("traffic", "100.00"))
    await town.outside.spoil_bank(**fault)
    await town.night()
    town.clock.advance(minutes=1)
    await town.night(step="payouts")
    first = await town.pool.fetchrow("SELECT id FROM reconciliation.payout_batch ORDER BY made_at LIMIT 1")

    for ahead in range(1, 5):
        await town.night(SUNDAY + timedelta(days=ahead))

    found = await town.pool.fetchrow(
        "SELECT b.status AS batch, l.status AS line FROM reconciliation.payout_batch b"
        " JOIN reconciliation.payout_line l ON l.batch_id = b.id WHERE b.id = $1",
        first["id"],
    )
    assert tuple(found) == (batch, line)
    assert [kind for kind, _, _ in await town.breaks()] == raised
    balances = await town.balances()
    assert balances.get("department:traffic:payable") is None
    assert balances.get("department:traffic:payout_in_transit") is None
    assert balances["bank:main:cash"] == "-1.26"  # the fee; the department had its hundred exactly once
    await town.bank_agrees()


async def test_hc24_the_bank_sends_a_payout_back(town):
    await town.payee("traffic")
    await town.pay("pa_1", ("traffic", "100.00"))
    await town.outside.spoil_bank("payout", "return_line", line=0, days=1)
    await town.night()
    for ahead in range(1, 7):
        await town.night(SUNDAY + timedelta(days=ahead))

    assert [kind for kind, _, _ in await town.breaks()] == []  # cured: the money was paid again
    rows = await town.pool.fetch("SELECT status FROM reconciliation.payout_line ORDER BY id")
    assert [row["status"] for row in rows] == ["returned", "paid"]
    assert (await town.balances())["bank:main:cash"] == "-1.26"
    await town.bank_agrees()


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("wrong_total", {"amount_minor": 1}),
        ("wrong_account", {"iban": "AE840261001015033304101"}),
        ("wrong_currency", {"currency": "USD"}),
        ("truncated", {}),
        ("late", {"days": 1}),
    ],
)
async def test_hc21_a_spoilt_statement_heals_when_the_right_one_comes(town, kind, arguments):
    await town.pay("pa_1", ("traffic", "100.00"))
    await town.outside.spoil_bank("statement", kind, day=SUNDAY.isoformat(), **arguments)
    await town.night()
    assert "bank:main:cash" not in await town.balances()

    await town.outside.mend_bank()
    monday = SUNDAY + timedelta(days=1)
    await town.night(monday)

    assert (await town.balances())["bank:main:cash"] == "98.74"
    assert [one for one in await town.breaks() if one[0].startswith("file")] == []
    await town.bank_agrees()


@pytest.mark.parametrize("kind", ["duplicate_line", "extra_line", "omit_line"])
async def test_hc24_lines_the_bank_adds_or_forgets_are_found(town, kind):
    await town.pay("pa_1", ("traffic", "100.00"))
    arguments = {"amount_minor": 777, "remittance": "nobody"} if kind == "extra_line" else {"line": 0}
    await town.outside.spoil_bank("statement", kind, day=SUNDAY.isoformat(), **arguments)

    await town.night()
    await town.night(SUNDAY + timedelta(days=1))

    raised = [found for found, _, _ in await town.breaks()]
    assert raised == (["missing_at_bank"] if kind == "omit_line" else ["unknown_bank_credit"])
    await town.bank_agrees()


async def test_a_week_of_days_ends_with_everything_settled_and_paid(town):
    await town.payee("traffic")
    for number in range(7):
        day = SUNDAY + timedelta(days=number)
        town.clock.set(max(morning(day), town.clock()))
        order = await town.pay(f"pa_{number}", ("traffic", "100.00"))
        if number % 3 == 0:
            await town.give_back(f"re_{number}", f"pa_{number}", order, "traffic", "25.00")
        await town.night(day)
        await town.bank_agrees()
    for number in (7, 8, 9):
        await town.night(SUNDAY + timedelta(days=number))

    balances = await town.balances()
    assert set(balances) == {"bank:main:cash", "treasury:provider_fees", "treasury:provider_fees_vat"}
    assert await town.breaks() == []
    paid = await town.pool.fetchval("SELECT sum(amount_minor) FROM reconciliation.payout_line WHERE status = 'paid'")
    assert Money(int(paid), "AED") == aed("625.00")
