"""Proving the day: the books against themselves, against payments, against every provider's and bank's own book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ledger.audit import Report, verify
from ledger.statements import trial_balance
from ops.demo.visits import Day


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim about the day: the two sides that must agree, and whether they do."""

    claim: str
    holds: bool
    detail: str


def show_proofs(proofs: Sequence[Proof], say: Callable[[str], None]) -> int:
    """Say each proof; return 0 when all hold."""
    say("Proofs")
    for proof in proofs:
        say(f"  {'holds ' if proof.holds else 'FAILS '} {proof.claim}: {proof.detail}")
    broken = sum(not proof.holds for proof in proofs)
    say(f"{len(proofs) - broken} of {len(proofs)} proofs hold.")
    return 1 if broken else 0


async def prove(day: Day) -> list[Proof]:
    """Gather all evidence and hold it together."""
    async with day.parts.pool.acquire() as connection:
        return [
            *await _books(connection, day),
            *await _payments(connection, day),
            *await _bank(connection, day),
            *await _every_fil(connection),
            *_notices(day),
        ]


def _equal(claim: str, **sides: int) -> Proof:
    shown = ", ".join(f"{name.replace('_', ' ')} {minor / 100:,.2f}" for name, minor in sides.items())
    return Proof(claim, len(set(sides.values())) == 1, shown)


async def _books(connection: Any, day: Day) -> list[Proof]:
    instants = [day.stage.clock() - timedelta(hours=hours) for hours in range(0, 48, 4)]
    sums = [sum(line.balance.amount_minor for line in await trial_balance(connection, at=at)) for at in instants]
    report = await verify(connection)
    return [
        Proof("the trial balance is zero at every instant looked at", not any(sums), f"{len(sums)} instants"),
        Proof("every journal, balance and link of the chain verifies", report.proven, _words(report)),
    ]


def _words(report: Report) -> str:
    if report.findings:
        return "; ".join(str(finding) for finding in report.findings[:3])
    return f"{report.journals:,} journals, {report.postings:,} postings, {report.accounts} accounts"


async def _sum(connection: Any, condition: str, *values: object) -> int:
    return int(await connection.fetchval(_SUM + condition, *values))


_SUM: Final = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger.postings WHERE "


async def _payments(connection: Any, day: Day) -> list[Proof]:
    async with day.session.get(f"{day.stage.simulator_url('ngenius')}/simulator/book") as answer:
        movements = (await answer.json())["movements"]
    moved = {
        kind: sum(row["amount_minor"] for row in movements if row["kind"] == kind) for kind in ("capture", "refund")
    }
    captured = await connection.fetchval(
        "SELECT coalesce(sum(captured_minor), 0)::bigint FROM gateway.attempt WHERE status = 'succeeded'"
    )
    refunded = await connection.fetchval(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM gateway.refund WHERE status = 'succeeded'"
    )
    booked = await _sum(
        connection, "kind IN ('payment_captured', 'late_payment_captured') AND account LIKE 'provider:%:receivable'"
    )
    returned = -await _sum(
        connection,
        "kind IN ('refund_accepted', 'late_payment_refunded') AND account LIKE 'provider:%:refunds_in_transit'",
    )
    charges = await connection.fetchval(
        "SELECT count(*) FROM (SELECT intent FROM gateway.attempt WHERE status = 'succeeded' AND NOT late"
        " GROUP BY intent HAVING count(*) > 1) twice"
    )
    undecided = await connection.fetchval(
        "SELECT count(*) FROM gateway.attempt WHERE status IN ('starting', 'unknown') OR review IS NOT NULL"
    )
    return [
        _equal("captured", ledger=booked, payments=captured, provider=moved["capture"]),
        _equal("refunded", ledger=returned, payments=refunded, provider=moved["refund"]),
        Proof("nobody was charged twice", charges == 0, f"{charges} intents with two charges"),
        Proof("every attempt ended proven", undecided == 0, f"{undecided} undecided"),
    ]


async def _bank(connection: Any, day: Day) -> list[Proof]:
    async with day.session.get(f"{day.stage.simulator_url('bank_host')}/simulator/book") as answer:
        book = await answer.json()
    cash = await _sum(connection, "account = $1", f"bank:{day.stage.settings.bank_account}:cash")
    closing = await connection.fetchval(
        "SELECT closing_minor FROM reconciliation.statement ORDER BY closed_on DESC, sequence DESC LIMIT 1"
    )
    paid_out = await _sum(connection, "kind = 'payout_paid' AND account LIKE 'department:%'")
    debits = -sum(row["amount_minor"] for row in book["bookings"] if row["amount_minor"] < 0)
    in_transit = await _sum(connection, "account LIKE 'provider:%:in_transit' OR account LIKE '%:payout_in_transit'")
    return [
        _equal("cash at bank", ledger=cash, bank=book["balance_minor"], statement=closing or 0),
        _equal("paid out to departments", ledger=paid_out, bank=debits),
        Proof("nothing is left in transit", in_transit == 0, f"{in_transit / 100:,.2f} in transit"),
    ]


async def _every_fil(connection: Any) -> list[Proof]:
    """Find each captured minor unit in exactly one place."""
    captured = await _sum(
        connection, "kind IN ('payment_captured', 'late_payment_captured') AND account LIKE 'provider:%:receivable'"
    )
    places = {
        "owed": -await _sum(connection, "account LIKE 'department:%:payable'"),
        "held": -await _sum(connection, "account LIKE 'department:%:holdback'"),
        "in payout": -await _sum(connection, "account LIKE 'department:%:payout_in_transit'"),
        "paid out": await _sum(connection, "kind = 'payout_paid' AND account LIKE 'department:%'"),
        "refunded": -await _sum(
            connection,
            "kind IN ('refund_accepted', 'late_payment_refunded') AND account LIKE '%:refunds_in_transit'",
        ),
        "in suspense": -await _sum(connection, "account = 'suspense:late_payments'"),
        "VAT": -await _sum(connection, "account = 'tax:vat_payable'"),
        "gateway's fee": -await _sum(connection, "account = 'treasury:gateway_fees'"),
        "fees borne by departments": await _sum(
            connection, "kind = 'fee_borne_by_department' AND account LIKE 'department:%:payable'"
        ),
    }
    shown = ", ".join(f"{place} {minor / 100:,.2f}" for place, minor in places.items() if minor)
    return [
        Proof(
            "every captured fil is in exactly one place",
            captured == sum(places.values()),
            f"captured {captured / 100:,.2f} = {shown}",
        )
    ]


def _notices(day: Day) -> list[Proof]:
    unheard = [
        one.number
        for one in day.visits
        if one.final in ("paid", "refunded", "partly refunded")
        and not any(kind.endswith(".paid") for kind in day.listener.about(one.intent["id"]))
    ]
    return [
        Proof("every department heard of every payment", not unheard, f"{len(unheard)} unheard"),
        Proof("no webhook was forged or mis-signed", day.listener.forged == 0, f"{day.listener.forged} refused"),
    ]
