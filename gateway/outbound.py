"""The session webhooks are delivered with.

The check of addresses stands in the resolver, so that it is made at every delivery and the connection goes to exactly
the addresses that were checked: a name that points outside when registered and inside when called gains nothing.
"""

from __future__ import annotations

import socket
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from gateway.domain.addresses import is_public

_CONNECTIONS_MAX: Final = 64
_CONNECTIONS_PER_HOST_MAX: Final = 4


class AddressRefusedError(OSError):
    """The name resolves to an address webhooks must not reach."""


class PublicResolver(AbstractResolver):
    """Resolves names as the system does, and refuses every answer that holds an inner address."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = await self._resolver.resolve(host, port, family)
        if not all(is_public(answer["host"]) for answer in answers):
            raise AddressRefusedError(f"{host} resolves to an address webhooks must not reach")
        return answers

    async def close(self) -> None:
        await self._resolver.close()


def open_webhook_session(*, private: bool = False) -> aiohttp.ClientSession:
    """Open the session: checked names, no proxies, no cookies. `private` is for demonstrations and tests."""
    connector = aiohttp.TCPConnector(
        resolver=ThreadedResolver() if private else PublicResolver(),
        use_dns_cache=False,
        limit=_CONNECTIONS_MAX,
        limit_per_host=_CONNECTIONS_PER_HOST_MAX,
    )
    return aiohttp.ClientSession(connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
