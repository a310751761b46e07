"""Webhook secrets at rest: sealed, sealed anew under a new key, and useless without it."""

from __future__ import annotations

import base64
from dataclasses import replace

from standardwebhooks import Webhook

from gateway.domain.sealing import Sealer
from gateway.services.housekeeping import seal_webhook_secrets
from gateway.services.webhooks.deliver_webhooks import deliver_webhooks
from tests.gateway.services.listening import subscribe


async def test_a_secret_is_sealed_in_the_database_and_sealed_anew_under_a_new_key(open_town, department):
    town = await open_town()
    endpoint = await subscribe(town, department)
    secret = base64.b64decode(endpoint["secret"].removeprefix("whsec_"))
    kept = "SELECT secret FROM gateway.webhook_endpoint WHERE id = $1"
    first = await town.deps.pool.fetchval(kept, endpoint["id"])
    assert secret not in first
    rotated = replace(town.deps, sealer=Sealer((b"n" * 32, *town.deps.sealer.keys)))
    assert await seal_webhook_secrets(rotated, 10) == 1
    assert await seal_webhook_secrets(rotated, 10) == 0
    second = await town.deps.pool.fetchval(kept, endpoint["id"])
    assert second != first
    await town.intent()
    await deliver_webhooks(rotated, 10)
    headers, _ = department.received[0]
    expected = Webhook(endpoint["secret"]).sign(headers["webhook-id"], town.clock(), department.bodies[0].decode())
    assert expected in headers["webhook-signature"].split(" ")
    # Without its key it is not sent unsigned or signed with something else: it waits until the key is back.
    await town.intent()
    await deliver_webhooks(town.deps, 10)
    assert len(department.received) == 1
    answers = {row["answer"] for row in await town.deps.pool.fetch("SELECT answer FROM gateway.webhook_delivery")}
    assert answers == {"204", "its secret cannot be opened"}


async def test_a_secret_written_before_there_were_keys_signs_and_is_sealed(open_town, department):
    town = await open_town()
    await subscribe(town, department)
    await town.deps.pool.execute("UPDATE gateway.webhook_endpoint SET secret = $1", b"x" * 32)
    await town.intent()
    await deliver_webhooks(town.deps, 10)
    headers, _ = department.received[0]
    plain = Webhook("whsec_" + base64.b64encode(b"x" * 32).decode())
    expected = plain.sign(headers["webhook-id"], town.clock(), department.bodies[0].decode())
    assert expected in headers["webhook-signature"]
    assert await seal_webhook_secrets(town.deps, 10) == 1
    assert await town.deps.pool.fetchval("SELECT length(secret) FROM gateway.webhook_endpoint") == 69
