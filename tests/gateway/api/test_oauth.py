"""OAuth 2.0 client credentials with private_key_jwt: what is taken, once, and everything that is not."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.domain.errors import UnauthenticatedError
from gateway.domain.signing import signing_key
from gateway.outbound import open_webhook_session
from gateway.services.callers.access_tokens import authenticate_token
from gateway.services.callers.api_keys import issue_key
from gateway.services.housekeeping import forget_assertions
from tests.gateway.api import clients
from tests.gateway.api.clients import Client, Pair

PATH = "/v1/payment-intents"
BODY = {"reference": "INV-1", "lines": [{"service": "licence"}]}


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
async def client(town):
    return await Client(town, Pair()).register()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_a_signed_assertion_gives_a_token_that_works(town, algorithm):
    client = await Client(town, Pair(algorithm)).register()
    token = await client.token()
    assert (await town.ask("POST", PATH, BODY, headers=bearer(token))).status == 201
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["department"], claims["exp"] - claims["iat"]) == (client.id, "economy", 600)


async def test_tokens_are_verified_with_what_we_publish(town, client):
    token = await client.token()
    published = (await town.ask("GET", "/.well-known/jwks.json", headers=bearer(""))).body
    metadata = (await town.ask("GET", "/.well-known/oauth-authorization-server", headers=bearer(""))).body
    [key] = jwt.PyJWKSet.from_dict(published).keys
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        token, key, algorithms=["EdDSA"], audience=metadata["issuer"], issuer=metadata["issuer"], options=options
    )
    assert claims["client_id"] == client.id
    assert metadata["jwks_uri"].endswith("/.well-known/jwks.json")


async def test_an_assertion_is_good_once_also_when_sent_twice_at_the_same_time(town, client):
    assertion = client.assertion()
    answers = await asyncio.gather(*(client.ask(assertion) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401, 401, 401]
    # After a restart, and in another process: the database remembers, not the process.
    assert (await client.ask(assertion))[0] == 401
    assert await forget_assertions(town.deps, 10) == 0
    town.clock.advance(minutes=10)
    assert await forget_assertions(town.deps, 10) == 1
    assert (await client.ask(assertion))[0] == 401  # over by now


WRONG = {
    "audience of another": {"aud": "https://elsewhere.example"},
    "audience is the token endpoint": {"aud": "http://127.0.0.1:1/v1/oauth/token"},
    "audience with a slash": {"aud": "http://127.0.0.1:1/"},
    "audience in a list": {"aud": ["http://127.0.0.1:1"]},
    "no audience": {"aud": None},
    "issuer of another": {"iss": "cl_" + "0" * 26},
    "no issuer": {"iss": None},
    "no jti": {"jti": None},
    "jti no text": {"jti": 7},
    "jti too long": {"jti": "x" * 256},
    "no exp": {"exp": None},
    "exp over": {"exp": 1_700_000_000},
    "exp in a year": {"exp": 2_000_000_000},
    "exp no number": {"exp": "soon"},
    "exp beyond time": {"exp": 1e300},
    "not yet": {"nbf": 2_000_000_000},
    "from the future": {"iat": 2_000_000_000},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
async def test_a_wrong_claim_is_refused(client, changes):
    status, body = await client.ask(client.assertion(**changes))
    assert (status, body["error"]) == (401, "invalid_client")


async def test_an_algorithm_that_is_not_listed_is_refused(client):
    public = client.pair.jwk()["x"]  # what everybody knows, used as a shared secret
    unsigned = jwt.encode(client.claims(), None, algorithm="none", headers={"kid": "k1"})
    symmetric = jwt.encode(client.claims(), public.ljust(64), algorithm="HS256", headers={"kid": "k1"})
    rsa = Pair("RS256")
    other_kind = client.assertion(key=rsa.private, algorithm="RS256")
    longer = client.assertion(key=rsa.private, algorithm="RS512")
    stranger = client.assertion(key=Pair().private)
    for assertion in (unsigned, symmetric, other_kind, longer, stranger, "x", "a.b.c", "e" * 9000):
        status, body = await client.ask(assertion)
        assert (status, body["error"]) == (401, "invalid_client"), assertion


async def test_a_key_bound_to_one_algorithm_signs_no_other(town):
    pair = Pair("RS256")
    client = Client(town, pair)
    await client.register(jwks={"keys": [pair.jwk(alg="RS256")]})
    assert (await client.ask())[0] == 200
    assert (await client.ask(client.assertion(algorithm="PS256")))[0] == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"client_assertion_type": ""}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_request"),
        ({"client_assertion_type": "x"}, "invalid_client"),
        ({"scope": "refunds:write"}, "invalid_scope"),
        ({"client_id": "cl_" + "1" * 26}, "invalid_client"),
    ],
)
async def test_the_form_is_held_to_the_standard(client, form, error):
    status, body = await client.ask(**form)
    assert (status, body["error"]) == (401 if error == "invalid_client" else 400, error)


async def test_a_token_carries_the_scopes_that_were_asked_for(town, client):
    token = await client.token(scope="payments:read")
    assert (await town.ask("GET", PATH, headers=bearer(token))).status == 200
    assert (await town.ask("POST", PATH, BODY, headers=bearer(token))).status == 403


async def test_a_token_ends_and_so_does_what_a_disabled_client_holds(town, client):
    token = await client.token()
    assert (await town.ask("GET", PATH, headers=bearer(token))).status == 200
    town.clock.advance(minutes=10)
    assert (await town.ask("GET", PATH, headers=bearer(token))).status == 401
    token = await client.token()
    assert (await town.ask("GET", PATH, headers=bearer(token))).status == 200
    assert (await town.ask("POST", f"/v1/oauth-clients/{client.id}/disable")).status == 200
    assert (await town.ask("GET", PATH, headers=bearer(token))).status == 401
    assert (await client.ask())[0] == 401


async def test_a_token_of_ours_cannot_be_made_by_others(town, client):
    token = await client.token()
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = signing_key(b"x" * 32).private
    kid = town.deps.token_keys[0].kid
    forged = [
        f"{head}.{body}.{signature[:-4]}AAAA",
        jwt.encode(claims, other, algorithm="EdDSA", headers={"kid": kid, "typ": "at+jwt"}),
        jwt.encode(claims, None, algorithm="none", headers={"kid": kid, "typ": "at+jwt"}),
        jwt.encode(claims, "secret" * 8, algorithm="HS256", headers={"kid": kid, "typ": "at+jwt"}),
        client.assertion(),  # signed by the client itself
    ]
    ours = town.deps.token_keys[0].private
    forged += [
        jwt.encode({**claims, **changes}, ours, algorithm="EdDSA", headers={"kid": kid, "typ": "at+jwt"})
        for changes in ({"iss": "x"}, {"aud": "x"})
    ]
    forged.append(jwt.encode(claims, ours, algorithm="EdDSA", headers={"kid": kid}))  # no access token by its type
    for text in forged:
        with pytest.raises(UnauthenticatedError):
            await authenticate_token(town.deps, text)


async def test_our_own_key_is_rotated_without_refusing_anybody(town, client):
    old = await client.token()
    new_key = signing_key(b"n" * 32)
    rotated = replace(town.deps, token_keys=(new_key, *town.deps.token_keys), caller_cache={})
    assert (await authenticate_token(rotated, old)).id == client.id
    after = replace(town.deps, token_keys=(new_key,), caller_cache={})
    with pytest.raises(UnauthenticatedError):
        await authenticate_token(after, old)


@pytest.fixture
async def key_page():
    """A department's own address of its keys: what it says, and how often it was asked."""

    class Page:
        keys = ()
        status = 200
        asked = 0
        url = ""

    page = Page()

    async def serve(_):
        page.asked += 1
        return web.json_response({"keys": list(page.keys)}, status=page.status, headers={"Location": page.url})

    app = web.Application()
    app.router.add_get("/jwks", serve)
    server = TestServer(app)
    await server.start_server()
    page.url = str(server.make_url("/jwks"))
    yield page
    await server.close()


async def test_published_keys_are_fetched_and_their_rotation_is_seen(town, key_page):
    client = Client(town, Pair())
    key_page.keys = [client.pair.jwk()]
    await client.register(jwks=None, jwks_url=key_page.url)
    for _ in range(3):
        await client.token()
    assert key_page.asked == 1
    client.pair = Pair("EdDSA", "k2")
    key_page.keys = [client.pair.jwk()]
    assert (await client.ask())[0] == 401  # asked a moment ago: nobody makes us ask all day
    town.clock.advance(seconds=61)
    await client.token()
    assert key_page.asked == 2


async def test_published_keys_outlast_an_outage_of_an_hour_and_no_longer(town, key_page):
    client = Client(town, Pair())
    key_page.keys = [client.pair.jwk()]
    await client.register(jwks=None, jwks_url=key_page.url)
    await client.token()
    key_page.status = 500
    town.clock.advance(minutes=30)
    await client.token()
    town.clock.advance(minutes=31)
    assert (await client.ask())[0] == 401


async def test_a_redirect_to_keys_is_not_followed(town, key_page):
    key_page.status = 302
    client = Client(town, Pair())
    await client.register(jwks=None, jwks_url=key_page.url)
    assert (await client.ask())[0] == 401
    assert key_page.asked == 1


@pytest.mark.parametrize(
    "url", ["http://keys.example.ae/", "https://127.0.0.1/jwks", "https://intranet/", "ftp://keys"]
)
async def test_an_address_inside_is_never_asked_for_keys(open_town, url):
    session = open_webhook_session()
    town = await open_town(webhook_session=session, private_webhooks=False)
    body = {"label": "x", "scopes": ["payments:read"], "jwks_url": url}
    answer = await town.ask("POST", "/v1/oauth-clients", body)
    await session.close()
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/jwks_url")


async def test_keys_nobody_could_trust_are_refused(town):
    weak, pair = Pair("RS256"), Pair()
    weak.private = clients.rsa.generate_private_key(65537, 1024)
    curve = Pair()
    curve.private = clients.ec.generate_private_key(clients.ec.SECP384R1())
    private = json.loads(clients.ECAlgorithm.to_jwk(pair.private))
    sets = [
        {"keys": []}, {"keys": [weak.jwk()]}, {"keys": [curve.jwk()]}, {"keys": [private]}, {"keys": "x"}, {},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, {"keys": [pair.jwk(), pair.jwk()]},
        {"keys": [pair.jwk(use="enc")]},
        {"keys": [pair.jwk(kid="\u0000")]}, {"keys": [pair.jwk(x=7)]}, {"keys": [pair.jwk(x="AA")]},
    ]  # fmt: skip
    for jwks in sets:
        answer = await town.ask("POST", "/v1/oauth-clients", {"label": "x", "scopes": ["payments:read"], "jwks": jwks})
        assert (answer.status, answer.body["errors"][0]["pointer"][:5]) == (422, "/jwks"), jwks


async def test_registered_keys_are_replaced(town, client):
    new = Pair("EdDSA", "k2")
    answer = await town.ask("POST", f"/v1/oauth-clients/{client.id}/keys", {"jwks": {"keys": [new.jwk()]}})
    assert (answer.status, answer.body["jwks"]["keys"][0]["kid"]) == (200, "k2")
    assert (await client.ask())[0] == 401
    client.pair = new
    assert (await client.ask())[0] == 200


async def test_a_caller_gives_no_right_it_lacks(town):
    answer = await town.ask("POST", "/v1/api-keys", {"label": "x", "scopes": ["keys:write", "payments:read"]})
    by = bearer(answer.body["secret"])
    for path in ("/v1/api-keys", "/v1/oauth-clients"):
        body = {"label": "more", "scopes": ["refunds:write"]}
        if "oauth" in path:
            body["jwks"] = {"keys": [Pair().jwk()]}
        refused = await town.ask("POST", path, body, headers=by)
        assert (refused.status, refused.body["code"]) == (403, "missing_scope")


async def test_nobody_makes_itself_a_second_pair_of_eyes(town):
    """Whoever agrees to refunds is chosen by the operator, or one key could ask and its child agree."""
    asked = await town.ask("POST", "/v1/api-keys", {"label": "x", "scopes": ["refunds:approve"]})
    own = (await town.ask("GET", "/v1/api-keys")).body["data"][0]
    assert "refunds:approve" in own["scopes"]
    text, _ = await issue_key(town.deps, "economy", "other")
    by_another = {"Authorization": f"Bearer {text}"}
    rotated = await town.ask("POST", f"/v1/api-keys/{own['id']}/rotate", headers=by_another)
    assert [(each.status, each.body["code"]) for each in (asked, rotated)] == [(403, "missing_scope")] * 2


async def test_wrong_assertions_are_slowed_down_by_address(open_town):
    from gateway.deps import Limits

    town = await open_town(limits=Limits(wrong_guesses_per_minute=3))
    client = await Client(town, Pair()).register()
    statuses = [(await client.ask("a.b.c"))[0] for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    town.clock.advance(seconds=21)
    assert (await client.ask())[0] == 200


async def test_a_warm_credential_costs_less_than_a_tenth_of_a_millisecond(town, client):
    """However many there are: the look-up is one hash and one dictionary, in a cache as full as it gets."""
    from gateway.services.callers import caller_cache
    from gateway.services.callers.api_keys import authenticate

    token, key = await client.token(), town.keys["economy"]
    await authenticate_token(town.deps, token)
    mine = await authenticate(town.deps, key)
    for number in range(caller_cache.CACHE_MAX - 10):
        caller_cache.remember(town.deps, number.to_bytes(32), mine, town.clock() + timedelta(minutes=1))
    await authenticate(town.deps, key)
    for credential, check in ((token, authenticate_token), (key, authenticate)):
        best = 1.0
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(200):
                await check(town.deps, credential)
            best = min(best, (time.perf_counter() - begun) / 200)
        assert best < 0.000_1
