"""One thing of every kind the API knows, all of one department."""

from __future__ import annotations

import pytest

from gateway.services.api_keys import issue_key
from tests.gateway.api.clients import Client, Pair


@pytest.fixture
async def things(town):
    """One thing of economy's for every kind of id a route names, by the resource in its path."""
    intent = await town.paid()
    refund = (await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", {"reason": "x"})).body
    endpoint = (await town.ask("POST", "/v1/webhook-endpoints", {"url": "https://hooks.example.ae/"})).body
    _, key = await issue_key(town.deps, "economy", "other")
    client = await Client(town, Pair()).register()
    return {
        "payment-intents": intent["id"],
        "payment-parts": intent["id"],
        "refunds": refund["id"],
        "webhook-endpoints": endpoint["id"],
        "api-keys": key.id,
        "oauth-clients": client.id,
    }
