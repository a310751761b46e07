"""Who tries links, receipts and credentials that are not ours, counted per client address.

What is right is always served, also to an address that guesses: many citizens share one address, and a link carries
128 bits nobody finds by trying. What is limited is the trying, and what it costs us.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from aiohttp import web

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.errors import RateLimitedError
from gateway.web.rates import Rates

_BUCKETS_MAX: Final = 20_000
_FORWARDED_MAX: Final = 20
_KIND: Final = "guess"


class Guesses:
    """Counts wrong tries in bounded memory; an address that makes none is never in it."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._rates = Rates(buckets_max=_BUCKETS_MAX)

    def note(self, request: web.Request) -> int | None:
        """Count a wrong try; return how long to stay away when there were too many."""
        rate = self._rates.take(self._name(request), self._deps.limits.wrong_guesses_per_minute, self._now_s())
        if not rate.refused:
            return None
        metrics.REFUSED.labels("guessing").inc()
        return rate.reset_s

    def check(self, request: web.Request) -> None:
        """Refuse an address that tried too often, before work is done for it."""
        wait_s = self._rates.is_empty(self._name(request), self._deps.limits.wrong_guesses_per_minute, self._now_s())
        if wait_s is not None:
            metrics.REFUSED.labels("guessing").inc()
            raise RateLimitedError("too many wrong tries came from this address", retry_after_s=wait_s)

    def _name(self, request: web.Request) -> tuple[str, str]:
        return _KIND, client_address(request, self._deps)

    def _now_s(self) -> float:
        return self._deps.clock().timestamp()


def client_address(request: web.Request, deps: Deps) -> str:
    """Return the client's address: the nearest one that is not a proxy of ours. IPv6 counts by its /64 network."""
    address = request.remote or ""
    if deps.trusted_proxies and _is_proxy(address, deps):
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")[-_FORWARDED_MAX:]
        for each in reversed([part.strip() for part in forwarded if part.strip()]):
            address = each
            if not _is_proxy(each, deps):
                break
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _is_proxy(address: str, deps: Deps) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip.version == network.version and ip in network for network in deps.trusted_proxies)


GUESSES: Final = web.AppKey("guesses", Guesses)
