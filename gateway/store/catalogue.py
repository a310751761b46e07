"""Departments, services, bundles and their tariffs: small tables, read whole, kept for half a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.domain.department import Audience, Bundle, Channel, Department, FeeBearer, Names, Service
from gateway.domain.tariff import Tariff
from gateway.store import bundles, tariffs
from gateway.store.connections import Connection, from_json, to_json

AGE_MAX: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All departments and services that may be charged for, as they stood at one instant."""

    departments: Mapping[str, Department]
    services: Mapping[str, Service]
    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    tariffs: Mapping[str, tuple[Tariff, ...]] = field(default_factory=dict)
    """Per service the version in force and those to come, by their beginning."""


async def has_department(connection: Connection, code: str) -> bool:
    """Say whether a department was ever imported, in use or not."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM gateway.department WHERE code = $1)", code)
    return found


class Price(NamedTuple):
    """What the catalogue itself says a service costs, its fields named as the file's columns."""

    currency: str
    amount_minor: int | None
    vat_basis_points: int


async def read(connection: Connection, at: datetime, known: Mapping[str, Tariff]) -> Catalogue:
    """Read everything; tariffs in `known`, by id, are not read again, because they never change."""
    departments = await connection.fetch(
        """SELECT code, name_ar, name_en, return_origins, vat_registration, fee_bearer, reminder_minutes,
                  refund_limits
             FROM gateway.department WHERE active ORDER BY code"""
    )
    services = await connection.fetch(
        """SELECT s.code, s.department, s.name_ar, s.name_en, s.revenue_code, s.currency, s.amount_minor,
                  s.vat_basis_points, s.description_ar, s.description_en, s.audience, s.channels, s.documents,
                  s.depends_on
             FROM gateway.service s JOIN gateway.department d ON d.code = s.department
            WHERE s.active AND d.active ORDER BY s.department, s.code"""
    )
    return Catalogue(
        {
            row["code"]: Department(
                code=row["code"],
                names=Names(row["name_ar"], row["name_en"]),
                return_origins=tuple(row["return_origins"]),
                vat_registration=row["vat_registration"],
                fee_bearer=FeeBearer(row["fee_bearer"]),
                reminder_minutes=row["reminder_minutes"],
                refund_limits=from_json(row["refund_limits"]),
            )
            for row in departments
        },
        {
            row["code"]: Service(
                code=row["code"],
                department=row["department"],
                names=Names(row["name_ar"], row["name_en"]),
                revenue_code=row["revenue_code"],
                currency=row["currency"],
                amount_minor=row["amount_minor"],
                vat_basis_points=row["vat_basis_points"],
                descriptions=Names(row["description_ar"], row["description_en"]),
                audience=tuple(Audience(one) for one in row["audience"]),
                channels=tuple(Channel(one) for one in row["channels"]),
                documents=tuple(Names(one["ar"], one["en"]) for one in from_json(row["documents"])),
                depends_on=tuple(row["depends_on"]),
            )
            for row in services
        },
        await bundles.read(connection),
        await tariffs.current(connection, at, known),
    )


async def hold(connection: Connection) -> None:
    """Let nobody else change the catalogue until this transaction ends. Payments go on: they only need the rows."""
    await connection.execute("SELECT 1 FROM gateway.department ORDER BY code FOR NO KEY UPDATE")


async def owners(connection: Connection, services: Iterable[str], bundles: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return whose the services and bundles of these codes are, by table and code, the retired ones too."""
    rows = await connection.fetch(
        """SELECT 'services' AS place, code, department FROM gateway.service WHERE code = ANY ($1::text[])
           UNION ALL
           SELECT 'bundles', code, department FROM gateway.bundle WHERE code = ANY ($2::text[])""",
        sorted(set(services)),
        sorted(set(bundles)),
    )
    return {(row["place"], row["code"]): row["department"] for row in rows}


async def save_departments(connection: Connection, departments: Iterable[Department], at: datetime) -> None:
    await connection.executemany(
        """INSERT INTO gateway.department AS d
                  (code, name_ar, name_en, return_origins, vat_registration, fee_bearer, reminder_minutes,
                   refund_limits, active, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, true, $9)
           ON CONFLICT (code) DO UPDATE SET
             name_ar = excluded.name_ar, name_en = excluded.name_en, return_origins = excluded.return_origins,
             vat_registration = excluded.vat_registration, fee_bearer = excluded.fee_bearer,
             reminder_minutes = excluded.reminder_minutes, refund_limits = excluded.refund_limits, active = true,
             updated_at = excluded.updated_at""",
        [
            (
                d.code, d.names.ar, d.names.en, list(d.return_origins), d.vat_registration, d.fee_bearer.value,
                d.reminder_minutes, to_json(d.refund_limits), at,
            )
            for d in departments
        ],
    )  # fmt: skip


async def prices(connection: Connection, services: Iterable[str]) -> dict[str, Price]:
    """Return what the catalogue says services cost, retired ones too."""
    rows = await connection.fetch(
        """SELECT code, currency, amount_minor, vat_basis_points FROM gateway.service
            WHERE code = ANY ($1::text[])""",
        sorted(set(services)),
    )
    return {row["code"]: Price(row["currency"], row["amount_minor"], row["vat_basis_points"]) for row in rows}


async def save_services(connection: Connection, services: Iterable[Service], at: datetime) -> None:
    """Write services. The price of one that is there already stays: tariffs alone change it, by two people."""
    await connection.executemany(
        """INSERT INTO gateway.service AS s
                  (code, department, name_ar, name_en, revenue_code, currency, amount_minor, vat_basis_points, active,
                   updated_at, description_ar, description_en, audience, channels, documents, depends_on)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
           ON CONFLICT (code) DO UPDATE SET
             department = excluded.department, name_ar = excluded.name_ar, name_en = excluded.name_en,
             revenue_code = excluded.revenue_code, active = excluded.active, updated_at = excluded.updated_at,
             description_ar = excluded.description_ar, description_en = excluded.description_en,
             audience = excluded.audience, channels = excluded.channels, documents = excluded.documents,
             depends_on = excluded.depends_on""",
        [
            (
                s.code, s.department, s.names.ar, s.names.en, s.revenue_code, s.currency, s.amount_minor,
                s.vat_basis_points, s.active, at, s.descriptions.ar, s.descriptions.en, list(s.audience),
                list(s.channels), to_json([{"ar": one.ar, "en": one.en} for one in s.documents]), list(s.depends_on),
            )
            for s in services
        ],
    )  # fmt: skip


class CatalogueCache:
    """The catalogue at most half a minute old; callers that find it stale together read it once."""

    def __init__(
        self, connect: Callable[[], AbstractAsyncContextManager[Connection]], clock: Callable[[], datetime]
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._lock = asyncio.Lock()
        self._catalogue = Catalogue({}, {})
        self._read_at: datetime | None = None

    async def get(self) -> Catalogue:
        if not self._fresh():
            async with self._lock:
                if not self._fresh():
                    async with self._connect() as connection:
                        self._catalogue = await read(connection, self._clock(), self._tariffs())
                    self._read_at = self._clock()
        return self._catalogue

    async def fresh(self, connection: Connection) -> Catalogue:
        """Read it within the caller's transaction, for whoever is about to change it."""
        return await read(connection, self._clock(), self._tariffs())

    def forget(self) -> None:
        """Read again at the next use: the catalogue has just been changed."""
        self._read_at = None

    def _tariffs(self) -> dict[str, Tariff]:
        return {one.id: one for versions in self._catalogue.tariffs.values() for one in versions}

    def _fresh(self) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < AGE_MAX
