"""Versions of tariffs: proposed, decided, in force. A row is never changed but for its decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gateway.domain.tariff import Tariff
from gateway.domain.tariff_terms import read_terms, terms_document
from gateway.store.connections import Connection, Row, from_json, to_json


@dataclass(frozen=True, slots=True)
class Proposal:
    """One version with who made it and, once it is decided, who decided what."""

    tariff: Tariff
    reason: str
    maker: str
    made_at: datetime
    checker: str | None = None
    checked_at: datetime | None = None
    decision: str | None = None
    proposed_with: str | None = None
    """The credential of the department's system that proposed it, where one did."""


def _proposal(row: Row) -> Proposal:
    return Proposal(
        tariff=_tariff(row),
        reason=row["reason"],
        maker=row["maker"],
        made_at=row["made_at"],
        checker=row["checker"],
        checked_at=row["checked_at"],
        decision=row["decision"],
        proposed_with=row["proposed_with"],
    )


def _tariff(row: Row) -> Tariff:
    return Tariff(
        id=row["id"],
        service=row["service"],
        version=row["version"],
        effective_on=row["effective_on"],
        effective_at=row["effective_at"],
        legal_basis=row["legal_basis"],
        terms=read_terms(from_json(row["terms"])),
    )


async def current(connection: Connection, at: datetime, known: Mapping[str, Tariff]) -> dict[str, tuple[Tariff, ...]]:
    """Return per service the version in force at an instant and all approved later ones."""
    rows = await connection.fetch(
        """SELECT t.id, t.service FROM gateway.tariff t
            WHERE t.decision = 'approved' AND t.effective_at >= coalesce(
              (SELECT max(f.effective_at) FROM gateway.tariff f
                WHERE f.service = t.service AND f.decision = 'approved' AND f.effective_at <= $1), '-infinity')
            ORDER BY t.service, t.effective_at""",
        at,
    )
    news = await read_many(connection, [row["id"] for row in rows if row["id"] not in known])
    found: dict[str, list[Tariff]] = defaultdict(list)
    for row in rows:
        found[row["service"]].append(known.get(row["id"]) or news[row["id"]])
    return {service: tuple(versions) for service, versions in found.items()}


async def read_many(connection: Connection, tariff_ids: Iterable[str]) -> dict[str, Tariff]:
    wanted = sorted(set(tariff_ids))
    if not wanted:
        return {}
    rows = await connection.fetch(
        """SELECT id, service, version, effective_on, effective_at, legal_basis, terms FROM gateway.tariff
            WHERE id = ANY ($1::text[])""",
        wanted,
    )
    return {row["id"]: _tariff(row) for row in rows}


async def hold(connection: Connection, services: Sequence[str]) -> None:
    """Lock services against other proposals and decisions, until this transaction ends."""
    await connection.execute(
        "SELECT 1 FROM gateway.service WHERE code = ANY ($1::text[]) ORDER BY code FOR UPDATE", sorted(set(services))
    )


async def last_versions(connection: Connection, services: Sequence[str]) -> dict[str, int]:
    """Return the last version of each service, 0 where there is none.

    Ask once the services are held, in a statement of its own: the one that waited sees the rows as they were before.
    """
    rows = await connection.fetch(
        """SELECT s.code, coalesce(max(t.version), 0) AS last
             FROM unnest($1::text[]) AS s (code) LEFT JOIN gateway.tariff t ON t.service = s.code GROUP BY s.code""",
        sorted(set(services)),
    )
    return {row["code"]: row["last"] for row in rows}


async def currencies(connection: Connection, services: Sequence[str], own: str | None) -> dict[str, str]:
    """Return what services on offer are charged in; with `own`, those of that department alone."""
    rows = await connection.fetch(
        """SELECT s.code, s.currency FROM gateway.service s JOIN gateway.department d ON d.code = s.department
            WHERE s.active AND d.active AND s.code = ANY ($1::text[]) AND ($2::text IS NULL OR s.department = $2)""",
        sorted(set(services)),
        own,
    )
    return {row["code"]: row["currency"] for row in rows}


async def insert(connection: Connection, proposals: Iterable[Proposal]) -> None:
    await connection.executemany(
        """INSERT INTO gateway.tariff
                  (id, service, version, effective_on, effective_at, terms, legal_basis, reason, maker, made_at,
                   proposed_with)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        [
            (
                p.tariff.id, p.tariff.service, p.tariff.version, p.tariff.effective_on, p.tariff.effective_at,
                to_json(terms_document(p.tariff.terms)), p.tariff.legal_basis, p.reason, p.maker, p.made_at,
                p.proposed_with,
            )
            for p in proposals
        ],
    )  # fmt: skip


async def lock(connection: Connection, tariff_ids: Sequence[str]) -> dict[str, Proposal]:
    rows = await connection.fetch(
        "SELECT * FROM gateway.tariff WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE", sorted(set(tariff_ids))
    )
    return {row["id"]: _proposal(row) for row in rows}


async def begun(connection: Connection, services: Sequence[str]) -> dict[str, list[tuple[datetime, date]]]:
    """Return when each service's approved versions begin."""
    rows = await connection.fetch(
        """SELECT service, effective_at, effective_on FROM gateway.tariff
            WHERE service = ANY ($1::text[]) AND decision = 'approved' ORDER BY service, effective_at""",
        sorted(set(services)),
    )
    found: dict[str, list[tuple[datetime, date]]] = defaultdict(list)
    for row in rows:
        found[row["service"]].append((row["effective_at"], row["effective_on"]))
    return found


async def decide(connection: Connection, tariff_ids: Sequence[str], decision: str, by: str, at: datetime) -> None:
    await connection.execute(
        """UPDATE gateway.tariff SET decision = $2, checker = $3, checked_at = $4 WHERE id = ANY ($1::text[])""",
        list(tariff_ids),
        decision,
        by,
        at,
    )


async def undecided(connection: Connection, limit: int) -> list[Proposal]:
    rows = await connection.fetch(
        "SELECT * FROM gateway.tariff WHERE decision IS NULL ORDER BY made_at, service, version LIMIT $1", limit
    )
    return [_proposal(row) for row in rows]


async def history(connection: Connection, service: str) -> list[Proposal]:
    """Return all versions of a service's tariff, the refused ones too."""
    rows = await connection.fetch("SELECT * FROM gateway.tariff WHERE service = $1 ORDER BY version", service)
    return [_proposal(row) for row in rows]


async def approved(connection: Connection, department: str | None = None) -> list[Proposal]:
    """Return every approved version of every service, of one department where one is named, for an export."""
    rows = await connection.fetch(
        """SELECT t.* FROM gateway.tariff t JOIN gateway.service s ON s.code = t.service
            WHERE t.decision = 'approved' AND ($1::text IS NULL OR s.department = $1)
            ORDER BY t.service, t.effective_at""",
        department,
    )
    return [_proposal(row) for row in rows]


async def page(
    connection: Connection,
    department: str,
    service: str | None,
    decision: str | None,
    *,
    before: str | None,
    limit: int,
) -> list[Proposal]:
    """Return a department's versions, newest first, below a cursor; a decision may be `undecided`."""
    rows = await connection.fetch(
        """SELECT t.* FROM gateway.tariff t JOIN gateway.service s ON s.code = t.service
            WHERE s.department = $1 AND ($2::text IS NULL OR t.service = $2)
              AND ($3::text IS NULL OR coalesce(t.decision, 'undecided') = $3) AND ($4::text IS NULL OR t.id < $4)
            ORDER BY t.id DESC LIMIT $5""",
        department,
        service,
        decision,
        before,
        limit,
    )
    return [_proposal(row) for row in rows]


async def own(connection: Connection, department: str, tariff_id: str) -> Proposal | None:
    """Return one version, where it is of a service of this department."""
    row = await connection.fetchrow(
        """SELECT t.* FROM gateway.tariff t JOIN gateway.service s ON s.code = t.service
            WHERE t.id = $1 AND s.department = $2""",
        tariff_id,
        department,
    )
    return _proposal(row) if row else None
