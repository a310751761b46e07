"""Providers' contracts: a version is proposed by one person, approved by another, in force from the day it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import asyncpg
import msgspec

from ledger.ids import mint
from ledger.money import Money, exponent_of
from ledger.people import same_person
from reconciliation.deps import Deps
from reconciliation.errors import NotAllowedError, NotFoundError, SamePersonError
from reconciliation.matching import EXACT, Tolerance
from reconciliation.provider_terms import GROSS, NOT_AGREED, Contracts, FeeTerms, ProviderTerms
from reconciliation.store import Connection, Record, audits, contracts, overdue

_TERMS_UNSAID = {
    "file_days": NOT_AGREED.file_days,
    "settlement_days": NOT_AGREED.settlement_days,
    "credit_days": NOT_AGREED.credit_days,
    "fee_basis_points": None,
    "fee_fixed_minor": 0,
    "fee_vat_basis_points": 500,
    "fee_tolerance_minor": 1,
    "tolerance_above_minor": 0,
    "tolerance_below_minor": 0,
    "tolerance_above_basis_points": 0,
    "tolerance_below_basis_points": 0,
    "settles": "net",
}


async def read_contracts(connection: Connection) -> Contracts:
    """Read what is agreed with every provider, on every day."""
    versions: dict[str, list[tuple[date, ProviderTerms]]] = {}
    for row in await contracts.approved(connection):
        versions.setdefault(row["provider"], []).append((row["begins_on"], _terms(row)))
    return Contracts(versions)


def _terms(row: Record) -> ProviderTerms:
    agreed = row["fee_basis_points"] is not None
    fees = FeeTerms(
        row["fee_basis_points"], row["fee_fixed_minor"], row["fee_vat_basis_points"], row["fee_tolerance_minor"]
    ) if agreed else None  # fmt: skip
    tolerance = Tolerance(
        row["tolerance_above_minor"], row["tolerance_below_minor"], row["tolerance_above_basis_points"],
        row["tolerance_below_basis_points"],
    )  # fmt: skip
    return ProviderTerms(
        row["file_days"], row["settlement_days"], row["credit_days"], fees, tolerance, row["currency"], row["settles"]
    )


async def propose_contract(
    deps: Deps, provider: str, begins_on: date, changes: Mapping[str, object], *, by: str, reason: str
) -> str:
    """Propose a version that begins on a day; what is not changed stays as it is in force on that day.

    One may wait for each provider. What begins in the past is for the lines that have still to come.
    """
    now = deps.clock()
    contract_id = mint("ct", now, deps.random_bytes)
    async with deps.pool.acquire() as connection, connection.transaction():
        known = {*deps.settling, *deps.direct, *await overdue.providers_with_items(connection)}
        if provider not in known:
            raise NotAllowedError(f"there is no provider {provider!r}; there are {', '.join(sorted(known)) or 'none'}")
        before = await _in_force(connection, provider, begins_on)
        standing = before or {**_TERMS_UNSAID, "currency": deps.account.currency}
        terms = {name: changes.get(name, standing[name]) for name in contracts.TERMS}
        exponent_of(str(terms["currency"]))
        try:
            await contracts.insert(
                connection, contract_id, provider, begins_on, list(terms.values()), reason=reason, maker=by, now=now
            )
        except asyncpg.UniqueViolationError:
            raise NotAllowedError(f"a contract of {provider} waits for a decision already") from None
        except asyncpg.CheckViolationError as error:
            raise NotAllowedError(f"the contract does not stand: {error.constraint_name}") from None
        await audits.insert(
            connection, deps, by, "contract_proposed", provider,
            before=msgspec.json.encode(before) if before else None,
            after=msgspec.json.encode({**terms, "begins_on": begins_on}),
        )  # fmt: skip
    return contract_id


async def _in_force(connection: Connection, provider: str, day: date) -> dict[str, object] | None:
    found = [row for row in await contracts.approved(connection)
             if row["provider"] == provider and row["begins_on"] <= day]  # fmt: skip
    return {name: found[-1][name] for name in contracts.TERMS} if found else None


async def decide_contract(deps: Deps, contract_id: str, *, by: str, approve: bool) -> None:
    """Approve or refuse a version, as somebody other than its maker."""
    async with deps.pool.acquire() as connection, connection.transaction():
        proposed = await contracts.read_locked(connection, contract_id)
        if proposed is None:
            raise NotFoundError(f"there is no contract {contract_id}")
        if proposed["decision"] is not None:
            raise NotAllowedError(f"contract {contract_id} is {proposed['decision']} already")
        if same_person(proposed["maker"], by):
            raise SamePersonError
        decision = "approved" if approve else "refused"
        try:
            await contracts.decide(connection, contract_id, by, decision, deps.clock())
        except asyncpg.CheckViolationError:
            raise SamePersonError from None
        await audits.insert(connection, deps, by, f"contract_{decision}", proposed["provider"])


async def list_contracts(deps: Deps) -> list[str]:
    """Say what is agreed with each provider and from when, then which versions wait: what each would change."""
    async with deps.pool.acquire() as connection:
        approved, pending = await contracts.approved(connection), await contracts.waiting(connection)
        lines = [f"{row['provider']}  from {row['begins_on']}  {_words(row)}" for row in approved]
        for row in pending:
            before = await _in_force(connection, row["provider"], row["begins_on"])
            lines.append(
                f"{row['id']}  {row['provider']}  from {row['begins_on']}  by {row['maker']}, to be approved:"
                f" {row['reason']}"
            )
            lines += [f"    {change}" for change in _changes(before, row)]
    return lines


def _changes(before: Mapping[str, object] | None, row: Record) -> list[str]:
    if before is None:
        return [f"the first: {_words(row)}"]
    changed = [f"{name.replace('_', ' ')}: {_said(before[name])} -> {_said(row[name])}"
               for name in contracts.TERMS if before[name] != row[name]]  # fmt: skip
    return changed or ["nothing changes"]


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def _words(row: Record) -> str:
    days = f"file {row['file_days']}, settled {row['settlement_days']}, credited {row['credit_days']} working days"
    return f"{days}; {_fee_words(row)}{_tolerance_words(row)}"


def _fee_words(row: Record) -> str:
    billed = ", billed: payments are settled gross" if row["settles"] == GROSS else ""
    if row["fee_basis_points"] is None:
        return f"no fee agreed{billed}"
    fixed = f" + {Money(row['fee_fixed_minor'], row['currency'])}" if row["fee_fixed_minor"] else ""
    off = row["fee_tolerance_minor"]
    rounding = f", off by {off} at most" if off != _TERMS_UNSAID["fee_tolerance_minor"] else ""
    vat = f"VAT of {row['fee_vat_basis_points'] / 100:.2f} % on it"
    return f"fee {row['fee_basis_points'] / 100:.2f} %{fixed} and {vat}{rounding}{billed}"


def _tolerance_words(row: Record) -> str:
    if _terms(row).tolerance == EXACT:
        return ""
    above, below = (
        f"{Money(row[f'tolerance_{side}_minor'], row['currency'])} or {row[f'tolerance_{side}_basis_points'] / 100} %"
        for side in ("above", "below")
    )
    return f"; settled {above} more or {below} less is rounding"
