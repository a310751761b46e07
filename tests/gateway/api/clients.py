"""An OAuth client as a department's developer would write it: keys of any kind, assertions as wrong as asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.services.callers.oauth_clients import add_client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAKERS = {
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "PS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPAlgorithm),
}


@dataclass
class Pair:
    algorithm: str = "ES256"
    kid: str | None = "k1"
    private: Any = None

    def __post_init__(self):
        self.private = self.private or _MAKERS[self.algorithm][0]()

    def jwk(self, **changes):
        public = json.loads(_MAKERS[self.algorithm][1].to_jwk(self.private.public_key()))
        public.pop("key_ops", None)
        if self.kid is not None:
            public["kid"] = self.kid
        return {**public, **changes}


@dataclass
class Client:
    """Signs as a client of the town."""

    town: Any
    pair: Pair
    id: str = ""
    _count: list[int] = field(default_factory=lambda: [0])

    async def register(self, scopes=("payments:read", "payments:write"), **changes):
        body = {"label": "case system", "scopes": list(scopes), "jwks": {"keys": [self.pair.jwk()]}, **changes}
        answer = await self.town.ask("POST", "/v1/oauth-clients", body)
        assert answer.status == 201, answer.body
        self.id = answer.body["id"]
        return self

    async def add(self, department, scopes):
        """Be registered by the operator, who may give any scope."""
        keys = {"keys": [self.pair.jwk()]}
        self.id = (await add_client(self.town.deps, department, "case system", scopes, keys, None)).id
        return self

    def claims(self, **changes):
        self._count[0] += 1
        now = self.town.clock()
        issued = {
            "iss": self.id,
            "sub": self.id,
            "aud": self.town.deps.public_url,
            "jti": f"jti-{self._count[0]}",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=2)).timestamp()),
        }
        return {name: value for name, value in {**issued, **changes}.items() if value is not None}

    def assertion(self, *, headers=None, key=None, algorithm=None, **changes):
        named = {"kid": self.pair.kid} if self.pair.kid else {}
        return jwt.encode(
            self.claims(**changes),
            key or self.pair.private,
            algorithm=algorithm or self.pair.algorithm,
            headers={**named, **(headers or {})},
        )

    async def ask(self, assertion=None, **form):
        sent = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
            **form,
        }
        url = f"{self.town.url}/v1/oauth/token"
        async with self.town.session.post(url, data=sent) as response:
            return response.status, await response.json(content_type=None)

    async def token(self, **form):
        status, body = await self.ask(**form)
        assert status == 200, body
        return body["access_token"]
