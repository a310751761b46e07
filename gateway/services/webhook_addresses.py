"""Where webhooks may go: public addresses, over https, and nowhere inside our own network.

The check stands in the resolver, so that it is made at every delivery and the connection goes to exactly the
addresses that were checked: a name that points outside while registered and inside while delivering gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from gateway.domain.department import origin_of
from gateway.domain.errors import InvalidError

URL_MAX: Final = 500
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressRefusedError(OSError):
    """The name resolves to an address webhooks must not reach."""


def is_public(address: str) -> bool:
    """Tell whether an address is on the public internet, whatever it is wrapped in."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast


def check_url(url: str, allowed_hosts: Iterable[str] = ()) -> None:
    """Refuse a URL webhooks cannot be delivered to; `allowed_hosts` are exempt, for demonstrations and tests."""
    if len(url) > URL_MAX:
        raise InvalidError(f"at most {URL_MAX} characters", pointer="/url")
    try:
        origin_of(url)
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except (InvalidError, ValueError) as error:
        detail = error.detail if isinstance(error, InvalidError) else "this is not a URL"
        raise InvalidError(detail, pointer="/url") from None
    if host in set(allowed_hosts):
        return
    if parts.scheme != "https" or port not in (None, 443) or _is_literal(host) or "." not in host:
        raise InvalidError("webhooks go to https, port 443, at a public host name", pointer="/url")


class PublicResolver(AbstractResolver):
    """Resolves names as the system does, and refuses every answer that holds an address of an inner network."""

    def __init__(self, allowed_hosts: Iterable[str] = (), resolver: AbstractResolver | None = None) -> None:
        self._allowed = frozenset(allowed_hosts)
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = await self._resolver.resolve(host, port, family)
        if host not in self._allowed and not all(is_public(answer["host"]) for answer in answers):
            raise AddressRefusedError(f"{host} resolves to an address webhooks must not reach")
        return answers

    async def close(self) -> None:
        await self._resolver.close()


def open_webhook_session(allowed_hosts: Iterable[str] = ()) -> aiohttp.ClientSession:
    """Open the one session webhooks are delivered with: checked names, no proxies, no cookies."""
    connector = aiohttp.TCPConnector(
        resolver=PublicResolver(allowed_hosts), use_dns_cache=False, limit=64, limit_per_host=4
    )
    return aiohttp.ClientSession(connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())


def _is_literal(host: str) -> bool:
    """Tell an address from a name. aiohttp asks no resolver about an address, so addresses are refused by form."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # 0x7f.1, 2130706433 and 127.1 are addresses too, to the C library.
        return host.rstrip(".").rpartition(".")[2].lower().removeprefix("0x").isalnum() and (
            host.rstrip(".").rpartition(".")[2][:1].isdigit()
        )
    return True
