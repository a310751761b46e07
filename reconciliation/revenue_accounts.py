"""A payout divided over a department's accounts: what a revenue code earned goes to the account of that code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.money import Money
from reconciliation.store import Connection, Record, inside, revenue_parts

_RETURNED: Final = "payout_returned:"


class RevenueCodes(Protocol):
    """Knows which revenue codes a payment or refund is made of. The books know departments, not codes."""

    async def weights(
        self, connection: Connection, department: str, references: Sequence[str]
    ) -> Mapping[str, Mapping[str, int]]:
        """Return, for each journal reference it knows, the minor units of each revenue code of the department."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """What one of a department's accounts is paid; the department's own has no revenue code."""

    revenue_code: str
    account: Record
    amount_minor: int


async def divide(
    connection: Connection, codes: RevenueCodes | None, owed: Record, amount_minor: int, currency: str,
    accounts: Sequence[Record],
) -> list[Share]:  # fmt: skip
    """Divide what a department is owed; without accounts of single codes all goes to its own."""
    if codes is None or not accounts:
        return [Share("", owed, amount_minor)]
    by_code = {account["revenue_code"]: account for account in accounts}
    await revenue_parts.begin(connection)
    async for rows in inside.drafted(connection, owed, currency):
        await revenue_parts.add(
            connection, await _parts(connection, codes, owed["department"], rows, currency, by_code)
        )
    sums = await revenue_parts.sums(connection, owed["department"])
    return [
        Share(code, by_code.get(code, owed), minor) for code, minor in paid_to_each(amount_minor, sums).items() if minor
    ]


async def _parts(
    connection: Connection, codes: RevenueCodes, department: str, rows: Sequence[Record], currency: str,
    by_code: Mapping[str, Record],
) -> list[tuple[str, str, int, int]]:  # fmt: skip
    """Divide each journal by the codes it is made of; parts sum to the whole, largest remainders first."""
    known = await _weights(connection, codes, department, rows)
    found = []
    for row in rows:
        weights = known.get(row["reference"])
        if not weights or not row["amount_minor"]:
            continue
        parts = Money(row["amount_minor"], currency).allocate(list(weights.values()))
        found += [
            (department, code, row["journal_id"], part.amount_minor)
            for code, part in zip(weights, parts, strict=True)
            if code in by_code and part
        ]
    return found


async def _weights(
    connection: Connection, codes: RevenueCodes, department: str, rows: Sequence[Record]
) -> dict[str, dict[str, int]]:
    """Return the revenue codes each journal is made of, by its reference; of what is not known, nothing."""
    known = {**await codes.weights(connection, department, [row["reference"] for row in rows])}
    lines = [row["reference"].removeprefix(_RETURNED) for row in rows if row["reference"].startswith(_RETURNED)]
    for line, code in (await revenue_parts.codes_of_lines(connection, lines)).items():
        known[_RETURNED + line] = {code: 1}  # what an account sent back is owed to it again
    return {
        reference: {code: minor for code, minor in weights.items() if minor > 0} for reference, weights in known.items()
    }


async def hold_refused(connection: Connection, codes: RevenueCodes | None, owed: Record, currency: str) -> int | None:
    """Leave out of tonight's draft every journal an account of a code that the bank refused has a part in.

    Return what waits with it. Journals wait whole, and so do refunds of what waits: what is paid later is divided as it
    would have been. `None` when together they are a debit: leaving them out would pay more than is owed, so then
    the whole department waits.
    """
    if codes is None or not owed["refused_codes"]:
        return 0
    refused = frozenset(owed["refused_codes"])
    held_minor = 0
    async for rows in inside.drafted(connection, owed, currency):
        known = await _weights(connection, codes, owed["department"], rows)
        waiting = [
            (row["journal_id"], row["amount_minor"])
            for row in rows
            if row["amount_minor"] and not refused.isdisjoint(known.get(row["reference"], ()))
        ]
        await revenue_parts.hold_journals(connection, owed["department"], waiting)
        held_minor += sum(minor for _, minor in waiting)
    return held_minor if held_minor >= 0 else None


def paid_to_each(total_minor: int, sums: Mapping[str, int]) -> dict[str, int]:
    """Return what each account is paid, the department's own under an empty code; they sum to the total.

    What is taken off the whole (fees, holdback, a debit carried forward) comes off the department's own account, and
    where that is not enough off the others, the largest first. A code below zero is not paid; the own account bears it.
    """
    paid = {code: minor for code, minor in sorted(sums.items()) if minor > 0}
    own_minor = total_minor - sum(paid.values())
    for code in sorted(paid, key=lambda code: (-paid[code], code)):
        taken_minor = min(paid[code], max(0, -own_minor))
        paid[code] -= taken_minor
        own_minor += taken_minor
    return {"": own_minor, **paid}
