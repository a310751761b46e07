"""Payments whose money comes straight to our account, found by what a bank entry names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger import accounts
from reconciliation.bank_matching import OpenTransfer
from reconciliation.store import Connection


async def named(
    connection: Connection, providers: Iterable[str], currency: str, keys: Sequence[str]
) -> list[OpenTransfer]:
    """Read the payments these keys name: what is open of each, and with nothing open those that are all there."""
    if not keys:
        return []
    owners = {accounts.provider_receivable(provider): provider for provider in sorted(providers)}
    rows = await connection.fetch(
        """
        SELECT account, item, provider_reference, amount_minor, payment FROM ledger.open_items
        WHERE account = ANY ($1::text[]) AND currency = $2 AND amount_minor > 0
          AND (item = ANY ($3::text[]) OR provider_reference = ANY ($3::text[]))
        ORDER BY account, item
        """,
        list(owners),
        currency,
        list(keys),
    )
    found = [
        OpenTransfer(
            row["account"], owners[row["account"]], row["item"], row["provider_reference"], row["amount_minor"],
            row["payment"],
        )
        for row in rows
    ]  # fmt: skip
    is_open = {one.item for one in found}
    # What an earlier entry named in the same way and cleared: a second transfer for it is too much, not a stranger.
    before = await connection.fetch(
        """
        SELECT DISTINCT n.key, m.account, m.item FROM (
          SELECT statement_no, number, reference AS key FROM reconciliation.entry_reference
          WHERE reference = ANY ($2::text[])
          UNION ALL
          SELECT statement_no, number, end_to_end_id FROM reconciliation.statement_entry
          WHERE end_to_end_id = ANY ($2::text[])
        ) n
        JOIN reconciliation.current_match m ON m.leg = 'bank' AND m.file_no = n.statement_no AND m.line = n.number
        WHERE m.account = ANY ($1::text[]) ORDER BY m.account, m.item, n.key
        """,
        list(owners),
        list(keys),
    )
    found += [
        OpenTransfer(row["account"], owners[row["account"]], row["item"], row["key"], 0)
        for row in before
        if row["item"] not in is_open
    ]
    return found
