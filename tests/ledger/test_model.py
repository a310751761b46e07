"""Any order of posts, repeats, reversals, floors, closes and concurrent batches leaves model and database equal."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger import statements
from ledger.accounts import Kept, check_path
from ledger.audit import verify
from ledger.decisions import close_period, lift_floor, set_floor
from ledger.entry import Entry, Posting, Source, reversal
from ledger.errors import LedgerError
from ledger.journal import Ledger, post_within
from ledger.money import Money
from tests.ledger.model import Model

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PATHS = (
    "provider:alpha:receivable", "provider:alpha:in_transit", "department:traffic:payable", "department:water:payable",
    "department:water:payout_in_transit", "bank:main:cash", "tax:vat_payable", "treasury:provider_fees",
)  # fmt: skip
CURRENCIES = ("AED", "KWD", "JPY")
WHO = {"reason": "drawn", "decided_by": "hypothesis"}
TABLES = ("account", "journal", "posting", "decision", "seal", "floor", "hourly", "item")


@st.composite
def balanced(draw, currency: str) -> list[Posting]:
    """Draw two to four postings of one currency that balance, an account never on both sides."""
    paths = draw(st.lists(st.sampled_from(PATHS), min_size=2, max_size=3, unique=True))
    minors = [draw(st.integers(1, 9_000) | st.just(10**12)) * draw(st.sampled_from((1, -1))) for _ in paths[1:]]
    if not sum(minors):
        minors[0] += 1 if minors[0] > 0 else -1
    minors.append(-sum(minors))
    items = [draw(st.sampled_from("ABC")) if check_path(path).kept is Kept.BY_ITEM else None for path in paths]
    return [Posting(path, Money(minor, currency), item) for path, minor, item in zip(paths, minors, items, strict=True)]


@st.composite
def entries(draw) -> Entry:
    """Draw an entry around the start, some back-dated by days, some of two currencies."""
    currencies = draw(st.lists(st.sampled_from(("AED", *CURRENCIES)), min_size=1, max_size=2).map(dict.fromkeys))
    at = START + timedelta(
        minutes=draw(st.integers(-5_000, 5_000)), microseconds=draw(st.sampled_from((0, 1, 999_999)))
    )
    return Entry(
        reference=f"drawn:{draw(st.integers(1, 40))}",
        kind="drawn",
        business_date=at.date() + timedelta(days=draw(st.sampled_from((0, 0, 1, 2)))),
        effective_at=at,
        postings=tuple(posting for currency in currencies for posting in draw(balanced(currency))),
        source=Source(
            payment=draw(st.none() | st.sampled_from(("p1", "p2"))), line=draw(st.none() | st.integers(1, 9))
        ),
        corrects=draw(st.none() | st.none() | st.integers(1, 9)),
        below_floor=draw(st.sampled_from((False, False, True))),
    )


class Books(RuleBasedStateMachine):
    """Drives the database and the model side by side; `url` and `runner` are set by the test."""

    url: str
    runner: asyncio.Runner
    posted = Bundle("posted")

    @initialize()
    def open(self) -> None:
        self.model = Model()
        self.now = START
        self.run(self._open())

    async def _open(self) -> None:
        owner: asyncpg.Connection[Any] = await asyncpg.connect(self.url)
        for table in TABLES:
            await owner.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL")
        months = "SELECT relname FROM pg_class WHERE relname LIKE 'posting_2%' AND relispartition AND relkind = 'r'"
        for row in await owner.fetch(months):
            await owner.execute(f"DROP TABLE ledger.{row['relname']}")
        await owner.execute("".join(f"DELETE FROM ledger.{table};" for table in TABLES))
        await owner.execute(
            "UPDATE ledger.head SET journal_id = 0, account_id = 0, decision_id = 0, hash = $1, decision_hash = $1,"
            " recorded_at = NULL, closed_until = NULL, closed_before = NULL, months_from = NULL, months_until = NULL,"
            " hour_latest = NULL",
            bytes(32),
        )
        for table in TABLES:
            await owner.execute(f"ALTER TABLE ledger.{table} ENABLE TRIGGER ALL")
        await owner.close()
        self.pool = await asyncpg.create_pool(
            self.url, min_size=1, max_size=4, server_settings={"role": "mizan_service"}
        )
        self.connection = await self.pool.acquire()

    def teardown(self) -> None:
        if hasattr(self, "pool"):
            report = self.run(verify(self.connection))
            self.run(self.pool.release(self.connection))
            self.run(self.pool.close())
            assert report.findings == []
            assert report.journals == len(self.model.journals)

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def expect(self, batch: list[Entry]) -> list[tuple[str, int | str]]:
        return self.model.post_batch(batch, self.now)

    @rule(target=posted, batch=st.lists(entries(), min_size=1, max_size=6))
    def post_together(self, batch: list[Entry]) -> Any:
        answers = self.run(post_within(self.connection, batch, recorded_at=self.now))
        found = [(a.status.value, a.error.code if a.error else a.journal_id) for a in answers]
        assert found == self.expect(batch)
        return multiple(*batch)

    @rule(target=posted, batch=st.lists(entries(), min_size=1, max_size=6))
    def post_at_once(self, batch: list[Entry]) -> Any:
        """Several callers of the group commit, at the same moment."""

        async def call() -> list[tuple[str, int | str]]:
            ledger = Ledger(self.pool, lambda: self.now)
            await ledger.start()
            answers = await asyncio.gather(*(ledger.post(entry) for entry in batch), return_exceptions=True)
            await ledger.close()
            return [
                ("refused", a.code) if isinstance(a, LedgerError) else (a.status.value, a.journal_id) for a in answers
            ]

        assert self.run(call()) == self.expect(batch)
        return multiple(*batch)

    @rule(target=posted, entry=entries())
    def post_alone(self, entry: Entry) -> Any:
        """One entry has a way of its own through the database."""
        return self.post_together([entry])

    @rule(entry=posted)
    def repeat(self, entry: Entry) -> None:
        self.post_together([entry, entry])

    @rule(entry=posted)
    def reuse_the_reference(self, entry: Entry) -> None:
        self.post_together([replace(entry, description="other content")])

    @rule(entry=posted)
    def reverse(self, entry: Entry) -> None:
        number = self.model.numbers.get(entry.reference)
        if number:
            undone = self.model.journals[number - 1][0]
            self.post_together(
                [
                    reversal(
                        undone,
                        reference=f"{undone.reference}:undo"[-200:],
                        corrects=number,
                        business_date=self.now.date(),
                        effective_at=self.now,
                    )
                ]
            )

    @precondition(lambda self: self.model.journals)
    @rule(batch=st.lists(entries(), min_size=1, max_size=4))
    def roll_back(self, batch: list[Entry]) -> None:
        async def post_and_regret() -> None:
            transaction = self.connection.transaction()
            await transaction.start()
            await post_within(self.connection, batch, recorded_at=self.now)
            await transaction.rollback()

        self.run(post_and_regret())

    @precondition(lambda self: self.model.journals)
    @rule(
        path=st.sampled_from(PATHS[2:5]),
        currency=st.sampled_from(("AED", "JPY")),
        floor=st.integers(-9_000, 9_000) | st.none(),
    )
    def decide_floor(self, path: str, currency: str, floor: int | None) -> None:
        at = self.model.record(self.now)
        if floor is None:
            self.run(lift_floor(self.connection, path, currency, recorded_at=at, **WHO))
            self.model.floors.pop((path, currency), None)
        else:
            self.run(set_floor(self.connection, path, Money(floor, currency), recorded_at=at, **WHO))
            self.model.floors[path, currency] = floor

    @precondition(lambda self: self.model.journals)
    @rule(days=st.integers(-4, 0))
    def close(self, days: int) -> None:
        until = (self.now + timedelta(days=days)).date()
        if self.model.closed_until is None or until > self.model.closed_until:
            ends_at = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
            at = self.model.record(self.now)
            self.run(close_period(self.connection, until=until, ends_at=ends_at, recorded_at=at, **WHO))
            self.model.closed_until, self.model.closed_before = until, ends_at

    @precondition(lambda self: self.model.journals)
    @rule(minutes=st.sampled_from((-60, 1, 59, 60, 1_440, 20_000)))
    def let_time_pass(self, minutes: int) -> None:
        """A clock may even step back; what is recorded never does."""
        self.now += timedelta(minutes=minutes)

    @invariant()
    def balances_are_equal_and_sum_to_zero(self) -> None:
        lines = self.run(statements.trial_balance(self.connection))
        found = {(line.account, line.currency): (line.debit_minor, line.credit_minor) for line in lines}
        assert found == self.model.turnover()
        self._sums_to_zero(lines)

    def _sums_to_zero(self, lines: list[statements.TrialLine]) -> None:
        sums: dict[str, int] = defaultdict(int)
        for line in lines:
            sums[line.currency] += line.balance.amount_minor
        assert not any(sums.values())

    @precondition(lambda self: self.model.journals)
    @rule(at=st.integers(-5_100, 5_100) | st.none(), known=st.integers(-60, 30_000) | st.none())
    def look_back(self, at: int | None, known: int | None) -> None:
        instant = None if at is None else START + timedelta(minutes=at)
        known_at = None if known is None else START + timedelta(minutes=known)
        lines = self.run(statements.trial_balance(self.connection, at=instant, known_at=known_at))
        found = {(line.account, line.currency): (line.debit_minor, line.credit_minor) for line in lines}
        assert found == self.model.turnover(instant, known_at)
        self._sums_to_zero(lines)
        one = self.run(statements.balance(self.connection, PATHS[0], "AED", at=instant, known_at=known_at))
        assert one.amount_minor == self.model.balances(instant, known_at).get((PATHS[0], "AED"), 0)

    @precondition(lambda self: self.model.journals)
    @rule(path=st.sampled_from(PATHS), start=st.integers(-5_100, 5_100), minutes=st.integers(0, 6_000))
    def read_a_statement(self, path: str, start: int, minutes: int) -> None:
        begin = START + timedelta(minutes=start)
        end = begin + timedelta(minutes=minutes)

        async def read() -> list[tuple[int, int, int]]:
            return [
                (line.journal_id, line.amount.amount_minor, line.balance.amount_minor)
                async for line in statements.account_statement(self.connection, path, "AED", start=begin, end=end)
            ]

        assert self.run(read()) == self.model.statement((path, "AED"), begin, end)

    @precondition(lambda self: self.model.journals)
    @rule(at=st.integers(-5_100, 5_100) | st.none())
    def list_open_items(self, at: int | None) -> None:
        instant = None if at is None else START + timedelta(minutes=at)
        expected = self.model.items(instant)

        async def read(path: str, currency: str) -> dict[Any, int]:
            return {
                ((path, currency), item.item): item.amount.amount_minor
                async for item in statements.open_items(self.connection, path, currency, at=instant)
            }

        found: dict[Any, int] = {}
        for path in PATHS:
            for currency in CURRENCIES:
                found |= self.run(read(path, currency))
        assert found == expected


def test_database_and_model_agree(database_url):
    with asyncio.Runner() as runner:
        machine = type("Books", (Books,), {"url": database_url, "runner": runner})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=25,
                deadline=None,
                derandomize=True,
                phases=(Phase.explicit, Phase.generate),  # to shrink through a database takes minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
