"""What it costs to know who calls, and the tokens that are measured with."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

import jwt

from gateway.deps import Deps
from gateway.domain.caller import Scope
from gateway.domain.signing import signing_key
from gateway.services.callers import caller_cache
from gateway.services.callers.access_tokens import ASSERTION_TYPE, GRANT, authenticate_token, grant_token
from gateway.services.callers.api_keys import authenticate
from gateway.services.callers.oauth_clients import add_client
from ops.bench.figures import Figure, absolute

_CALLS: Final = 5_000


async def bench_tokens(deps: Deps, department: str, count: int) -> list[str]:
    """Register a client and let it get tokens the way a department's system does."""
    pair = signing_key(b"a client of the measurement only")
    scopes = [scope.value for scope in Scope]
    client = await add_client(deps, department, "bench", scopes, {"keys": [dict(pair.jwk())]}, None)
    tokens = []
    for number in range(count):
        now = deps.clock()
        claims = {
            "iss": client.id, "sub": client.id, "aud": deps.public_url, "jti": f"bench-{number}",
            "exp": int((now + timedelta(minutes=2)).timestamp()),
        }  # fmt: skip
        assertion = jwt.encode(claims, pair.private, algorithm="EdDSA", headers={"kid": pair.kid})
        form = {"grant_type": GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        tokens.append(str((await grant_token(deps, form))["access_token"]))
    return tokens


async def authentication_ms(deps: Deps, key: str, token: str) -> list[Figure]:
    """Measure one check of a warm credential, with the cache as full as it gets."""
    mine = await authenticate(deps, key)
    good_until = deps.clock() + timedelta(minutes=1)
    for number in range(caller_cache.CACHE_MAX - 2):
        caller_cache.remember(deps, number.to_bytes(32), mine, good_until)
    figures = []
    for title, check, credential in (("API key", authenticate, key), ("access token", authenticate_token, token)):
        await check(deps, credential)
        begun = time.perf_counter()
        for _ in range(_CALLS):
            await check(deps, credential)
        spent_ms = (time.perf_counter() - begun) / _CALLS * 1_000
        figures.append(absolute(f"knowing the caller by {title}, warm, 50,000 known", spent_ms, "ms", at_most=0.1))
    return figures
