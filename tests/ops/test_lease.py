from datetime import timedelta

from ops.lease import give_back, take


async def test_one_holder_at_a_time_and_a_growing_fence(pool, clock):
    start = clock()
    first = await take(pool, "night", "a", now=start, duration_s=60)
    assert first.fence == 1
    assert await take(pool, "night", "b", now=start + timedelta(seconds=59), duration_s=60) is None

    renewed = await take(pool, "night", "a", now=start + timedelta(seconds=30), duration_s=60)
    assert renewed.fence == 1

    second = await take(pool, "night", "b", now=start + timedelta(seconds=91), duration_s=60)
    assert second.fence == 2
    assert await take(pool, "night", "a", now=start + timedelta(seconds=92), duration_s=60) is None

    await give_back(pool, second, now=start + timedelta(seconds=93))
    third = await take(pool, "night", "a", now=start + timedelta(seconds=93), duration_s=60)
    assert third.fence == 3


async def test_giving_back_an_older_lease_changes_nothing(pool, clock):
    first = await take(pool, "night", "a", now=clock(), duration_s=60)
    second = await take(pool, "night", "b", now=clock.advance(seconds=61), duration_s=60)
    await give_back(pool, first, now=clock())
    assert await take(pool, "night", "c", now=clock(), duration_s=60) is None
    assert second.fence == 2
