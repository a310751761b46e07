"""Limits: per caller and endpoint, told in headers, and turns that no department can take from another."""

from __future__ import annotations

import asyncio
import random
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.checkout.routes import add_routes
from gateway.deps import Limits
from gateway.domain.errors import OverloadedError
from gateway.services import links
from gateway.services.callers.api_keys import issue_key
from gateway.web.identity import Identity
from gateway.web.rates import WINDOW_S, Rates
from gateway.web.turns import Turns

PATH = "/v1/payment-intents"
BODY = {"reference": "INV-1", "lines": [{"service": "licence"}]}


def test_a_quota_may_be_spent_at_once_and_comes_back_evenly():
    rates = Rates()
    assert [rates.take(("k", "r"), 3, 0.0).remaining for _ in range(3)] == [2, 1, 0]
    refused = rates.take(("k", "r"), 3, 0.0)
    assert (refused.refused, refused.reset_s) == (True, 20)
    assert not rates.take(("k", "r"), 3, 20.0).refused
    assert rates.take(("k", "r"), 3, 20.0).refused
    assert rates.take(("k", "r"), 3, 1_000.0).remaining == 2


def test_never_more_than_twice_the_quota_in_any_window_and_most_of_it_always():
    """Whatever the spacing of requests: a full bucket and what drips in meanwhile, and no more."""
    chance = random.Random(6)
    for _ in range(50):
        quota, rates, now_s, granted = chance.randint(1, 40), Rates(), 0.0, []
        for _ in range(400):
            now_s += chance.expovariate(quota / 10)
            if not rates.take(("k", "r"), quota, now_s).refused:
                granted.append(now_s)
        for begin in granted:
            inside = sum(begin <= each < begin + WINDOW_S for each in granted)
            assert inside <= 2 * quota
        assert len(granted) >= min(400, int(quota * now_s / WINDOW_S / 2))


def test_buckets_take_bounded_memory_and_a_clock_may_go_back():
    rates = Rates(buckets_max=100)
    for number in range(1_000):
        rates.take((str(number), "r"), 1, 0.0)
    assert len(rates) == 100
    rates.take(("k", "r"), 1, 1_000_000.0)
    assert rates.take(("k", "r"), 1, 0.0).reset_s <= WINDOW_S


async def test_the_rate_is_per_caller_and_endpoint_and_told(open_town):
    town = await open_town(limits=Limits(requests_per_minute=2))
    first = await town.ask("GET", PATH)
    assert first.headers["RateLimit-Policy"] == '"default";q=2;w=60'
    assert first.headers["RateLimit"] == '"default";r=1;t=30'
    assert [first.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["2", "1", "30"]
    await town.ask("GET", PATH)
    refused = await town.ask("GET", PATH)
    assert (refused.status, refused.body["code"], refused.body["retryable"]) == (429, "rate_limited", True)
    assert refused.headers["Retry-After"] == "30"
    assert (await town.ask("GET", "/v1/services")).status == 200
    assert (await town.ask("GET", PATH, department="roads")).status == 200
    town.clock.advance(seconds=int(refused.headers["Retry-After"]))
    assert (await town.ask("GET", PATH)).status == 200


async def test_a_caller_may_have_a_rate_of_its_own(open_town):
    town = await open_town(limits=Limits(requests_per_minute=1))
    text, _ = await issue_key(town.deps, "economy", "batch", requests_per_minute=50)
    answers = [await town.ask("GET", PATH, headers={"Authorization": f"Bearer {text}"}) for _ in range(20)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers["RateLimit-Limit"] == "50"


async def test_one_department_holds_no_more_than_its_share():
    turns = Turns(8, share=3, wait_s=0.05)
    for _ in range(3):
        await turns.take("loud")
    results = await asyncio.gather(*(turns.take("loud") for _ in range(10)), return_exceptions=True)
    assert all(isinstance(each, OverloadedError) for each in results)
    await asyncio.wait_for(turns.take("quiet"), 5)
    turns.give_back("loud")
    await asyncio.wait_for(turns.take("loud"), 5)


async def test_places_that_fall_free_go_round_between_departments():
    turns = Turns(2, share=2, wait_s=5)
    served = []

    async def request(department):
        await turns.take(department)
        served.append(department)
        await asyncio.sleep(0.001)
        turns.give_back(department)

    loud = [asyncio.ensure_future(request("loud")) for _ in range(4)]
    await asyncio.sleep(0)
    # The loud line is full; four others come later, one request each, and are not behind it.
    more = [asyncio.ensure_future(request(name)) for name in ("a", "b", "c", "d")]
    await asyncio.gather(*loud, *more)
    assert served[:2] == ["loud", "loud"]
    assert set(served[2:7]) >= {"a", "b", "c", "d"}
    assert turns._taken == 0
    assert not turns._held
    assert not turns._lines


async def test_turns_survive_any_interleaving_of_waiting_giving_up_and_going_away():
    chance = random.Random(14)
    turns = Turns(3, share=2, wait_s=0.004)
    holding = 0

    async def request(department):
        nonlocal holding
        await turns.take(department)
        holding += 1
        assert holding <= 3
        assert turns._held[department] <= 2
        try:
            await asyncio.sleep(chance.random() * 0.004)
        finally:
            holding -= 1
            turns.give_back(department)

    tasks = []
    for _ in range(400):
        tasks.append(asyncio.ensure_future(request(chance.choice("abcd"))))
        if chance.random() < 0.2:
            chance.choice(tasks).cancel()
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() * 0.002)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    strange = [each for each in results if each is not None]
    assert all(isinstance(each, (OverloadedError, asyncio.CancelledError)) for each in strange)
    assert (turns._taken, turns._held, turns._lines) == (0, {}, {})


async def test_a_department_that_floods_does_not_make_another_wait(open_town):
    town = await open_town(limits=Limits(in_flight_max=4, in_flight_per_department=2, turn_wait_s=5))
    flood = [asyncio.ensure_future(town.ask("POST", PATH, {**BODY, "reference": f"F-{n}"})) for n in range(60)]
    await asyncio.sleep(0.01)
    line = {"service": "fine", "amount": {"amount": 100, "currency": "AED"}}
    body = {"reference": "R", "lines": [line]}
    answers = [await town.ask("POST", PATH, body, department="roads") for _ in range(5)]
    assert [answer.status for answer in answers if answer.status != 503] == [201] * sum(
        a.status == 201 for a in answers
    )
    statuses = {answer.status for answer in await asyncio.gather(*flood)}
    assert statuses <= {201, 503}


@pytest.mark.parametrize("path", ["/pay/{}", "/pay/{}/receipt", "/verify/X-2026-0000001/{}"])
async def test_guessing_is_limited_by_address_and_right_links_are_always_served(open_town, path):
    town = await open_town(limits=Limits(wrong_guesses_per_minute=3))
    app = web.Application()
    add_routes(app, town.deps, Identity())
    server = TestServer(app)
    await server.start_server()
    pages = str(server.make_url("")).rstrip("/")
    right = f"{pages}/pay/{links.token_of(town.deps, (await town.intent())['id'])}"

    async def get(address):
        async with town.session.get(address) as response:
            return response.status, response.headers, await response.text()

    answers = [await get(pages + path.format("0" * 58)) for _ in range(5)]
    assert [status for status, _, _ in answers] == [404, 404, 404, 429, 429]
    assert int(answers[-1][1]["Retry-After"]) > 0
    assert (await get(right))[0] == 200
    town.clock.advance(minutes=2)
    assert (await get(pages + path.format("0" * 58)))[0] == 404
    await server.close()


async def test_wrong_credentials_are_limited_by_address_and_right_ones_served(open_town):
    town = await open_town(limits=Limits(wrong_guesses_per_minute=2))
    wrong = {"Authorization": "Bearer mzn_test_nonsense"}
    assert [(await town.ask("GET", PATH, headers=wrong)).status for _ in range(4)] == [401, 401, 429, 429]
    assert (await town.ask("GET", PATH)).status == 200


@pytest.mark.parametrize(
    ("trusted", "forwarded", "counted_alone"),
    [
        ((), "203.0.113.9", False),  # nobody stands before us: what a client says of itself counts for nothing
        (("127.0.0.0/8",), "203.0.113.9", True),
        (("127.0.0.0/8",), "198.51.100.1, 203.0.113.9", True),  # only the nearest proxy's word
        (("127.0.0.0/8", "10.0.0.0/8"), "203.0.113.9, 10.1.1.1", True),
    ],
)
async def test_the_client_behind_our_proxies_is_counted_and_not_the_proxy(open_town, trusted, forwarded, counted_alone):
    town = await open_town(
        limits=Limits(wrong_guesses_per_minute=1), trusted_proxies=tuple(ip_network(each) for each in trusted)
    )
    wrong = {"Authorization": "Bearer x"}
    for _ in range(3):
        last = await town.ask("GET", PATH, headers={**wrong, "X-Forwarded-For": forwarded})
    other = await town.ask("GET", PATH, headers={**wrong, "X-Forwarded-For": "203.0.113.77"})
    assert (last.status, other.status) == (429, 401 if counted_alone else 429)
