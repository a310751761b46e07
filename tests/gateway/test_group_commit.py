"""Callers share a transaction, and one poisoned row never fails its neighbours."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.errors import OverloadedError, UnavailableError
from gateway.store.group_commit import GroupCommit


class Table:
    """Stands for a table: remembers its batches, and refuses whole batches that hold a poisoned row."""

    def __init__(self, *, down: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.down = down

    async def flush(self, rows):
        await asyncio.sleep(0)
        self.batches.append(list(rows))
        if self.down:
            raise UnavailableError
        if any(row < 0 for row in rows):
            raise ValueError("poison")
        return [LookupError(str(row)) if row == 13 else row * 2 for row in rows]


async def test_rows_that_arrive_together_are_written_together():
    table = Table()
    commit = GroupCommit(table.flush, batch_max=10)
    assert await asyncio.gather(*(commit.submit(n) for n in range(12))) == [n * 2 for n in range(12)]
    assert [len(batch) for batch in table.batches] == [10, 2]


async def test_who_comes_a_turn_of_the_loop_later_still_joins():
    table = Table()
    commit = GroupCommit(table.flush)

    async def late(turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        return await commit.submit(turns + 100)

    assert await asyncio.gather(*(late(turns) for turns in range(20))) == [turns * 2 + 200 for turns in range(20)]
    assert len(table.batches) == 1


@pytest.mark.parametrize("at_once", [1, 2, 3])
async def test_every_row_is_written_once_and_no_batch_is_empty(at_once):
    table = Table()
    commit = GroupCommit(table.flush, batch_max=4, flushes_max=at_once)

    async def caller(number):
        for _ in range(number % 5):
            await asyncio.sleep(0)
        return await commit.submit(number * 20), await commit.submit(number * 20 + 1)

    await asyncio.gather(*(caller(number) for number in range(50)))
    await commit.drain()
    written = [row for batch in table.batches for row in batch]
    assert sorted(written) == sorted(number * 20 + more for number in range(50) for more in (0, 1))
    assert all(table.batches)


async def test_only_a_full_batch_leaves_while_another_is_under_way():
    table, held = Table(), asyncio.Event()

    async def flush(rows):
        if 1 in rows:
            await held.wait()
        return await table.flush(rows)

    commit = GroupCommit(flush, batch_max=2, flushes_max=2)
    first = asyncio.create_task(commit.submit(1))
    for _ in range(20):
        await asyncio.sleep(0)
    second = asyncio.create_task(commit.submit(2))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not second.done()
    assert await commit.submit(3) == 6
    assert await second == 4
    assert not first.done()
    held.set()
    assert await first == 2
    assert table.batches == [[2, 3], [1]]


async def test_a_poisoned_row_fails_alone():
    commit = GroupCommit(Table().flush)
    results = await asyncio.gather(*(commit.submit(n) for n in (1, -1, 2, 13)), return_exceptions=True)
    assert (results[0], results[2]) == (2, 4)
    assert isinstance(results[1], ValueError)
    assert isinstance(results[3], LookupError)


async def test_a_database_that_is_down_is_not_asked_row_by_row():
    table = Table(down=True)
    commit = GroupCommit(table.flush)
    results = await asyncio.gather(*(commit.submit(n) for n in range(50)), return_exceptions=True)
    assert all(isinstance(result, UnavailableError) for result in results)
    assert len(table.batches) == 1


async def test_a_full_queue_refuses():
    commit = GroupCommit(Table().flush, queue_max=3)
    results = await asyncio.gather(*(commit.submit(n) for n in range(9)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, OverloadedError)]
    assert len(refused) == 6
    assert refused[0].retry_after_s == 1


async def test_a_caller_that_goes_away_does_not_take_the_batch_with_it():
    table = Table()
    commit = GroupCommit(table.flush)
    gone = asyncio.create_task(commit.submit(1))
    await asyncio.sleep(0)
    other = asyncio.create_task(commit.submit(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await other == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
    await commit.drain()
    assert [row for batch in table.batches for row in batch] == [1, 2]
