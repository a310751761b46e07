"""Where webhooks may go: https, port 443, a public host name, and no address inside our own network."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from gateway.domain.department import origin_of
from gateway.domain.errors import InvalidError

URL_MAX: Final = 500
_HTTPS_PORT: Final = 443
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


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


def check_webhook_url(url: str, *, private: bool = False) -> None:
    """Refuse a URL webhooks cannot go to. `private` admits plain http and inner addresses: a demonstration's own."""
    if len(url) > URL_MAX:
        raise InvalidError(f"at most {URL_MAX} characters", pointer="/url")
    try:
        origin_of(url)
    except InvalidError as error:
        raise InvalidError(error.detail, pointer="/url") from None
    if private:
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    # A name's last label never begins with a digit; 127.0.0.1, 0x7f.1 and 2130706433 all do, and no resolver sees them.
    last_label = host.rstrip(".").rpartition(".")[2]
    is_name = "." in host and ":" not in host and not last_label[:1].isdigit()
    if parts.scheme != "https" or parts.port not in (None, _HTTPS_PORT) or not is_name:
        raise InvalidError("webhooks go to https, port 443, at a public host name", pointer="/url")
