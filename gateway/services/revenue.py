"""Revenue and satisfaction as whoever governs wants to see them; every sum is one of the books'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from adapters.contract import Method
from gateway.store import revenue as store


class Channel(StrEnum):
    """How the payer came: by themselves over a screen, by their bank, or to a counter."""

    ONLINE = "online"
    BANK_TRANSFER = "bank_transfer"
    COUNTER = "counter"


_CHANNELS: Final[Mapping[str, Channel]] = {
    Method.CARD.value: Channel.ONLINE,
    Method.MOBILE.value: Channel.ONLINE,
    Method.BANK.value: Channel.ONLINE,
    Method.BANK_TRANSFER.value: Channel.BANK_TRANSFER,
}
ELECTRONIC: Final = frozenset({Channel.ONLINE, Channel.BANK_TRANSFER})


def channel_of(method: str) -> Channel:
    """Tell the channel from the method; what no screen and no bank takes was taken at a counter."""
    return _CHANNELS.get(method, Channel.COUNTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Business dates, and the instants between which what moved them was recorded."""

    since: date
    until: date
    recorded_since: datetime
    known: datetime


@dataclass(frozen=True, slots=True)
class Revenue:
    """What one service brought under one code by one method from one audience; VAT is inside what was collected."""

    currency: str
    department: str
    service: str
    name_en: str
    name_ar: str
    revenue_code: str
    method: str
    audience: tuple[str, ...]
    payments: int
    collected_minor: int
    refunded_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True)
class DayOfMethod:
    """What one method brought on one business date."""

    business_date: date
    currency: str
    method: str
    payments: int
    collected_minor: int
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How payers of one service by one method rated it; `scores` counts ones to fives."""

    service: str
    name_en: str
    name_ar: str
    method: str
    ratings: int
    points: int
    scores: tuple[int, int, int, int, int]


async def revenue_by_service(connection: Any, period: Period) -> list[Revenue]:
    """Read a period's revenue in its finest grain."""
    rows = await store.by_service(connection, period.since, period.until, period.recorded_since, period.known)
    return [
        Revenue(
            row["currency"], row["department"], row["service"], row["name_en"], row["name_ar"], row["revenue_code"],
            row["method"], tuple(msgspec.json.decode(row["audience"], type=list[str])), row["payments"],
            row["collected_minor"], row["refunded_minor"], row["vat_minor"],
        )
        for row in rows
    ]  # fmt: skip


async def revenue_by_date(connection: Any, period: Period) -> list[DayOfMethod]:
    """Read a period's revenue by date and method."""
    rows = await store.by_date(connection, period.since, period.until, period.recorded_since, period.known)
    return [
        DayOfMethod(
            row["business_date"], row["currency"], row["method"], row["payments"], row["collected_minor"],
            row["refunded_minor"],
        )
        for row in rows
    ]  # fmt: skip


async def revenue_in_books(connection: Any, period: Period) -> dict[str, int]:
    """Read what the ledger says of the same period: payments less refunds, by currency."""
    return await store.sum_of_books(connection, period.since, period.until, period.recorded_since, period.known)


async def satisfaction(connection: Any, since: datetime, before: datetime, known: datetime) -> list[Satisfaction]:
    """Read the ratings given from one instant to before another."""
    return [
        Satisfaction(
            row["service"], row["name_en"], row["name_ar"], row["method"], row["ratings"], row["points"],
            (row["ones"], row["twos"], row["threes"], row["fours"], row["fives"]),
        )
        for row in await store.ratings(connection, since, before, known)
    ]  # fmt: skip


class RevenueCodes:
    """Tells the night which revenue codes a payment or refund is made of, from the rows it may not read itself."""

    async def weights(self, connection: Any, department: str, references: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return, for each journal reference that is a payment's or a refund's, the minor units of each code."""
        found: dict[str, dict[str, int]] = {}
        for row in await store.codes_of(connection, department, references):
            found.setdefault(row["reference"], {})[row["revenue_code"]] = row["amount_minor"]
        return found
