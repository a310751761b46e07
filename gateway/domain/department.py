"""A department of the government, its services, and what it registered with us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from gateway.domain.errors import InvalidError
from gateway.domain.rounding import vat_inside


class FeeBearer(StrEnum):
    """Who bears the provider's fee, by each department's contract."""

    TREASURY = "treasury"
    DEPARTMENT = "department"
    PAYER = "payer"


class Names(msgspec.Struct, frozen=True):
    """A name in both languages of the service."""

    ar: str
    en: str


@dataclass(frozen=True, slots=True)
class Department:
    code: str
    names: Names
    return_origins: tuple[str, ...]
    vat_registration: str | None
    fee_bearer: FeeBearer
    reminder_minutes: int | None = None
    """How long before a bill's link ends its payer is reminded, if at all."""
    refund_limits: Mapping[str, int] = field(default_factory=dict)
    """What one person may give back, in minor units by currency; above it a second one must agree."""


class Audience(StrEnum):
    """Whom a service is for."""

    CITIZENS = "citizens"
    RESIDENTS = "residents"
    BUSINESS = "business"
    VISITORS = "visitors"


class Channel(StrEnum):
    """Where a service can be had."""

    WEB = "web"
    APP = "app"
    COUNTER = "counter"
    KIOSK = "kiosk"
    PHONE = "phone"


NOTHING_SAID: Final = Names("", "")


@dataclass(frozen=True, slots=True)
class Service:
    """One thing a department charges for. Without an amount and a tariff, the department names it on each intent."""

    code: str
    department: str
    names: Names
    revenue_code: str
    currency: str
    amount_minor: int | None
    vat_basis_points: int
    active: bool = True
    descriptions: Names = NOTHING_SAID
    audience: tuple[Audience, ...] = ()
    channels: tuple[Channel, ...] = ()
    documents: tuple[Names, ...] = ()
    """What an applicant brings along."""
    depends_on: tuple[str, ...] = ()
    """Services that have to be had first."""

    def vat_minor(self, amount_minor: int) -> int:
        """Return the VAT included in an amount."""
        return vat_inside(amount_minor, self.vat_basis_points)


@dataclass(frozen=True, slots=True)
class BundleItem:
    service: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """Several services of several departments, paid at once; its owner alone may ask for it."""

    code: str
    department: str
    names: Names
    items: tuple[BundleItem, ...]
    descriptions: Names = NOTHING_SAID
    active: bool = True


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"https": 443, "http": 80}


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]` of an absolute URL, lower case, without a default port.

    Refuses what browsers read differently from us: backslashes, user names, control and non-ASCII characters, empty
    hosts. Plain http is accepted for loopback only, where a developer's machine runs.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidError("a URL has printable ASCII characters only and no backslash")
    try:
        parts: SplitResult = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidError("this is not a URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        raise InvalidError("a URL starts with https:// and a host, and carries no user name")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise InvalidError("plain http is only for a developer's own machine")
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{shown}{suffix}"


def check_return_url(url: str, department: Department) -> None:
    """Refuse to send a citizen anywhere the department has not registered."""
    if origin_of(url) not in department.return_origins:
        raise InvalidError("the URL's origin is not registered for this department")
