"""What stands for a department's account, and what a proposed change would make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from ledger.money import Money, exponent_of
from reconciliation.deps import Deps
from reconciliation.errors import NotAllowedError, NotFoundError
from reconciliation.payees import WEEKDAYS, PayeeDetails, compact, confirmation_words
from reconciliation.payout_terms import FeeBearer, Proof, Schedule
from reconciliation.store import Record, payees

_FIELDS: Final = tuple(each.name for each in fields(PayeeDetails))
_KEY: Final = frozenset({"department", "currency", "revenue_code"})
_KINDS: Final = {"proof": Proof, "schedule": Schedule, "fee_bearer": FeeBearer}


async def details_with(
    deps: Deps, department: str, currency: str, revenue_code: str, given: Mapping[str, Any]
) -> PayeeDetails:
    """Return an account's details with what is given; whatever is not given stays as it stands.

    A BIC belongs to its IBAN: a new IBAN beside the old BIC would lead a payment to the wrong bank.
    """
    exponent_of(currency)
    async with deps.pool.acquire() as connection:
        standing = await payees.in_force(connection, department, currency, revenue_code)
    if standing is None:
        if missing := [name for name in ("legal_name", "iban") if not given.get(name)]:
            raise NotAllowedError(f"{department} is not registered yet: its {' and '.join(missing)} are needed")
        kept: dict[str, Any] = {}
    else:
        kept = {name: standing[name] for name in _FIELDS if name not in _KEY}
        moved = "iban" in given and compact(given["iban"]) != kept["iban"]
        if moved and kept["bic"] and "bic" not in given:
            raise NotAllowedError(f"BIC {kept['bic']} is of the old IBAN; give the new one's, or an empty one for none")
    values = {**kept, **given}
    for name, kind in _KINDS.items():
        if name in values:
            values[name] = kind(values[name])
    for name in ("bic", "remittance_email"):
        values[name] = values.get(name) or None
    return PayeeDetails(department=department, currency=currency, revenue_code=revenue_code, **values)


async def describe_change(deps: Deps, change_id: str) -> list[str]:
    """Say who proposed a change and why, and for each field what stands and what would."""
    async with deps.pool.acquire() as connection:
        change = await payees.read_proposed(connection, change_id)
        if change is None:
            raise NotFoundError(f"there is no change {change_id}")
        applied = change["applied_at"] is not None
        standing = None if applied else await payees.in_force(
            connection, change["department"], change["currency"], change["revenue_code"]
        )  # fmt: skip
    state = "in force" if applied else change["decision"] or "to be approved"
    whose = f"{change['department']} {change['currency']} {change['revenue_code']}".rstrip()
    lines = [f"{change['id']}  {whose}  by {change['maker']}, {state}: {change['reason']}"]
    if words := confirmation_words(change):
        lines.append(f"  {words}")
    return lines + [f"  {line}" for line in _differences(standing, change)]


def _differences(standing: Record | None, change: Record) -> list[str]:
    found = []
    for name in _FIELDS:
        if name in _KEY:
            continue
        new = _shown(change, name)
        old = "" if standing is None else _shown(standing, name)
        if standing is None:
            found.append(f"{name.replace('_', ' ')}: {new}")
        elif old != new:
            found.append(f"{name.replace('_', ' ')}: {old} -> {new}")
    return found or ["nothing changes"]


def _shown(row: Record, name: str) -> str:
    value = row[name]
    if name in ("minimum_minor", "holdback_minor"):
        return str(Money(value, row["currency"]))
    if name == "weekday":
        return WEEKDAYS[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value is not None else "none"
