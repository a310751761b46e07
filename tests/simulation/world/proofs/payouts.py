"""Where the money went: every captured fil is paid out once, given back, or stands as an exception somebody owns."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Final

from adapters.formats.swift_text import from_wire_reference
from reconciliation.business_days import Calendar

if TYPE_CHECKING:
    from tests.simulation.world.world import World

_DUE_WORKING_DAYS: Final = 2
_PEOPLES_DOING: Final = ("late_payment", "transfer_excess", "transfer_waiting", "unknown_bank_credit")
_OF_A_DAY_GIVEN_BACK: Final = ("file_missing", "missing_at_provider", "refund_not_settled")


def bank_paid_each_line_once(world: World) -> list[str]:
    """The bank's own book: each payout line was debited at most once net of returns, and only lines of ours."""
    lines = {
        row["id"]: row["amount_minor"]
        for row in world.simulation.control.rows("SELECT id, amount_minor FROM reconciliation.payout_line")
    }
    debits: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for row in world.outside.bank_rows("SELECT end_to_end_id, amount_minor, kind FROM bookings"):
        if row["kind"].startswith("payout"):
            debits[from_wire_reference(row["end_to_end_id"])] -= row["amount_minor"]
            times[from_wire_reference(row["end_to_end_id"])] += 1
    found = [f"the bank paid {line}, which is not a line of ours" for line in sorted(debits) if line not in lines]
    found += [f"the bank paid line {line} {count} times" for line, count in sorted(times.items()) if count > 1]
    return found + [
        f"the bank paid {minor} for line {line} of {lines[line]}"
        for line, minor in sorted(debits.items())
        if line in lines and minor != lines[line]
    ]


def departments_were_paid_once(world: World) -> list[str]:
    """Nobody has more, from the bank's own book, than was collected for them and not given back."""
    paid: Counter[str] = Counter()
    owners = {
        row["id"]: row["department"]
        for row in world.simulation.control.rows("SELECT id, department FROM reconciliation.payout_line")
    }
    for row in world.outside.bank_rows("SELECT end_to_end_id, amount_minor, kind FROM bookings"):
        if row["kind"].startswith(("payout", "return")):
            owner = owners.get(from_wire_reference(row["end_to_end_id"]))
            if owner is not None:
                paid[owner] -= row["amount_minor"]
    collected = {
        row["department"]: row["minor"]
        for row in world.simulation.control.rows(
            "SELECT split_part(account, ':', 2) AS department, -sum(amount_minor)::bigint AS minor FROM ledger.postings"
            " WHERE account LIKE 'department:%:payable' AND currency = 'AED'"
            " AND reference ~ '^(capture|late_accepted):' GROUP BY 1"
        )
    }
    return [
        f"{department} was paid {minor} of {collected.get(department, 0)} collected"
        for department, minor in sorted(paid.items())
        if minor > collected.get(department, 0)
    ]


def nothing_unproven_was_paid_out(world: World) -> list[str]:
    """No department is paid for money its provider has not settled yet."""
    control = world.simulation.control
    proven = {
        row["department"]: row["minor"]
        for row in control.rows(
            "SELECT split_part(p.account, ':', 2) AS department, -sum(p.amount_minor)::bigint AS minor"
            " FROM ledger.postings p WHERE p.account LIKE 'department:%:payable' AND p.currency = 'AED'"
            " AND p.reference ~ '^(capture|late_accepted):' AND NOT EXISTS (SELECT FROM ledger.open_items o"
            "      WHERE o.account LIKE 'provider:%:receivable' AND o.item = split_part(p.reference, ':', 2))"
            " GROUP BY 1"
        )
    }
    rows = control.rows(
        "SELECT department, sum(amount_minor)::bigint AS minor FROM reconciliation.payout_line"
        " WHERE status NOT IN ('rejected', 'returned') GROUP BY 1 ORDER BY 1"
    )
    return [
        f"{row['department']} is paid {row['minor']}, of which {proven.get(row['department'], 0)} is proven"
        for row in rows
        if row["minor"] > proven.get(row["department"], 0)
    ]


def cash_is_the_banks(world: World) -> list[str]:
    """Our cash account is what the bank's own book says, up to the last statement that was read."""
    control = world.simulation.control
    last = control.value("SELECT max(closed_on)::text FROM reconciliation.statement WHERE status = 'accepted'")
    if last is None:
        return []
    ours = control.value(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger.balances WHERE account LIKE 'bank:%:cash'"
        " AND currency = 'AED'"
    )
    theirs = sum(
        row["amount_minor"]
        for row in world.outside.bank_rows("SELECT amount_minor, booked_on FROM bookings")
        if row["booked_on"] <= last
    )
    return [] if ours == theirs else [f"our cash is {ours}, the bank holds {theirs} at the end of {last}"]


def what_is_open_is_owned(world: World) -> list[str]:
    """An item that should have been cleared by now, in working days, has a break with an owner."""
    calendar = Calendar()
    rows = world.simulation.control.rows(
        "SELECT o.account, o.item, o.amount_minor, o.business_date::text AS day FROM ledger.open_items o"
        " WHERE NOT EXISTS (SELECT FROM reconciliation.break b WHERE b.account = o.account AND b.item = o.item"
        "                  AND b.closed_at IS NULL)"
        " AND NOT EXISTS (SELECT FROM reconciliation.break b WHERE b.closed_at IS NULL AND b.type IN"
        "                  ('file_missing', 'file_refused', 'file_late', 'file_sequence')) ORDER BY 1, 2"
    )
    return [
        f"{row['amount_minor']} of {row['item']} on {row['account']} is open since {row['day']} and nobody's"
        for row in rows
        if calendar.after(date.fromisoformat(row["day"]), _DUE_WORKING_DAYS) < world.nights[-1]
    ]


def what_was_earned_was_paid_out(world: World) -> list[str]:
    """What a department is still owed is explained: not proven yet, or before somebody as a break."""
    control = world.simulation.control
    owed = control.rows(
        "SELECT split_part(account, ':', 2) AS department, -amount_minor AS minor FROM ledger.balances"
        " WHERE account LIKE 'department:%:payable' AND amount_minor < 0 AND currency = 'AED' ORDER BY 1"
    )
    # Our account is kept in dirhams: shillings stay owed, and stand before finance as a payee that is missing.
    if control.value(
        "SELECT count(*) FROM reconciliation.break WHERE closed_at IS NULL AND currency IS DISTINCT FROM 'KES'"
    ):
        world.simulation.trace.happened("money left with an open break")
        return []
    unproven = control.value(
        "SELECT count(*) FROM ledger.open_items WHERE account LIKE 'provider:%:receivable' AND amount_minor > 0"
        " AND currency = 'AED'"
    )
    return (
        []
        if unproven
        else [f"{row['department']} is owed {row['minor']} and nothing stands in the way" for row in owed]
    )


def nights_were_seen_through(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT business_date::text AS day, status FROM reconciliation.run WHERE status <> 'done' ORDER BY 1"
    )
    return [f"the night of {row['day']} is {row['status']}" for row in rows] + world.product.nights_failed


def a_calm_world_has_no_exception(world: World) -> list[str]:
    """Where nothing went wrong, finance finds nothing on its desk but what people did.

    That is money that came too late, transfers written badly, and a day of which all was given back.
    """
    if not world.plan.is_calm:
        return []
    rows = world.simulation.control.rows(
        "SELECT type, subject, provider, currency, detail::text AS detail FROM reconciliation.break"
        " WHERE closed_at IS NULL ORDER BY 1, 2"
    )
    unknown = world.simulation.control.rows("SELECT id FROM reconciliation.payout_batch WHERE status = 'unknown'")
    return [f"the bank answers, and nobody knows what became of payout {row['id']}" for row in unknown] + [
        f"{row['type']} {row['subject']}: {row['detail']}"
        for row in rows
        if row["type"] not in _PEOPLES_DOING
        and row["currency"] != "KES"  # no bank of ours keeps shillings
        and not (row["type"] in _OF_A_DAY_GIVEN_BACK and world.outside.gave_all_back(row["provider"]))
    ]


ALWAYS = (bank_paid_each_line_once, departments_were_paid_once, nothing_unproven_was_paid_out)
AT_THE_END = (
    cash_is_the_banks,
    what_is_open_is_owned,
    what_was_earned_was_paid_out,
    nights_were_seen_through,
    a_calm_world_has_no_exception,
)
