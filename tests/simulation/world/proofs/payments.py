"""Payments, ledger and the acquirer's own book say the same; nobody is charged twice; every attempt ends proven."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulation.world.world import World

_CAPTURES: Final = (
    "SELECT o.merchant_reference AS attempt, o.reference, sum(m.amount_minor) AS minor FROM movements m"
    " JOIN orders o ON o.reference = m.order_reference WHERE m.kind = 'capture' GROUP BY 1, 2 ORDER BY 1, 2"
)
_REFUNDS: Final = (
    "SELECT o.merchant_reference AS attempt, sum(m.amount_minor) AS minor FROM movements m"
    " JOIN orders o ON o.reference = m.order_reference"
    " WHERE m.kind = 'refund' AND m.state <> 'FAILED' GROUP BY 1 ORDER BY 1"
)


def charged_once(world: World) -> list[str]:
    """At most one charge per intent in the acquirer's book, and none for an attempt we had not saved first."""
    owners = {
        row["id"]: row["intent"] for row in world.simulation.control.rows("SELECT id, intent FROM gateway.attempt")
    }
    charges: dict[str, list[str]] = defaultdict(list)
    found = []
    for row in world.outside.acquirer_rows(_CAPTURES):
        if row["attempt"] not in owners:
            found.append(f"the acquirer charged {row['attempt']}, an attempt that is not stored")
            continue
        charges[owners[row["attempt"]]].append(row["attempt"])
    found += [
        f"intent {intent} was charged {len(attempts)} times: {sorted(attempts)}"
        for intent, attempts in sorted(charges.items())
        if len(attempts) > 1
    ]
    return found


def captures_agree(world: World) -> list[str]:
    """Each capture in the acquirer's book is one attempt and one journal of the same amount, and vice versa."""
    theirs = {row["attempt"]: row["minor"] for row in world.outside.acquirer_rows(_CAPTURES)}
    control = world.simulation.control
    ours = {
        row["id"]: row["captured_minor"]
        for row in control.rows("SELECT id, captured_minor FROM gateway.attempt WHERE captured_minor IS NOT NULL")
    }
    booked = {
        row["item"]: row["minor"]
        for row in control.rows(
            "SELECT item, sum(amount_minor)::bigint AS minor FROM ledger.postings WHERE reference LIKE 'capture:%'"
            " AND account LIKE 'provider:%:receivable' GROUP BY 1"
        )
    }
    return [
        *_differences("payments", ours, "the acquirer's book", theirs),
        *_differences("the ledger", booked, "the acquirer's book", theirs),
    ]


def refunds_agree(world: World) -> list[str]:
    """What the acquirer gave back is what the ledger says it gave back, payment by payment."""
    theirs = {row["attempt"]: row["minor"] for row in world.outside.acquirer_rows(_REFUNDS)}
    booked: Counter[str] = Counter()
    rows = world.simulation.control.rows(
        "SELECT r.attempt, -sum(p.amount_minor)::bigint AS minor FROM ledger.postings p"
        " JOIN gateway.refund r ON r.id = p.item"
        " WHERE p.account LIKE 'provider:%:refunds_in_transit' AND p.reference LIKE 'refund%' GROUP BY 1"
    )
    booked.update({row["attempt"]: row["minor"] for row in rows if row["minor"]})
    return _differences("the ledger's refunds", dict(booked), "the acquirer's refunds", theirs)


def refunds_are_within_captures(world: World) -> list[str]:
    captured = {row["attempt"]: row["minor"] for row in world.outside.acquirer_rows(_CAPTURES)}
    return [
        f"{row['attempt']}: {row['minor']} given back of {captured.get(row['attempt'], 0)} captured"
        for row in world.outside.acquirer_rows(_REFUNDS)
        if row["minor"] > captured.get(row["attempt"], 0)
    ]


def refunds_asked_for_are_within_payments(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT r.attempt, sum(r.amount_minor)::bigint AS asked, a.captured_minor FROM gateway.refund r"
        " JOIN gateway.attempt a ON a.id = r.attempt WHERE r.status <> 'failed'"
        " GROUP BY r.attempt, a.captured_minor HAVING sum(r.amount_minor) > a.captured_minor"
    )
    return [f"{row['asked']} is to be given back of {row['captured_minor']} for {row['attempt']}" for row in rows]


def attempts_end_proven(world: World) -> list[str]:
    """An attempt is still open only while the acquirer itself has not decided, or never heard of it."""
    undecided = {
        row["merchant_reference"]: row["state"]
        for row in world.outside.acquirer_rows("SELECT merchant_reference, state FROM orders")
        if row["state"] in ("PENDING", "AWAIT_3DS", "STARTED")
    }
    heard_of = {
        row["merchant_reference"] for row in world.outside.acquirer_rows("SELECT merchant_reference FROM orders")
    }
    rows = world.simulation.control.rows(
        "SELECT id, status, review FROM gateway.attempt WHERE status IN ('starting', 'pending', 'unknown') ORDER BY id"
    )
    return [
        f"attempt {row['id']} is still {row['status']}"
        for row in rows
        if row["id"] not in undecided and row["id"] in heard_of and row["review"] is None
    ]


def refunds_end_proven(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT id, status, sent_at FROM gateway.refund WHERE status IN ('requested', 'pending', 'unknown')"
        " AND review IS NULL ORDER BY id"
    )
    return [f"refund {row['id']} is still {row['status']}" for row in rows]


def departments_are_owed_what_was_paid(world: World) -> list[str]:
    """By each department: paid lines less refunds, from the payments' tables, against the movements of the ledger."""
    control = world.simulation.control
    owed: Counter[str] = Counter()
    for row in control.rows(
        "SELECT l.department, sum(l.amount_minor - l.vat_minor)::bigint AS minor FROM gateway.intent_line l"
        " JOIN gateway.intent i ON i.id = l.intent LEFT JOIN gateway.attempt a ON a.id = i.paid_attempt"
        " WHERE i.status = 'paid' GROUP BY 1"
    ):
        owed[row["department"]] += row["minor"]
    for row in control.rows(
        "SELECT l.department, sum(l.amount_minor - l.vat_minor)::bigint AS minor FROM gateway.refund_line l"
        " JOIN gateway.refund r ON r.id = l.refund WHERE r.booked_at IS NOT NULL AND r.status <> 'failed' GROUP BY 1"
    ):
        owed[row["department"]] -= row["minor"]
    booked = {
        row["department"]: row["minor"]
        for row in control.rows(
            "SELECT split_part(account, ':', 2) AS department, -sum(amount_minor)::bigint AS minor FROM ledger.postings"
            " WHERE account LIKE 'department:%:payable'"
            " AND reference ~ '^(capture|refund|refund_failed|late_accepted):' GROUP BY 1"
        )
    }
    return _differences(
        "paid less refunded", {k: v for k, v in owed.items() if v}, "the ledger", {k: v for k, v in booked.items() if v}
    )


def _differences(mine: str, ours: dict[str, Any], their: str, theirs: dict[str, Any]) -> list[str]:
    return [
        f"{key}: {mine} say {ours.get(key)}, {their} says {theirs.get(key)}"
        for key in sorted({*ours, *theirs})
        if ours.get(key) != theirs.get(key)
    ]


ALWAYS = (
    charged_once,
    refunds_are_within_captures,
    refunds_asked_for_are_within_payments,
    departments_are_owed_what_was_paid,
)
AT_THE_END = (captures_agree, refunds_agree, attempts_end_proven, refunds_end_proven)
