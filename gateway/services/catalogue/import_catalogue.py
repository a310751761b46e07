"""The catalogue from files: every bad line is reported, and nothing is imported while there is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.deps import Deps
from gateway.domain.department import Bundle, Service
from gateway.services.catalogue.catalogue_rows import (
    LineFault,
    Row,
    read_bundle,
    read_csv,
    read_department,
    read_json,
    read_rows,
    read_service,
)
from gateway.services.catalogue.foreign_rows import Numbered, foreign_faults
from gateway.store import bundles as bundle_rows
from gateway.store import catalogue as catalogue_rows
from gateway.store import payment_links
from gateway.store.catalogue import Price
from gateway.store.connections import Connection

__all__ = ["Imported", "LineFault", "import_catalogue", "read_csv", "read_json"]

_BY_TARIFF: Final = "to change what it costs, propose a tariff, which a second person approves"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported, or would have been, and what stands in the way."""

    departments: int
    services: int
    faults: tuple[LineFault, ...] = ()
    bundles: int = 0
    notes: tuple[LineFault, ...] = ()
    """What somebody should know who imports this; nothing of it stands in the way."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The rows of a catalogue, as files or a request bring them."""

    departments: Iterable[Row] = ()
    services: Iterable[Row] = ()
    bundles: Iterable[Row] = ()


async def import_catalogue(
    deps: Deps,
    departments: Iterable[Row],
    services: Iterable[Row],
    bundles: Iterable[Row] = (),
    *,
    dry_run: bool = False,
) -> Imported:
    """Import departments, services and bundles, in one transaction. What the files do not name stays as it is."""
    async with deps.transaction() as connection:
        result = await import_within(deps, connection, Tables(departments, services, bundles), dry_run=dry_run)
    if not dry_run:
        deps.catalogue.forget()
    return result


async def import_within(
    deps: Deps, connection: Connection, tables: Tables, *, dry_run: bool, own: str | None = None
) -> Imported:
    """Import in the caller's transaction; with `own`, nothing but that department's services and bundles."""
    faults: list[LineFault] = []
    new_departments = [one for _, one in read_rows("departments", tables.departments, read_department, faults)]
    new_services = read_rows("services", tables.services, read_service, faults)
    new_bundles = read_rows("bundles", tables.bundles, read_bundle, faults)
    if not dry_run:
        await catalogue_rows.hold(connection)
    now = deps.clock()
    catalogue = await deps.catalogue.fresh(connection)
    known = {one.code for one in new_departments} | set(catalogue.departments)
    offered = {**catalogue.services, **{one.code: one for _, one in new_services}}
    retired = [(line, one.code) for line, one in new_services if not one.active]
    faults += _service_faults(new_services, known, offered)
    live = {**catalogue.bundles, **{one.code: one for _, one in new_bundles}}
    faults += _retirement_faults(retired, [one for one in live.values() if one.active])
    faults += _price_faults(
        new_services, await catalogue_rows.prices(connection, (one.code for _, one in new_services))
    )
    links = await payment_links.usable_for(connection, [code for _, code in retired], now)
    notes = [
        LineFault("services", line, "active", f"{links[code]} payment links for {code} can no longer be used")
        for line, code in retired
        if code in links and code in catalogue.services
    ]
    for line, bundle in new_bundles:
        faults += (
            LineFault("bundles", line, field, detail) for field, detail in _bundle_faults(bundle, known, offered)
        )
    if own is not None:
        faults += await foreign_faults(connection, own, catalogue, new_services, new_bundles)
    faults.sort(key=lambda fault: (fault.table, fault.line))
    if not faults and not dry_run:
        await catalogue_rows.save_departments(connection, new_departments, now)
        await catalogue_rows.save_services(connection, sorted((one for _, one in new_services), key=_code), now)
        await bundle_rows.save(connection, (one for _, one in new_bundles), now)
    return Imported(len(new_departments), len(new_services), tuple(faults), len(new_bundles), tuple(notes))


def _code(service: Service) -> str:
    """Return what services are saved in the order of: others lock them so too, and nobody waits in a circle."""
    return service.code


def _service_faults(
    services: Numbered[Service], departments: set[str], offered: Mapping[str, Service]
) -> list[LineFault]:
    faults = []
    circular = _circular(offered)
    for line, service in services:
        if service.department not in departments:
            faults.append(LineFault("services", line, "department", f"there is no department {service.department}"))
        missing = [code for code in service.depends_on if code not in offered]
        faults += [LineFault("services", line, "depends_on", f"there is no service {code}") for code in missing]
        if service.code in circular:
            faults.append(
                LineFault("services", line, "depends_on", "can never be had: what it depends on goes in a circle")
            )
    return faults


def _retirement_faults(retired: Sequence[tuple[int, str]], bundles: Sequence[Bundle]) -> list[LineFault]:
    """Refuse to retire what a bundle still holds: nobody could ask for that bundle any more."""
    return [
        LineFault("services", line, "active", f"bundle {bundle.code} holds {code}: change the bundle or retire it too")
        for line, code in retired
        for bundle in bundles
        if any(item.service == code for item in bundle.items)
    ]


def _price_faults(services: Numbered[Service], prices: Mapping[str, Price]) -> list[LineFault]:
    """Refuse to change what a service costs: that takes a second person, so that it goes by tariffs."""
    return [
        LineFault("services", line, field, f"{service.code} has {'none' if old is None else old}: {_BY_TARIFF}")
        for line, service in services
        if service.code in prices
        for field, old in prices[service.code]._asdict().items()
        if getattr(service, field) != old
    ]


def _circular(offered: Mapping[str, Service]) -> set[str]:
    """Return the services that can never be had, because each of them waits for another of them.

    What depends on nothing that is left is taken away, again and again; what cannot be taken away goes in a circle, or
    waits for one that does.
    """
    waiting = {code: {on for on in one.depends_on if on in offered} for code, one in offered.items() if one.depends_on}
    while True:
        free = {code for code, on in waiting.items() if not on & waiting.keys()}
        if not free:
            return set(waiting)
        for code in free:
            del waiting[code]


def _bundle_faults(bundle: Bundle, departments: set[str], offered: Mapping[str, Service]) -> list[tuple[str, str]]:
    faults = []
    if bundle.department not in departments:
        faults.append(("department", f"there is no department {bundle.department}"))
    missing = [item.service for item in bundle.items if item.service not in offered]
    faults += [("services", f"there is no service {code}") for code in missing]
    if not missing and len({offered[item.service].currency for item in bundle.items}) > 1:
        faults.append(("services", "all services of a bundle are charged in one currency"))
    return faults
