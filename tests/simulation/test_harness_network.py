"""The simulated network: unmodified aiohttp on both sides, and every fault TCP allows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.simulation.conftest import Play
from tests.simulation.network_faults import NetworkFault
from tests.simulation.sample_app import ask, start
from tests.simulation.simulation import Simulation

SURE = [  # fault, what the caller sees, how often the request took effect
    (NetworkFault.UNRESOLVED, "ClientConnectorDNSError", 0),
    (NetworkFault.REFUSED, "ClientConnectorError", 0),
    (NetworkFault.CONNECT_STALLED, "TimeoutError", 0),
    (NetworkFault.RESET_BEFORE, "ClientOSError", 0),
    (NetworkFault.STALLED, "TimeoutError", 0),
    (NetworkFault.STUCK, "TimeoutError", 1),
    (NetworkFault.RESET_AFTER, "ClientOSError", 1),
    (NetworkFault.REPLY_RESET, "ClientOSError", 1),
    (NetworkFault.REPLY_STALLED, "TimeoutError", 1),
    (NetworkFault.DUPLICATED, 1, 2),
    (NetworkFault.FRAGMENTED, 1, 1),
    (NetworkFault.DELAYED, "slow", 1),
]


def test_requests_and_replies_travel(play: Play) -> None:
    async def world(simulation: Simulation) -> list[object]:
        start(simulation)
        await asyncio.sleep(1)
        async with ClientSession() as session:
            return [await ask(session) for _ in range(3)]

    assert play(world) == [1, 2, 3]


@pytest.mark.parametrize(("fault", "seen", "effects"), SURE, ids=[fault.name for fault, _, _ in SURE])
def test_each_fault_is_seen_and_has_its_effect(fault: NetworkFault, seen: object, effects: int, play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        start(simulation)
        await asyncio.sleep(1)
        simulation.network.faults.plan("app", fault)
        async with ClientSession() as session:
            before_s = simulation.loop.time()
            answer = await ask(session, timeout_s=30)
            took_s = simulation.loop.time() - before_s
        await asyncio.sleep(200)  # longer than anything lies on its way
        value = simulation.control.value("SELECT coalesce(sum(value), 0)::bigint FROM counter")
        return answer, took_s, value, simulation.trace.sometimes[fault]

    answer, took_s, value, counted = play(world)
    if seen == "slow":
        assert answer == 1
        assert took_s > 0.5
    else:
        assert answer == seen
    assert (value, counted) == (effects, 1)


def test_an_unknown_name_and_a_closed_port_are_told_apart(play: Play) -> None:
    async def world(simulation: Simulation) -> list[object]:
        simulation.network.name("silent")
        async with ClientSession() as session:
            return [await ask(session, host="nowhere"), await ask(session, host="silent")]

    assert play(world) == ["ClientConnectorDNSError", "ClientConnectorError"]


def test_two_processes_share_a_port(play: Play) -> None:
    async def world(simulation: Simulation) -> tuple[int, list[object]]:
        first, _ = start(simulation), start(simulation)
        await asyncio.sleep(1)
        listeners = len(simulation.network.listeners)
        simulation.kill(first)
        async with ClientSession() as session:
            return listeners, [await ask(session) for _ in range(2)]

    assert play(world) == (2, [1, 2])
