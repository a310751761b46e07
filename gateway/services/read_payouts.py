"""A department's own money: what the books owe it, what was paid out to it and for what, its statement as a file."""

from __future__ import annotations

from datetime import date, timedelta

from gateway.deps import Deps, Payout, PayoutPart
from gateway.domain.errors import InvalidError, NotFoundError
from gateway.services.documents import Document, instant, page_document
from gateway.services.notices import money
from gateway.store import balances, payout_parts
from gateway.store.payout_parts import Known
from ledger.money import Money


async def list_balances(deps: Deps, department: str) -> Document:
    """Return one balance for each currency the department was ever owed something in."""
    async with deps.connection() as connection:
        rows = await balances.of_department(connection, department)
    documents = [
        {
            "object": "balance",
            "currency": row["currency"],
            "payable": money(Money.of_total(row["payable_minor"], row["currency"])),
            "held_back": money(Money.of_total(row["held_back_minor"], row["currency"])),
            "in_transit": money(Money.of_total(row["in_transit_minor"], row["currency"])),
        }
        for row in rows
    ]
    return page_document(documents, None)


async def list_payouts(deps: Deps, department: str, *, cursor: str | None, limit: int) -> Document:
    """Return a page of the department's payouts, newest first."""
    if deps.payouts is None:
        return page_document([], None)
    async with deps.connection() as connection:
        found = await deps.payouts.list_payouts(connection, department, before=cursor, limit=limit + 1)
    documents = [payout_document(one) for one in found[:limit]]
    return page_document(documents, found[limit - 1].id if len(found) > limit else None)


async def read_payout(deps: Deps, department: str, payout_id: str, *, after: int, limit: int) -> Document:
    """Return a payout with a page of what is inside it, from one snapshot."""
    if deps.payouts is None:
        raise NotFoundError
    async with deps.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        found = await deps.payouts.read_payout(connection, department, payout_id, after=after, limit=limit + 1)
        if found is None:
            raise NotFoundError
        paid = sorted({part.payment for part in found.parts if part.payment is not None})
        known = await payout_parts.known_by(connection, department, paid)
    more = len(found.parts) > limit
    return {
        **payout_document(found.payout),
        "not_itemised": money(found.not_itemised),
        "parts": [_part_document(one, known.get(one.payment or "")) for one in found.parts[:limit]],
        "next_cursor": str(found.parts[limit - 1].journal) if more else None,
    }


async def write_report(
    deps: Deps, name: str, department: str, *, since: date | None, until: date | None, language: str
) -> bytes:
    """Return a report as CSV, whole: a slow reader must not hold a connection. Its days and bytes are bounded."""
    if deps.payouts is None:
        raise NotFoundError
    today = deps.clock().astimezone(deps.zone).date()
    until = until or today - timedelta(days=1)
    since = since or until
    if until > today:
        raise InvalidError("lies in the future", pointer="/query/date")
    if since > until:
        raise InvalidError("lies after the last day", pointer="/query/from")
    if (until - since).days >= deps.limits.report_days_max:
        raise InvalidError(f"at most {deps.limits.report_days_max} days at once", pointer="/query/from")
    written = bytearray()
    async with deps.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        chunks = await deps.payouts.write_report(
            connection, name, department, since=since, until=until, language=language
        )
        async for chunk in chunks:
            written += chunk
            if len(written) > deps.limits.report_bytes_max:
                raise InvalidError("more than one answer can hold; ask for fewer days", pointer="/query/from")
    return bytes(written)


def payout_document(payout: Payout) -> Document:
    return {
        "id": payout.id,
        "object": "payout",
        "status": payout.status,
        "amount": money(payout.amount),
        "business_date": payout.business_date.isoformat(),
        "instructed_at": instant(payout.instructed_at),
        "paid_on": payout.paid_on and payout.paid_on.isoformat(),
        "iban_ending": payout.iban_ending,
        "revenue_code": payout.revenue_code or None,
        "remittance": payout.remittance,
        "reason": payout.reason or None,
    }


def _part_document(part: PayoutPart, known: Known | None) -> Document:
    services = known.services if known else ()
    return {
        "object": "payout_part",
        "kind": part.kind,
        "payment_intent": part.payment,
        "payment_reference": known.reference if known else None,
        "receipt_number": known.receipt_number if known else None,
        "services": [{"service": service, "revenue_code": revenue_code} for service, revenue_code in services],
        "reference": part.reference,
        "business_date": part.business_date.isoformat(),
        "amount": money(part.amount),
    }
