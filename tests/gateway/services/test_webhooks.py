"""HC-28: telling departments, whatever their endpoints do."""

from __future__ import annotations

import asyncio
import base64
import socket
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from gateway.deps import Limits
from gateway.domain.addresses import check_webhook_url, is_public
from gateway.domain.errors import InvalidError
from gateway.outbound import AddressRefusedError, PublicResolver, open_webhook_session
from gateway.services.webhooks.deliver_webhooks import WAITS, deliver_webhooks
from gateway.store import events, webhooks
from tests.gateway.services.listening import subscribe


class Names(AbstractResolver):
    """A resolver that gives every name the same addresses."""

    def __init__(self, *addresses):
        self.addresses = addresses
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked += 1
        return [
            {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}
            for address in self.addresses
        ]

    async def close(self):
        """Nothing is open."""


async def states(town):
    rows = await town.deps.pool.fetch("SELECT status, tries, answer FROM gateway.webhook_delivery ORDER BY event")
    return [tuple(row) for row in rows]


async def test_hc28_every_change_arrives_once_in_order_and_signed(town, department):
    endpoint = await subscribe(town, department)
    await town.paid()
    assert department.types() == [
        "payment_intent.created",
        "payment_attempt.started",
        "payment_intent.processing",
        "payment_attempt.pending",
        "payment_attempt.succeeded",
        "payment_intent.paid",
    ]
    headers, _ = department.received[0]
    # The reference library of the specification signs the same.
    expected = Webhook(endpoint["secret"]).sign(headers["webhook-id"], town.clock(), department.bodies[0].decode())
    shared, asymmetric = headers["webhook-signature"].split(" ")
    assert expected == shared
    [published] = (await town.ask("GET", "/v1/webhook-keys", headers={"Authorization": ""})).body["data"]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(published["public_key"].removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + department.bodies[0]
    public.verify(base64.b64decode(asymmetric.removeprefix("v1a,")), signed)


async def test_hc28_an_endpoint_that_is_down_for_days_hears_everything_with_stable_ids(town, department):
    await subscribe(town, department)
    intent = await town.intent()
    department.answers = [(500, {})] * 3
    for _ in range(40):
        await town.work()
        town.clock.advance(hours=1)
    assert department.types() == ["payment_intent.created"] * 4 + department.types()[4:]
    ids = {headers["webhook-id"] for headers, _ in department.received[:4]}
    assert len(ids) == 1
    assert department.received[0][1]["data"]["payment_intent"] == intent["id"]
    assert {status for status, _, _ in await states(town)} == {"delivered"}


async def test_hc28_after_three_days_a_delivery_is_dead_and_can_be_replayed(town, department):
    endpoint = await subscribe(town, department)
    intent = await town.intent(expires_at="2026-12-20T06:00:00Z")
    department.answers = [(500, {})] * 10
    started = town.clock()
    while ("waiting",) in {row[:1] for row in await states(town)} or not await states(town):
        await town.work()
        town.clock.advance(hours=2)
    assert town.clock() - started >= timedelta(hours=72)
    assert (await states(town)) == [("dead", len(WAITS) + 1, "500")]
    answer = await town.ask("POST", f"/v1/webhook-endpoints/{endpoint['id']}/replay", {})
    assert (answer.status, answer.body["queued"]) == (202, 1)
    await town.work()
    assert department.received[-1][1]["data"]["payment_intent"] == intent["id"]
    assert {status for status, _, _ in await states(town)} == {"delivered"}


async def test_hc28_a_redirect_is_a_failure_and_is_not_followed(town, department):
    await subscribe(town, department)
    department.answers = [(302, {"Location": department.url})]
    await town.intent()
    await town.work()
    assert await states(town) == [("waiting", 1, "302")]
    assert len(department.received) == 1


async def test_hc28_410_ends_the_endpoint(town, department):
    endpoint = await subscribe(town, department)
    department.answers = [(410, {})]
    await town.paid()
    [listed] = (await town.ask("GET", "/v1/webhook-endpoints")).body["data"]
    assert (listed["id"], listed["disabled_because"]) == (endpoint["id"], "410 Gone")
    assert {status for status, _, _ in await states(town)} == {"dead"}
    assert "secret" not in listed


async def test_hc28_retry_after_is_kept(town, department):
    await subscribe(town, department)
    department.answers = [(429, {"Retry-After": "7200"})]
    await town.intent()
    await town.work()
    town.clock.advance(minutes=90)
    await town.work()
    assert len(department.received) == 1
    town.clock.advance(minutes=31)
    await town.work()
    assert len(department.received) == 2


async def test_hc28_a_hanging_endpoint_delays_nobody_and_is_called_within_its_bound(open_town, department):
    """It never answers; the other endpoint of the same department hears everything at once, round after round."""
    town = await open_town(limits=Limits(webhook_patience_s=0.2))
    called = []

    async def hang(request):
        called.append((await request.json())["data"]["payment_intent"])
        await asyncio.sleep(60)

    app = web.Application()
    app.router.add_post("/hook", hang)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        slow = await town.ask("POST", "/v1/webhook-endpoints", {"url": str(server.make_url("/hook"))})
        await subscribe(town, department)
        begun = asyncio.get_running_loop().time()
        first, *_ = [await town.paid() for _ in range(3)]
        assert asyncio.get_running_loop().time() - begun < 15  # one call alone would hang for twenty
        assert department.types().count("payment_intent.paid") == 3
        assert called == [first["id"]]  # its one object in order, and nothing more while that call is under way
        assert town.deps.couriers.busy == [slow.body["id"]]
        await town.deps.couriers.close(0.0)
        town.clock.advance(minutes=3)  # the lease is over: a call that was broken off is made again
        await deliver_webhooks(town.deps, 200)
        assert called[1] == first["id"]
        assert 2 <= len(called) <= 1 + town.deps.limits.webhooks_per_endpoint
    finally:
        await town.deps.couriers.close(0.0)
        await server.close()


async def test_hc28_an_endpoint_that_fails_is_tried_with_one_call_at_a_time(town, department):
    endpoint = await subscribe(town, department)
    department.answers = [(500, {})] * 4
    for _ in range(4):
        await town.intent()
    assert await deliver_webhooks(town.deps, 200) == town.deps.limits.webhooks_per_endpoint
    assert town.deps.couriers.failing == [endpoint["id"]]
    town.clock.advance(minutes=1)
    assert await deliver_webhooks(town.deps, 200) == 1
    assert town.deps.couriers.failing == []
    assert await deliver_webhooks(town.deps, 200) == 3


async def test_hc28_an_endpoint_without_a_connection_holds_up_nobody_else(open_town, department):
    town = await open_town()
    await town.deps.pool.execute(
        """INSERT INTO gateway.webhook_endpoint (id, department, url, secret, created_at)
           VALUES ('we_dead', 'economy', 'http://127.0.0.1:9/', $1, $2)""",
        b"x" * 32,
        town.clock(),
    )
    await subscribe(town, department)
    await town.paid()
    assert len(department.received) == 6
    waiting = await town.deps.pool.fetch("SELECT answer FROM gateway.webhook_delivery WHERE status = 'waiting'")
    assert "no connection" in {row["answer"] for row in waiting}


async def test_two_secrets_sign_while_one_replaces_the_other(town, department):
    endpoint = await subscribe(town, department)
    rotated = await town.ask("POST", f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret", key="r")
    again = await town.ask("POST", f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret", key="r")
    assert rotated.status == 200
    assert rotated.body["secret"] != endpoint["secret"]
    assert "secret" not in again.body
    await town.intent()
    await town.work()
    for secret in (endpoint["secret"], rotated.body["secret"]):
        headers, _ = department.received[0]
        timestamped = Webhook(secret).sign(headers["webhook-id"], town.clock(), department.bodies[0].decode())
        assert timestamped in headers["webhook-signature"].split(" ")
    town.clock.advance(hours=25)
    await town.intent()
    await town.work()
    assert department.received[-1][0]["webhook-signature"].count("v1,") == 1


async def test_an_endpoint_is_made_once_and_its_secret_shown_to_the_same_request_only(town, department):
    first = await subscribe(town, department, key="w")
    again = await subscribe(town, department, key="w")
    assert again == {name: said for name, said in first.items() if name != "secret"}
    stored = await town.deps.pool.fetchval("SELECT answer FROM gateway.idempotency WHERE key = 'w'")
    assert first["secret"].encode() not in stored


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1", "::1", "::",
        "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "nonsense",
    ],
)  # fmt: skip
def test_hc28_inner_addresses_are_refused_whatever_they_are_wrapped_in(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_not_refused(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.ae/", "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/",
        "https://0x7f.1/", "https://127.1/", "https://hooks.example.ae:8443/", "https://u:p@hooks.example.ae/",
        "https://intranet/", "ftp://hooks.example.ae/", "https://hooks.example.ae" + "a" * 500, "https://a.b\r\n/",
    ],
)  # fmt: skip
def test_hc28_urls_that_lead_inside_are_refused(url):
    with pytest.raises(InvalidError):
        check_webhook_url(url)


async def test_hc28_a_name_that_turns_inward_later_is_refused_at_delivery(open_town):
    """DNS rebinding: the address is checked where the connection is made, not where the URL was registered."""

    inward = Names("169.254.169.254")
    session = open_webhook_session()
    session.connector._resolver = PublicResolver(inward)
    town = await open_town(webhook_session=session, private_webhooks=False)
    await town.deps.pool.execute(
        """INSERT INTO gateway.webhook_endpoint (id, department, url, secret, created_at)
           VALUES ('we_turns', 'economy', 'https://hooks.example.ae/', $1, $2)""",
        b"x" * 32,
        town.clock(),
    )
    await town.intent()
    await town.work()
    await session.close()
    assert inward.asked == 1
    assert await states(town) == [("waiting", 1, "address refused")]


async def test_the_resolver_refuses_a_set_with_one_inner_address():
    with pytest.raises(AddressRefusedError):
        await PublicResolver(Names("8.8.8.8", "10.0.0.1")).resolve("hooks.example.ae")


async def test_an_endpoint_is_tried_disabled_enabled_and_its_deliveries_are_listed(town, department):
    endpoint = await subscribe(town, department)
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    tried = await town.ask("POST", f"{path}/test", key="t")
    assert (await town.ask("POST", f"{path}/test", key="t")).body == tried.body
    await town.work()
    assert department.types() == ["webhook_endpoint.test"]
    assert (await town.ask("POST", f"{path}/disable")).body["disabled_because"] == "by its department"
    assert (await town.ask("POST", f"{path}/test")).status == 409
    await town.intent()
    await town.work()
    assert len(department.received) == 1
    assert (await town.ask("POST", f"{path}/enable")).body["disabled_at"] is None
    await town.intent()
    await town.work()
    assert department.types()[1:] == ["payment_intent.created"]
    listed = (await town.ask("GET", f"{path}/deliveries?status=delivered&limit=1")).body
    assert (listed["data"][0]["type"], listed["next_cursor"]) == ("payment_intent.created", listed["data"][0]["event"])
    rest = (await town.ask("GET", f"{path}/deliveries?cursor={listed['next_cursor']}")).body["data"]
    assert [(each["type"], each["status"], each["answer"]) for each in rest] == [
        ("webhook_endpoint.test", "delivered", "204")
    ]


async def test_a_secret_lost_in_rotation_is_rotated_again_and_the_one_in_use_goes_on(town, department):
    endpoint = await subscribe(town, department)
    path = f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret"
    await town.ask("POST", path)  # its answer is lost on the way
    town.clock.advance(hours=1)
    found = await town.ask("POST", path)
    assert found.status == 200
    full = await town.ask("POST", path)
    assert (full.status, full.body["code"]) == (409, "state_conflict")
    assert "2026-11-23T06:00:00" in full.body["detail"]
    await town.intent()
    await town.work()
    headers, _ = department.received[-1]
    for secret in (endpoint["secret"], found.body["secret"]):
        signed = Webhook(secret).sign(headers["webhook-id"], town.clock(), department.bodies[-1].decode())
        assert signed in headers["webhook-signature"].split(" ")
    assert headers["webhook-signature"].count("v1,") == 3
    town.clock.advance(hours=23)
    assert (await town.ask("POST", path)).status == 200


async def test_a_department_with_a_backlog_holds_up_nobody(town, department):
    """Ten thousand events of one department, then one of another: it is in the first batch that leaves."""
    await subscribe(town, department)
    line = {"service": "fine", "amount": {"amount": 100, "currency": "AED"}}
    other = await town.ask("POST", "/v1/webhook-endpoints", {"url": department.url + "?roads"}, department="roads")
    assert other.status == 201
    await town.deps.pool.execute(
        """WITH written AS (
             INSERT INTO gateway.event (id, department, type, object, data, created_at)
             SELECT 'ev_' || lpad(i::text, 26, '0'), 'economy', 'payment_intent.created', 'pi_' || i, '{}', $1
               FROM generate_series(1, 10000) i RETURNING id, department)
           INSERT INTO gateway.outbox (event, department) SELECT id, department FROM written""",
        town.clock(),
    )
    await town.ask("POST", "/v1/payment-intents", {"reference": "R", "lines": [line]}, department="roads")
    async with town.deps.pool.acquire() as connection:
        assert await events.fan_out(connection, town.clock(), 10) == 10
        waiting = await connection.fetch(
            "SELECT w.department FROM gateway.webhook_delivery d JOIN gateway.webhook_endpoint w ON w.id = d.endpoint"
        )
        assert {row["department"] for row in waiting} == {"economy", "roads"}
        await events.fan_out(connection, town.clock(), 1_000)
        claimed = await webhooks.claim(
            connection, town.clock(), town.clock() + timedelta(minutes=2), per_endpoint=4, limit=2
        )
    assert [each.endpoint.department for each in claimed].count("roads") == 1
