"""What one credential can do to another: act as it no further than it may itself, and never as a second person."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.deps import EndedCallers
from gateway.domain.caller import Scope
from gateway.domain.errors import UnauthenticatedError
from gateway.services.callers import api_keys, oauth_clients
from gateway.services.callers.access_tokens import authenticate_token
from gateway.services.callers.api_keys import authenticate, issue_key
from gateway.services.callers.ending import end_credential
from gateway.services.catalogue.import_catalogue import import_catalogue
from tests.gateway.api.clients import Client, Pair
from tests.gateway.conftest import DEPARTMENTS

PATH = "/v1/payment-intents"
MANAGER = (Scope.KEYS_WRITE, Scope.PAYMENTS_READ)


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


async def post(town, text, path, body=None):
    return await town.ask("POST", path, body or {}, headers=bearer(text))


async def works(town, text):
    return (await town.ask("GET", PATH, headers=bearer(text))).status == 200


def keys_of(pair):
    return {"jwks": {"keys": [pair.jwk()]}}


@pytest.fixture
async def careful(town):
    """Economy lets one person give back AED 100.00; a payment is AED 105.00."""
    limited = {**DEPARTMENTS[0], "refund_limits": "AED 100.00"}
    assert not (await import_catalogue(town.deps, [limited], [])).faults
    return town


async def asked_with(town, text):
    """Ask with a credential for a refund above the limit, and return its id."""
    intent = await town.paid()
    body = {"reason": "withdrawn", "requested_by": "mariam"}
    answer = await post(town, text, f"{PATH}/{intent['id']}/refunds", body)
    assert (answer.status, answer.body["status"]) == (201, "awaiting_approval"), answer.body
    return answer.body["id"]


async def agreed(town, text, refund):
    answer = await post(town, text, f"/v1/refunds/{refund}/approve", {"decided_by": "hassan"})
    if answer.status == 409:
        assert "the key that asked" in answer.body["detail"]
    return answer.status


async def test_a_key_cannot_take_over_a_client_that_may_agree_to_refunds(careful):
    town, own, thief = careful, Pair(), Pair()
    approver = await Client(town, own).add("economy", ["payments:write", "refunds:approve"])
    manager, _ = await issue_key(town.deps, "economy", "manager", scopes=MANAGER)
    everything = town.keys["economy"]
    for text in (manager, everything):
        refused = await post(town, text, f"/v1/oauth-clients/{approver.id}/keys", keys_of(thief))
        assert (refused.status, refused.body["code"]) == (403, "missing_scope")
    status, _ = await Client(town, thief, approver.id).ask()
    assert status == 401
    refund = await asked_with(town, everything)
    assert await agreed(town, await approver.token(), refund) == 200


async def test_a_client_with_the_scope_gives_itself_other_keys_and_so_does_the_operator(careful):
    town = careful
    first, second, third = Pair(kid="k1"), Pair(kid="k2"), Pair(kid="k3")
    client = await Client(town, first).add("economy", ["keys:write", "refunds:approve"])
    changed = await post(town, await client.token(), f"/v1/oauth-clients/{client.id}/keys", keys_of(second))
    assert (changed.status, changed.body["keys_by"]) == (200, None)
    town.clock.advance(seconds=1)
    assert await Client(town, second, client.id, [100]).token()
    await oauth_clients.put_keys(town.deps, client.id, keys_of(third)["jwks"], None)
    assert (await Client(town, second, client.id, [200]).ask())[0] == 401
    refund = await asked_with(town, town.keys["economy"])
    assert await agreed(town, await Client(town, third, client.id, [300]).token(), refund) == 200


async def test_a_credential_replaces_no_other_that_may_more_than_itself(town):
    """Every scope, over a key and a client: who lacks it does not get at it, and refunds:approve nobody does."""
    for wanted, held in itertools.product(Scope, (True, False)):
        if wanted is Scope.KEYS_WRITE and not held:
            continue
        scopes = {Scope.KEYS_WRITE, *([wanted] if held else [])}
        text, _ = await issue_key(town.deps, "economy", "manager", scopes=scopes)
        _, other = await issue_key(town.deps, "economy", "other", scopes=[wanted])
        client = await Client(town, Pair()).add("economy", [wanted.value])
        rotated = await post(town, text, f"/v1/api-keys/{other.id}/rotate")
        given = await post(town, text, f"/v1/oauth-clients/{client.id}/keys", keys_of(Pair()))
        may = held and wanted is not Scope.REFUNDS_APPROVE
        assert (rotated.status, given.status) == ((201, 200) if may else (403, 403)), (wanted, held)


async def two_keys(town):
    """A key that asks, and one that may agree and manage keys, each from the operator."""
    asker = await issue_key(
        town.deps, "economy", "clerk", scopes=[Scope.REFUNDS_WRITE, Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE]
    )
    agreer = await issue_key(town.deps, "economy", "supervisor")
    return asker, agreer


async def test_whoever_rotates_a_colleague_s_key_is_no_second_pair_of_eyes_for_it(careful):
    (clerk, clerk_key), (supervisor, supervisor_key) = await two_keys(careful)
    before = await asked_with(careful, clerk)
    taken = (await post(careful, supervisor, f"/v1/api-keys/{clerk_key.id}/rotate")).body
    assert (taken["made_by"], taken["origin"]) == (supervisor_key.id, clerk_key.id)
    refund = await asked_with(careful, taken["secret"])
    assert await agreed(careful, supervisor, refund) == 409
    heir = (await post(careful, supervisor, f"/v1/api-keys/{supervisor_key.id}/rotate")).body["secret"]
    assert await agreed(careful, heir, refund) == 409
    assert await agreed(careful, careful.keys["economy"], refund) == 200
    assert await agreed(careful, supervisor, before) == 200, "the clerk asked for this one alone"


async def test_a_hand_once_laid_on_a_key_goes_down_its_line_and_into_what_it_makes(careful):
    (_, clerk_key), (supervisor, _) = await two_keys(careful)
    first = (await post(careful, supervisor, f"/v1/api-keys/{clerk_key.id}/rotate")).body
    _, second = await api_keys.replace_key(careful.deps, first["id"], timedelta(hours=1))
    third, _ = await api_keys.replace_key(careful.deps, second.id, timedelta(hours=1))
    assert await agreed(careful, supervisor, await asked_with(careful, third)) == 409

    _, manager = await issue_key(careful.deps, "economy", "m", scopes=[Scope.KEYS_WRITE, Scope.REFUNDS_WRITE])
    taken = (await post(careful, supervisor, f"/v1/api-keys/{manager.id}/rotate")).body["secret"]
    made = await post(careful, taken, "/v1/api-keys", {"label": "till", "scopes": ["refunds:write"]})
    assert made.body["origin"] == manager.id
    assert await agreed(careful, supervisor, await asked_with(careful, made.body["secret"])) == 409


async def test_two_keys_rotated_by_one_are_one_pair_of_eyes(careful):
    """Of two colleagues' keys in one hand neither agrees to what the other asks, whoever issued them."""
    (_, clerk_key), (supervisor, supervisor_key) = await two_keys(careful)
    taken = (await post(careful, supervisor, f"/v1/api-keys/{clerk_key.id}/rotate")).body["secret"]
    client = await Client(careful, Pair()).add("economy", ["refunds:write"])
    mine = Pair()
    given = await post(careful, supervisor, f"/v1/oauth-clients/{client.id}/keys", keys_of(mine))
    assert (given.status, given.body["keys_by"]) == (200, supervisor_key.id)
    token = await Client(careful, mine, client.id).token()
    for text in (taken, token):
        assert await agreed(careful, supervisor, await asked_with(careful, text)) == 409


async def short(town, *scopes, **more):
    return await issue_key(town.deps, "economy", "short", scopes=[*MANAGER, *scopes], **more)


async def test_what_a_key_makes_ends_with_it_and_shares_its_rate(town):
    ends = town.clock() + timedelta(days=1)
    text, key = await short(town, expires_at=ends, requests_per_minute=6)
    asked = {"label": "till", "scopes": ["payments:read"]}
    child = (await post(town, text, "/v1/api-keys", asked)).body
    assert child["expires_at"].startswith(ends.date().isoformat())
    assert (child["requests_per_minute"], child["made_by"], child["origin"]) == (6, key.id, key.id)
    sooner = (await post(town, text, "/v1/api-keys", {**asked, "expires_at": "2026-11-22T12:00:00Z"})).body
    assert sooner["expires_at"] == "2026-11-22T12:00:00.000Z"
    later = await post(town, text, "/v1/api-keys", {**asked, "expires_at": "2027-11-22T12:00:00Z"})
    assert (later.status, later.body["errors"][0]["pointer"]) == (422, "/expires_at")
    pair = Pair()
    client = (await post(town, text, "/v1/oauth-clients", {**asked, **keys_of(pair)})).body
    assert (client["expires_at"], client["requests_per_minute"]) == (child["expires_at"], 6)
    assert client["made_by"] == key.id

    signing = Client(town, pair, client["id"])
    token = await signing.token()
    both = [(await town.ask("GET", PATH, headers=bearer(each))).status for each in (child["secret"], token) * 4]
    assert both == [200] * 6 + [429] * 2, "many credentials are not many limits"
    town.clock.advance(days=1)
    assert not await works(town, child["secret"])
    assert not await works(town, token)
    assert (await signing.ask())[0] == 401


async def test_a_key_replaces_none_that_lives_longer_or_may_send_more(town):
    _, lasting = await issue_key(town.deps, "economy", "other", scopes=MANAGER)
    client = await Client(town, Pair()).add("economy", ["payments:read"])
    for more in ({"expires_at": town.clock() + timedelta(days=1)}, {"requests_per_minute": 60}):
        text, key = await short(town, **more)
        for path, body in (
            (f"/v1/api-keys/{lasting.id}/rotate", {}),
            (f"/v1/oauth-clients/{client.id}/keys", keys_of(Pair())),
        ):
            refused = await post(town, text, path, body)
            assert (refused.status, refused.body["code"]) == (403, "beyond_own_rights"), more
        assert (await post(town, text, f"/v1/api-keys/{key.id}/rotate")).status == 201


async def test_a_key_is_revoked_with_all_it_made_and_what_that_made(town):
    stolen, key = await issue_key(town.deps, "economy", "stolen")
    asked = {"label": "till", "scopes": ["keys:write", "payments:read"]}
    child = (await post(town, stolen, "/v1/api-keys", asked)).body
    client = (await post(town, child["secret"], "/v1/oauth-clients", {**asked, **keys_of(Pair())})).body
    taken = await Client(town, Pair()).add("economy", ["payments:read"])
    await post(town, child["secret"], f"/v1/oauth-clients/{taken.id}/keys", keys_of(Pair()))
    _, colleague = await issue_key(town.deps, "economy", "colleague", scopes=MANAGER)
    rotated = (await post(town, stolen, f"/v1/api-keys/{colleague.id}/rotate")).body
    heir = (await post(town, stolen, f"/v1/api-keys/{key.id}/rotate")).body
    other = (await town.ask("POST", "/v1/api-keys", asked)).body

    alone = await town.ask("POST", f"/v1/api-keys/{child['id']}/revoke")
    assert (alone.status, "also_ended" in alone.body) == (200, False)
    assert (await town.ask("GET", f"/v1/oauth-clients/{client['id']}")).body["disabled_at"] is None
    answer = await post(town, heir["secret"], f"/v1/api-keys/{key.id}/revoke", {"with_all_it_made": True})
    assert answer.body["revoked_at"] is not None
    assert answer.body["also_ended"] == sorted([client["id"], taken.id, rotated["id"]])
    assert not await works(town, rotated["secret"])
    assert await works(town, heir["secret"]), "the key that asks stays"
    assert await works(town, other["secret"])


async def test_the_operator_ends_a_client_with_all_it_made(town):
    client = await Client(town, Pair()).add("economy", [scope.value for scope in MANAGER])
    asked = {"label": "till", "scopes": ["payments:read"]}
    made = (await post(town, await client.token(), "/v1/api-keys", asked)).body
    assert await end_credential(town.deps, client.id, with_all_it_made=True) == sorted([client.id, made["id"]])
    assert await end_credential(town.deps, client.id, with_all_it_made=True) == []
    assert await end_credential(town.deps, "key_" + "0" * 26) == []
    assert not await works(town, made["secret"])


async def test_a_credential_ended_elsewhere_is_forgotten_within_seconds(town):
    """Another process knows a key; it is revoked here; the other hears of it when it asks next, not a minute later."""
    elsewhere = replace(town.deps, caller_cache={}, ended_callers=EndedCallers())
    text, key = await issue_key(town.deps, "economy", "till")
    for _ in range(2):
        assert (await authenticate(elsewhere, text)).id == key.id
    known = dict(elsewhere.caller_cache)
    town.clock.advance(seconds=2)
    assert (await authenticate(elsewhere, text)).id == key.id
    assert elsewhere.caller_cache == known, "nothing was ended, and nothing is forgotten"
    await town.ask("POST", f"/v1/api-keys/{key.id}/revoke")
    assert (await authenticate(elsewhere, text)).id == key.id, "it was not asked yet"
    town.clock.advance(seconds=2)
    with pytest.raises(UnauthenticatedError):
        await authenticate(elsewhere, text)


async def test_a_client_ended_elsewhere_is_forgotten_within_seconds(town):
    elsewhere = replace(town.deps, caller_cache={}, ended_callers=EndedCallers())
    client = await Client(town, Pair()).add("economy", ["payments:read"])
    token = await client.token()
    for _ in range(2):
        assert (await authenticate_token(elsewhere, token)).id == client.id
    await end_credential(town.deps, client.id)
    town.clock.advance(seconds=2)
    with pytest.raises(UnauthenticatedError):
        await authenticate_token(elsewhere, token)


async def test_a_revoked_credential_another_process_still_knows_makes_nothing(town):
    text, key = await issue_key(town.deps, "economy", "till")
    asked = {"label": "till", "scopes": ["payments:read"]}
    assert (await post(town, text, "/v1/api-keys", asked)).status == 201
    await town.deps.pool.execute("UPDATE gateway.api_key SET revoked_at = $2 WHERE id = $1", key.id, town.clock())
    assert await works(town, text), "it is remembered"
    for path, body in (
        ("/v1/api-keys", asked),
        ("/v1/oauth-clients", {**asked, **keys_of(Pair())}),
        (f"/v1/api-keys/{key.id}/rotate", {}),
    ):
        assert (await post(town, text, path, body)).status == 401


async def test_clients_in_use_are_counted_and_no_two_requests_count_alike(town, monkeypatch):
    monkeypatch.setattr(oauth_clients, "CLIENTS_MAX", 3)
    body = {"label": "case system", "scopes": ["payments:read"], **keys_of(Pair())}
    answers = await asyncio.gather(*(town.ask("POST", "/v1/oauth-clients", body) for _ in range(8)))
    made = [answer.body["id"] for answer in answers if answer.status == 201]
    assert len(made) == 3
    assert (await town.ask("POST", "/v1/oauth-clients", body)).status == 409
    await town.ask("POST", f"/v1/oauth-clients/{made[0]}/disable")
    assert (await town.ask("POST", "/v1/oauth-clients", body)).status == 201


async def test_keys_in_use_are_counted_one_request_at_a_time(town, monkeypatch):
    monkeypatch.setattr(api_keys, "KEYS_MAX", 3)
    asked = {"label": "till", "scopes": ["payments:read"]}
    answers = await asyncio.gather(*(town.ask("POST", "/v1/api-keys", asked) for _ in range(8)))
    assert sum(answer.status == 201 for answer in answers) == 2  # and the town's own
