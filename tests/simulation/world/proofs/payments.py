"""Payments, ledger and each provider's own book say the same; nobody is charged twice; every attempt ends proven."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.world.world import World


def charged_once(world: World) -> list[str]:
    """At most one charge per intent in the providers' books, and none for an attempt we had not saved first."""
    owners = {
        row["id"]: row["intent"] for row in world.simulation.control.rows("SELECT id, intent FROM gateway.attempt")
    }
    charges: dict[str, list[str]] = defaultdict(list)
    found = []
    for row in _captures(world):
        if row["attempt"] not in owners:
            found.append(f"a provider charged {row['attempt']}, an attempt that is not stored")
            continue
        charges[owners[row["attempt"]]].append(row["attempt"])
    found += [
        f"intent {intent} was charged {len(attempts)} times: {sorted(attempts)}"
        for intent, attempts in sorted(charges.items())
        if len(attempts) > 1
    ]
    return found


def captures_agree(world: World) -> list[str]:
    """Each capture in a provider's book is one attempt and one journal of the same amount, and vice versa."""
    theirs = _by_attempt(_captures(world))
    control = world.simulation.control
    ours = {
        row["id"]: row["captured_minor"]
        for row in control.rows("SELECT id, captured_minor FROM gateway.attempt WHERE captured_minor IS NOT NULL")
    }
    booked = {
        row["item"]: row["minor"]
        for row in control.rows(
            "SELECT split_part(reference, ':', 2) AS item, sum(amount_minor)::bigint AS minor FROM ledger.postings"
            " WHERE reference LIKE 'capture:%'"
            " AND (account LIKE 'provider:%:receivable' OR account LIKE 'centre:%:cash') GROUP BY 1"
        )
    }
    return [
        *_differences("payments", ours, "the providers' books", theirs),
        *_differences("the ledger", booked, "the providers' books", theirs),
    ]


def refunds_agree(world: World) -> list[str]:
    """Each refund in a provider's book is one of ours, booked with its amount, and each one booked is in its book.

    The one exception is a refund the network asked for a second time, at a provider that takes no key: nobody could
    have prevented it. It stands before finance by its own identifier.
    """
    control = world.simulation.control
    theirs = {row["identifier"]: row for row in world.outside.refunds()}
    booked = {
        row["reference"]: row["minor"]
        for row in control.rows(
            "SELECT r.provider_reference AS reference, -sum(p.amount_minor)::bigint AS minor FROM ledger.postings p"
            " JOIN gateway.refund r ON r.id = p.item"
            " WHERE p.account LIKE 'provider:%:refunds_in_transit' AND p.reference LIKE 'refund%' GROUP BY 1"
        )
        if row["minor"]
    }
    named = {
        row["reference"] for row in control.rows("SELECT detail->>'reference' AS reference FROM reconciliation.break")
    }
    repeats = list(world.simulation.network.repeated)
    found = []
    for identifier in sorted(theirs.keys() - booked.keys()):
        row = theirs[identifier]
        asked_twice = next(
            (request for request in repeats if f"/{row['place']}/" in request and "refund" in request), None
        )
        if asked_twice is None:
            found.append(f"{row['attempt']}: {row['minor']} given back as {identifier}, which is not booked")
            continue
        repeats.remove(asked_twice)
        world.simulation.trace.happened("the network asked for a refund twice")
        if identifier not in named:
            found.append(f"{row['attempt']}: {row['minor']} given back twice by the network, and nobody's break")
    found += [f"refund {each} is booked, and no provider made it" for each in sorted(booked.keys() - theirs.keys())]
    return found + [
        f"refund {each}: {minor} is booked, {theirs[each]['minor']} was given back"
        for each, minor in sorted(booked.items())
        if each in theirs and minor != theirs[each]["minor"]
    ]


def refunds_are_within_captures(world: World) -> list[str]:
    captured = _by_attempt(_captures(world))
    return [
        f"{attempt}: {minor} given back of {captured.get(attempt, 0)} captured"
        for attempt, minor in sorted(_by_attempt(_refunds(world)).items())
        if minor > captured.get(attempt, 0)
    ]


def refunds_asked_for_are_within_payments(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT r.attempt, sum(r.amount_minor)::bigint AS asked, a.captured_minor FROM gateway.refund r"
        " JOIN gateway.attempt a ON a.id = r.attempt WHERE r.status <> 'failed'"
        " GROUP BY r.attempt, a.captured_minor HAVING sum(r.amount_minor) > a.captured_minor"
    )
    return [f"{row['asked']} is to be given back of {row['captured_minor']} for {row['attempt']}" for row in rows]


def attempts_end_proven(world: World) -> list[str]:
    """An attempt is still open only while its provider has not decided itself, or never heard of it."""
    undecided = world.outside.undecided()
    heard_of = world.outside.heard_of()
    rows = world.simulation.control.rows(
        "SELECT id, status, review FROM gateway.attempt WHERE status IN ('starting', 'pending', 'unknown') ORDER BY id"
    )
    return [
        f"attempt {row['id']} is still {row['status']}"
        for row in rows
        if row["id"] not in undecided and row["id"] in heard_of and row["review"] is None
    ]


def refunds_end_proven(world: World) -> list[str]:
    """No refund is left undecided, but for one whose provider tells its end in a report that has not come yet."""
    now = world.simulation.clock().isoformat()
    silent = ", ".join(f"'{each.name}'" for each in world.outside.providers if not each.tells_refunds) or "''"
    rows = world.simulation.control.rows(
        "SELECT id, status FROM gateway.refund r WHERE status IN ('requested', 'pending', 'unknown') AND review IS NULL"
        f" AND NOT (provider IN ({silent}) AND status = 'pending' AND booked_at IS NOT NULL"
        f"          AND (next_check_at > '{now}'::timestamptz"
        "               OR EXISTS (SELECT FROM ledger.open_items o WHERE o.item = r.id))) ORDER BY id"
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


def _captures(world: World) -> list[dict[str, Any]]:
    """Return what every provider has taken, at terminals too, and the cash in the drawer of a counter.

    What a terminal charged is left out until its slip is booked: if the bill was paid otherwise meanwhile, the agent
    takes it back at the terminal.
    """
    at_counter = {
        row["intent"]: row["id"]
        for row in world.simulation.control.rows("SELECT id, intent FROM gateway.attempt WHERE provider = 'counter'")
    }
    slips = _slips(world)
    taken = [
        {**row, "attempt": slips.get(row["reference"], row["attempt"])}
        for row in world.outside.captures()
        if row["reference"] in slips or not row.get("at_terminal")
    ]
    return taken + [
        {"attempt": at_counter.get(intent, f"cash for {intent}"), "reference": intent, "minor": minor}
        for intent, minor in world.counter.taken.items()
    ]


def _refunds(world: World) -> list[dict[str, Any]]:
    """Return what every provider has given back, and the cash handed out at a counter."""
    slips = _slips(world)
    cash = {
        row["id"]: row["attempt"]
        for row in world.simulation.control.rows("SELECT id, attempt FROM gateway.refund WHERE provider = 'counter'")
    }
    given = [{**row, "attempt": slips.get(row["place"], row["attempt"])} for row in world.outside.refunds()]
    return given + [
        {"identifier": refund, "attempt": cash.get(refund, f"cash for {refund}"), "minor": minor}
        for refund, minor in world.counter.given.items()
    ]


def _slips(world: World) -> dict[str, str]:
    """Name the attempt each slip of a terminal has paid."""
    rows = world.simulation.control.rows(
        "SELECT terminal_reference, attempt FROM gateway.counter_payment WHERE terminal_reference IS NOT NULL"
    )
    return {row["terminal_reference"]: row["attempt"] for row in rows}


def slips_are_settled(world: World) -> list[str]:
    """Whatever a terminal charged has paid a bill or was taken back: no agent goes home with a slip in hand."""
    slips = _slips(world)
    return [
        f"{row['minor']} charged at a terminal, {row['reference']}, has paid no bill"
        for row in world.outside.captures()
        if row.get("at_terminal") and row["reference"] not in slips
    ]


def cash_was_handed_out_once(world: World) -> list[str]:
    """What left the drawer is in the books once, and what is in the books has left the drawer; float included."""
    control = world.simulation.control
    booked = {
        row["refund"]: row["minor"]
        for row in control.rows(
            "SELECT split_part(reference, ':', 2) AS refund, -sum(amount_minor)::bigint AS minor FROM ledger.postings"
            " WHERE account LIKE 'centre:%:cash' AND reference LIKE 'refund:%' GROUP BY 1"
        )
    }
    floats = control.value(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger.balances WHERE account = 'treasury:centre_floats'"
    )
    spent = world.counter.float_spent_minor
    return _differences("the ledger", booked, "the agent", world.counter.given) + (
        [] if floats == -spent else [f"{spent} of the float was handed out, the books say {-floats}"]
    )


def refunds_that_came_back_are_told(world: World) -> list[str]:
    """A refund that failed after it was done is failed with us, its department is told, and its booking is undone."""
    control = world.simulation.control
    known = {
        row["id"]: row
        for row in control.rows(
            "SELECT r.id, r.status, (SELECT count(*) FROM gateway.event e WHERE e.object = r.id"
            "                         AND e.type = 'refund.failed') AS told,"
            " (SELECT coalesce(sum(p.amount_minor), 0)::bigint FROM ledger.postings p"
            "   WHERE p.item = r.id AND p.account LIKE 'provider:%:refunds_in_transit') AS minor FROM gateway.refund r"
        )
    }
    found = []
    for refund in world.outside.came_back():
        row = known.get(refund)
        if row is None or (row["status"], row["told"], row["minor"]) != ("failed", 1, 0):
            found.append(f"refund {refund} came back, and with us it is {row}")
    return found


def drawers_agree(world: World) -> list[str]:
    """Nobody miscounts here, so whatever stands on over and short was booked wrongly."""
    over = world.simulation.control.value(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger.balances WHERE account = 'treasury:cash_over_short'"
    )
    return [f"{over} is over or short in the drawers"] if over else []


def _by_attempt(rows: list[dict[str, Any]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["attempt"]] += row["minor"]
    return dict(sums)


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
AT_THE_END = (
    captures_agree,
    refunds_agree,
    attempts_end_proven,
    refunds_end_proven,
    drawers_agree,
    slips_are_settled,
    cash_was_handed_out_once,
    refunds_that_came_back_are_told,
)
