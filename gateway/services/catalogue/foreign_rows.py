"""What a department may not import by itself: another's services and bundles, and its fees in a bundle of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from gateway.domain.department import Bundle, Service
from gateway.services.catalogue.catalogue_rows import LineFault
from gateway.store import catalogue as catalogue_rows
from gateway.store.catalogue import Catalogue
from gateway.store.connections import Connection

Thing = TypeVar("Thing", Service, Bundle)
Numbered: TypeAlias = Sequence[tuple[int, Thing]]

_TAKEN: Final = "is another department's: choose a code of your own"
_NOT_YOURS: Final = "is not the department this credential belongs to"


async def foreign_faults(
    connection: Connection, own: str, catalogue: Catalogue, services: Numbered[Service], bundles: Numbered[Bundle]
) -> list[LineFault]:
    """Refuse rows that would change, take or charge for what is another department's."""
    owners = await catalogue_rows.owners(
        connection, (one.code for _, one in services), (one.code for _, one in bundles)
    )
    faults = _owner_faults("services", own, services, owners) + _owner_faults("bundles", own, bundles, owners)
    offered = {**catalogue.services, **{one.code: one for _, one in services}}
    for line, bundle in bundles:
        held = catalogue.bundles.get(bundle.code)
        agreed = held.items if held is not None else ()
        faults += [
            LineFault(
                "bundles", line, "services",
                f"{item.service} is another department's: the operator puts it into a bundle, or changes how many",
            )
            for item in bundle.items
            if item.service in offered and offered[item.service].department != own and item not in agreed
        ]  # fmt: skip
    return faults


def _owner_faults(
    table: str, own: str, rows: Numbered[Thing], owners: Mapping[tuple[str, str], str]
) -> list[LineFault]:
    return [LineFault(table, line, "department", _NOT_YOURS) for line, one in rows if one.department != own] + [
        LineFault(table, line, "code", _TAKEN) for line, one in rows if owners.get((table, one.code), own) != own
    ]
