"""Bundles and the services in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from gateway.domain.department import Bundle, BundleItem, Names
from gateway.store.connections import Connection


async def read(connection: Connection) -> dict[str, Bundle]:
    """Return the bundles that may be asked for: those whose services are all on offer."""
    found = await connection.fetch(
        """SELECT b.code, b.department, b.name_ar, b.name_en, b.description_ar, b.description_en
             FROM gateway.bundle b JOIN gateway.department d ON d.code = b.department
            WHERE b.active AND d.active AND NOT EXISTS (
              SELECT 1 FROM gateway.bundle_item i JOIN gateway.service s ON s.code = i.service
                JOIN gateway.department o ON o.code = s.department
               WHERE i.bundle = b.code AND NOT (s.active AND o.active))
            ORDER BY b.code"""
    )
    items: dict[str, list[BundleItem]] = defaultdict(list)
    for row in await connection.fetch(
        "SELECT bundle, service, quantity FROM gateway.bundle_item ORDER BY bundle, number"
    ):
        items[row["bundle"]].append(BundleItem(row["service"], row["quantity"]))
    return {
        row["code"]: Bundle(
            code=row["code"],
            department=row["department"],
            names=Names(row["name_ar"], row["name_en"]),
            items=tuple(items[row["code"]]),
            descriptions=Names(row["description_ar"], row["description_en"]),
        )
        for row in found
    }


async def save(connection: Connection, bundles: Iterable[Bundle], at: datetime) -> None:
    """Write bundles, each with exactly the services it now has."""
    saved = list(bundles)
    await connection.executemany(
        """INSERT INTO gateway.bundle AS b
                  (code, department, name_ar, name_en, description_ar, description_en, active, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (code) DO UPDATE SET
             department = excluded.department, name_ar = excluded.name_ar, name_en = excluded.name_en,
             description_ar = excluded.description_ar, description_en = excluded.description_en,
             active = excluded.active, updated_at = excluded.updated_at""",
        [
            (b.code, b.department, b.names.ar, b.names.en, b.descriptions.ar, b.descriptions.en, b.active, at)
            for b in saved
        ],
    )
    await connection.execute("DELETE FROM gateway.bundle_item WHERE bundle = ANY ($1::text[])", [b.code for b in saved])
    await connection.executemany(
        "INSERT INTO gateway.bundle_item (bundle, number, service, quantity) VALUES ($1, $2, $3, $4)",
        [(b.code, number, i.service, i.quantity) for b in saved for number, i in enumerate(b.items, 1)],
    )
