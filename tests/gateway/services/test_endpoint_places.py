"""A department's endpoints: so many enabled at a time, however fast it asks; all of them in the list."""

from __future__ import annotations

import asyncio

from gateway.deps import Limits

PATH = "/v1/webhook-endpoints"
URL = {"url": "https://hooks.example.ae/"}


async def listed(town, query=""):
    return (await town.ask("GET", PATH + query)).body


async def test_what_is_disabled_takes_no_place_and_needs_one_to_be_enabled_again(open_town):
    town = await open_town(limits=Limits(endpoints_per_department=2))
    first, second = [(await town.ask("POST", PATH, URL)).body["id"] for _ in range(2)]
    full = await town.ask("POST", PATH, URL)
    assert (full.status, full.body["code"]) == (409, "state_conflict")
    for _ in range(3):
        await town.ask("POST", f"{PATH}/{first}/disable")
        third = await town.ask("POST", PATH, URL)
        assert third.status == 201
        refused = await town.ask("POST", f"{PATH}/{first}/enable")
        assert (refused.status, "disable one first" in refused.body["detail"]) == (409, True)
        assert (await town.ask("POST", f"{PATH}/{second}/enable")).status == 200, "it is enabled already"
        first = third.body["id"]
    await town.ask("POST", f"{PATH}/{second}/disable")
    assert (await town.ask("POST", f"{PATH}/{second}/enable")).status == 200
    assert len((await listed(town))["data"]) == 5


async def test_requests_at_once_make_no_more_than_there_is_room_for(open_town):
    town = await open_town(limits=Limits(endpoints_per_department=3))
    await town.ask("POST", PATH, URL)
    answers = await asyncio.gather(*(town.ask("POST", PATH, URL) for _ in range(10)))
    assert sum(answer.status == 201 for answer in answers) == 2
    ids = [endpoint["id"] for endpoint in (await listed(town))["data"]]
    for endpoint in ids[:2]:
        await town.ask("POST", f"{PATH}/{endpoint}/disable")
    await asyncio.gather(*(town.ask("POST", PATH, URL) for _ in range(4)))
    await asyncio.gather(*(town.ask("POST", f"{PATH}/{endpoint}/enable") for endpoint in ids))
    enabled = [each for each in (await listed(town))["data"] if each["disabled_at"] is None]
    assert len(enabled) == 3


async def test_the_list_has_pages_oldest_first(town):
    for _ in range(3):
        await town.ask("POST", PATH, URL)
        town.clock.advance(seconds=1)
    first = await listed(town, "?limit=2")
    rest = await listed(town, f"?limit=2&cursor={first['next_cursor']}")
    ids = [endpoint["id"] for endpoint in first["data"] + rest["data"]]
    assert (len(ids), ids, rest["next_cursor"]) == (3, sorted(ids), None)
    assert (await town.ask("GET", f"{PATH}?cursor=x")).status == 422


async def test_what_was_queued_as_an_endpoint_was_disabled_is_found_dead(town):
    """An event may be queued in the moment of disabling; it does not wait for ever."""
    endpoint = (await town.ask("POST", PATH, URL)).body["id"]
    await town.ask("POST", f"{PATH}/{endpoint}/test")
    await town.deps.pool.execute(
        "UPDATE gateway.webhook_endpoint SET disabled_at = $2, disabled_because = 'x' WHERE id = $1",
        endpoint,
        town.clock(),
    )
    await town.work()
    await town.deps.couriers.close(60.0)
    [delivery] = (await town.ask("GET", f"{PATH}/{endpoint}/deliveries")).body["data"]
    assert delivery["status"] == "dead"
