"""A collective entry leaves the very rows its postings would leave if each were spelled out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger import audit, store
from ledger import export as ledger_export
from ledger.accounts import PROVIDER_FEES, provider_in_transit, provider_receivable
from ledger.audit import verify
from ledger.collective import ITEMS_MAX, CollectiveEntry, post_collective
from ledger.decisions import close_period
from ledger.entry import ITEM_MAX, Entry, Posting, Source, debit
from ledger.errors import EntryError, PeriodClosedError, ReferenceReusedError
from ledger.export import Form, export, whole
from ledger.journal import PostStatus, post_within
from ledger.money import AMOUNT_MINOR_MAX, Money
from ledger.pages import page_end
from tests.ledger.test_model import START
from tests.ledger.test_ways import _books

RECEIVABLE = provider_receivable("alpha")


def collective(
    items: dict[str, int], reference: str = "settle:alpha:1:1-5000", file: str | None = 'a "quoted" file.csv'
) -> CollectiveEntry:
    """Settle items, given with what is posted to each, against the batch and a fee of one."""
    total = sum(items.values())
    postings = [Posting(RECEIVABLE, Money(total, "AED"), next(iter(items)))]
    if total != -1:
        postings.insert(0, Posting(provider_in_transit("alpha"), Money(-total - 1, "AED"), "BATCH-1"))
    postings.insert(len(postings) - 1, debit(PROVIDER_FEES, Money(1, "AED")))
    entry = Entry(
        reference, "payment_settled", START.date(), START, tuple(postings), Source(provider="alpha", file=file)
    )
    return CollectiveEntry(entry, list(items), list(items.values()))


def spelled_out(entry: CollectiveEntry) -> Entry:
    last = entry.whole.postings[-1]
    each = [
        Posting(last.account, Money(minor, last.amount.currency), item)
        for item, minor in zip(entry.items, entry.amounts_minor, strict=True)
    ]
    return replace(entry.whole, postings=(*entry.whole.postings[:-1], *each))


async def _post_both_ways(connection: Any, entry: CollectiveEntry) -> None:
    """Post it spelled out, regret it, post it as it is, and compare the rows; then repeat it either way."""
    regretted = connection.transaction()
    await regretted.start()
    (long,) = await store.post_many(connection, [spelled_out(entry)], START)
    long_books = await _books(connection)
    await regretted.rollback()
    posted = await post_collective(connection, entry, recorded_at=START)
    assert (posted.status, posted.journal_id) == (PostStatus.POSTED, long[1])
    assert await _books(connection) == long_books
    (again,) = await post_within(connection, [spelled_out(entry)], recorded_at=START)
    assert (again.status, again.journal_id) == (PostStatus.REPEATED, posted.journal_id)
    assert (await post_collective(connection, entry, recorded_at=START)).status is PostStatus.REPEATED


ITEMS = st.dictionaries(
    st.text(min_size=1, max_size=12).filter(str.isprintable),
    st.integers(-(10**9), 10**9).filter(bool),
    min_size=1,
    max_size=20,
).filter(lambda items: sum(items.values()) != 0)


def test_any_collective_entry_leaves_the_same_rows_as_its_postings_spelled_out(database_url):
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        seen: list[None] = []

        @settings(
            max_examples=60, deadline=None, derandomize=True, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(items=ITEMS)
        def post(items: dict[str, int]) -> None:
            seen.append(None)
            runner.run(_post_both_ways(connection, collective(items, f"settle:{len(seen)}")))

        post()
        assert runner.run(verify(connection)).findings == []
        runner.run(connection.close())


async def test_a_refusal_is_answered_and_leaves_nothing(pool, clock):
    async with pool.acquire() as connection:
        first = collective({"pa_1": -100, "pa_2": -200})
        assert (await post_collective(connection, first, recorded_at=clock())).error is None
        before = await _books(connection)
        reused = await post_collective(connection, collective({"pa_1": -100, "pa_3": -200}), recorded_at=clock())
        assert isinstance(reused.error, ReferenceReusedError)
        assert await _books(connection) == before
        await close_period(
            connection, until=START.date(), ends_at=START + timedelta(hours=1), recorded_at=clock(),
            reason="a test", decided_by="an officer",
        )  # fmt: skip
        closed = await post_collective(connection, collective({"pa_4": -1000}, "settle:2"), recorded_at=clock())
        assert isinstance(closed.error, PeriodClosedError)


@pytest.mark.parametrize(
    ("items", "amounts"),
    [
        ([], []),
        (["pa_1"], [-100, -200]),
        (["pa_1", "pa_2"], [-100, -201]),
        (["pa_2", "pa_1"], [-200, -100]),
        (["pa_1", "pa_1"], [-100, -200]),
        (["pa_1", "pa_2", "pa_3"], [-100, -200, 0]),
        (["pa_1", "pa_2"], [AMOUNT_MINOR_MAX + 1, -AMOUNT_MINOR_MAX - 301]),
        (["pa_1", ""], [-100, -200]),
        (["pa_1", "a\nb"], [-100, -200]),
        (["pa_1", "x" * (ITEM_MAX + 1)], [-100, -200]),
        (["pa_1", *map(str, range(ITEMS_MAX))], [-300 + ITEMS_MAX, *[-1] * ITEMS_MAX]),
    ],
)
def test_what_is_no_collective_entry_is_refused_before_the_database_sees_it(items, amounts):
    with pytest.raises(EntryError):
        CollectiveEntry(collective({"pa_1": -100, "pa_2": -200}).whole, items, amounts)


def test_the_account_of_the_items_may_not_stand_among_the_other_postings():
    entry = collective({"pa_1": -100}).whole
    other = Posting(RECEIVABLE, Money(100, "AED"), "pa_9")
    with pytest.raises(EntryError, match="twice"):
        CollectiveEntry(replace(entry, postings=(other, entry.postings[-1])), ["pa_1"], [-100])


async def test_pages_of_a_proof_and_an_export_hold_so_many_postings_and_never_part_of_a_journal(
    pool, make_capture, monkeypatch
):
    async with pool.acquire() as connection:
        captures = [make_capture(f"c{number}", 100) for number in range(5)]
        await post_within(connection, captures, recorded_at=START)
        await post_collective(connection, collective({f"pa_{n}": -100 for n in range(50)}), recorded_at=START)
        await post_within(connection, [make_capture("last", 100)], recorded_at=START)
        each = len(captures[0].postings)
        assert await page_end(connection, 0, 7, 1000) == 7
        assert await page_end(connection, 0, 3, 1000) == 3
        assert await page_end(connection, 0, 7, 2 * each) == 2
        assert await page_end(connection, 0, 7, 2 * each + 1) == 2
        assert await page_end(connection, 0, 7, 1) == 1
        assert await page_end(connection, 0, 7, 5 * each + 3) == 5
        assert await page_end(connection, 5, 7, 3) == 6
        assert await page_end(connection, 6, 7, 1) == 7
        monkeypatch.setattr(ledger_export, "PAGE_POSTINGS", 3)
        monkeypatch.setattr(audit, "PAGE_POSTINGS", 3)
        text = "".join([piece async for piece in export(connection, Form.JSONL, await whole(connection))])
        assert text.count('"record":"journal"') == 7
        report = await verify(connection)
        assert (report.findings, report.journals) == ([], 7)
