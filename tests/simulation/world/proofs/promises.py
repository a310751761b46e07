"""What was said is so: acknowledged writes are there, departments are told of every change, nothing waits unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.world.world import World

_PATIENCE: Final = "interval '30 minutes'"
_LONG_BEFORE: Final = "interval '4 minutes'"  # longer than asking takes, with clocks that differ


def acknowledged_writes_are_there(world: World) -> list[str]:
    control = world.simulation.control
    statuses = {row["id"]: row["status"] for row in control.rows("SELECT id, status FROM gateway.intent")}
    refunds = {row["id"] for row in control.rows("SELECT id FROM gateway.refund")}
    found = []
    for department in world.departments.values():
        found += [f"intent {each} was acknowledged and is gone" for each in department.intents if each not in statuses]
        found += [f"refund {each} was acknowledged and is gone" for each in department.refunds if each not in refunds]
        found += [
            f"intent {each} was cancelled for its department and is {statuses.get(each)}"
            for each in sorted(department.cancelled)
            if statuses.get(each) != "cancelled"
        ]
        found += [f"{department.code}: {sentence}" for sentence in department.broken]
    found += [
        f"{citizen.name} was shown a receipt for {citizen.intent_id}, which is {statuses.get(citizen.intent_id)}"
        for citizen in world.citizens
        if citizen.told_paid and statuses.get(citizen.intent_id) != "paid"
    ]
    return found


def nobody_saw_a_broken_page(world: World) -> list[str]:
    return [f"{c.name} saw {c.pages_broken} pages with status 500" for c in world.citizens if c.pages_broken]


def one_request_made_one_intent(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT resource FROM gateway.idempotency WHERE route LIKE '%intents' GROUP BY resource HAVING count(*) > 1"
    )
    orphans = world.simulation.control.rows(
        "SELECT i.id FROM gateway.intent i WHERE NOT EXISTS"
        " (SELECT FROM gateway.idempotency k WHERE k.resource = i.id) ORDER BY 1"
    )
    return [f"{row['resource']} answers two keys" for row in rows] + [
        f"intent {row['id']} was made by a request that has no answer" for row in orphans
    ]


def every_change_has_its_event(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT i.id, i.status, count(e.id) AS told FROM gateway.intent i LEFT JOIN gateway.event e"
        " ON e.object = i.id AND e.type = 'payment_intent.' || i.status"
        " WHERE i.status IN ('paid', 'cancelled', 'expired') GROUP BY 1, 2 HAVING count(e.id) <> 1 ORDER BY 1"
    )
    return [f"intent {row['id']} is {row['status']} and has {row['told']} events of it" for row in rows]


def an_end_is_the_end(world: World) -> list[str]:
    """A department is told once how a payment ended, and never anything else afterwards."""
    rows = world.simulation.control.rows(
        "SELECT object, string_agg(split_part(type, '.', 2), ' and ' ORDER BY created_at, id) AS ends"
        " FROM gateway.event"
        " WHERE type IN ('payment_intent.paid', 'payment_intent.cancelled', 'payment_intent.expired')"
        " GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
    )
    return [f"intent {row['object']} ended as {row['ends']}" for row in rows]


def nobody_is_late_who_paid_in_time(world: World) -> list[str]:
    """An intent expires only after its provider was asked: what was paid long before counts as paid, not as late.

    An attempt that was declined first is not asked about again, so a second card on its page may come too late. Where
    a provider answered with a word nobody knows, asking proved nothing.
    """
    if _answered_with_unknown_words(world):
        return []
    rows = world.simulation.control.rows(
        "SELECT a.id, a.captured_at, e.created_at AS expired_at FROM gateway.attempt a"
        " JOIN gateway.event e ON e.object = a.intent AND e.type = 'payment_intent.expired'"
        f" WHERE a.late AND a.captured_at < e.created_at - {_LONG_BEFORE} AND NOT EXISTS"
        " (SELECT FROM gateway.event d WHERE d.type = 'payment_attempt.declined' AND d.object = a.intent)"
        " ORDER BY 1"
    )
    return [
        f"attempt {row['id']} was paid at {row['captured_at']}, and its intent expired at {row['expired_at']}"
        for row in rows
    ]


def departments_were_told(world: World) -> list[str]:
    """Each event since the endpoint was opened has arrived, under its own id; and nothing forged was believed."""
    found = []
    for department in world.departments.values():
        rows = world.simulation.control.rows(
            f"SELECT e.id, e.type FROM gateway.event e JOIN gateway.webhook_endpoint w ON w.department = e.department"
            f" WHERE e.department = '{department.code}' AND e.created_at >= w.created_at ORDER BY 1"
        )
        found += [
            f"{department.code} was never told of {row['type']} {row['id']}"
            for row in rows
            if row["id"] not in department.listener.events
        ]
        if department.listener.forged:
            found.append(f"{department.code} got {department.listener.forged} deliveries it could not verify")
    return found


def receipts_have_no_gap(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT department, count(*) AS many, max(right(receipt_number, 7)::integer) AS last FROM gateway.intent"
        " WHERE receipt_number IS NOT NULL GROUP BY department"
        " HAVING count(*) <> max(right(receipt_number, 7)::integer)"
    )
    return [f"{row['department']} gave {row['many']} receipts, numbered up to {row['last']}" for row in rows]


def nothing_waits_past_its_time(world: World) -> list[str]:
    now = world.simulation.clock().isoformat()
    queues = {
        "inbox": ("gateway.inbox", "event", "status = 'waiting'", "next_try_at"),
        "refund": ("gateway.refund", "id", "status IN ('requested', 'pending', 'unknown') AND review IS NULL",
                   "next_check_at"),
        "attempt": ("gateway.attempt", "id", "status IN ('starting', 'pending', 'unknown') AND review IS NULL",
                    "next_check_at"),
        "delivery": ("gateway.webhook_delivery", "event", "status = 'waiting'", "next_try_at"),
        "message": ("gateway.message", "id", "status = 'waiting'", "next_try_at"),
        "intent": ("gateway.intent", "id", "status IN ('requires_payment', 'processing')", "next_close_at"),
    }  # fmt: skip
    found = []
    for name, (table, key, condition, due) in queues.items():
        rows = world.simulation.control.rows(
            f"SELECT {key} AS key, {due} AS due FROM {table} WHERE {condition}"
            f" AND {due} < '{now}'::timestamptz - {_PATIENCE}"
        )
        found += [f"{name} {row['key']} has waited since {row['due']}" for row in rows]
    rows = world.simulation.control.rows("SELECT event FROM gateway.outbox")
    found += [f"event {row['event']} was never looked at" for row in rows]
    return found


def seen_is_recorded_with_its_effect(world: World) -> list[str]:
    """A callback that tells of a capture counts as applied only where the attempt is captured, or before a person.

    Where a provider answered with a word nobody knows, its query proved nothing and the sweep asks again.
    """
    if _answered_with_unknown_words(world):
        return []
    rows = world.simulation.control.rows(
        "SELECT i.event, i.word, a.id, a.status FROM gateway.inbox i JOIN gateway.attempt a ON a.id = i.reference"
        " WHERE i.status = 'applied' AND a.captured_minor IS NULL AND a.review IS NULL"
        " AND (i.word IN ('CAPTURED', 'PURCHASED', 'completed') OR i.event LIKE '%:AUTHORISATION:true') ORDER BY 1"
    )
    return [f"callback {row['event']} {row['word']} is applied, and {row['id']} is {row['status']}" for row in rows]


def _answered_with_unknown_words(world: World) -> bool:
    return any("unknown_status" in name for name in world.simulation.trace.sometimes)


def messages_were_carried(world: World) -> list[str]:
    """A message that counts as sent was handed to its carrier."""
    rows = world.simulation.control.rows("SELECT id FROM gateway.message WHERE status = 'sent' ORDER BY 1")
    carried = world.product.postman.carried
    return [f"message {row['id']} counts as sent and nobody carried it" for row in rows if not carried[row["id"]]]


ALWAYS = (acknowledged_writes_are_there, every_change_has_its_event, receipts_have_no_gap, one_request_made_one_intent,
          seen_is_recorded_with_its_effect, an_end_is_the_end, nobody_is_late_who_paid_in_time)  # fmt: skip
AT_THE_END = (departments_were_told, nothing_waits_past_its_time, nobody_saw_a_broken_page, messages_were_carried)
