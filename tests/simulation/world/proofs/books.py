"""The ledger by itself: every journal balances, every balance is the sum of its postings, nothing was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world.world import World


def journals_balance(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT journal_id, currency, sum(amount_minor)::bigint AS over FROM ledger.postings"
        " GROUP BY 1, 2 HAVING sum(amount_minor) <> 0 ORDER BY 1"
    )
    return [f"journal {row['journal_id']} is off by {row['over']} {row['currency']}" for row in rows]


def balances_are_sums(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT b.account, b.amount_minor, coalesce(p.total, 0)::bigint AS total FROM ledger.balances b"
        " LEFT JOIN (SELECT account, currency, sum(amount_minor) AS total FROM ledger.postings GROUP BY 1, 2) p"
        "   USING (account, currency)"
        " WHERE b.amount_minor <> coalesce(p.total, 0) ORDER BY 1"
    )
    return [f"balance of {row['account']} is {row['amount_minor']}, its postings sum to {row['total']}" for row in rows]


def journals_are_numbered_without_gaps(world: World) -> list[str]:
    row = world.simulation.control.rows("SELECT count(*) AS many, coalesce(max(id), 0) AS last FROM ledger.journal")[0]
    return [] if row["many"] == row["last"] else [f"{row['many']} journals are numbered up to {row['last']}"]


def open_items_are_sums(world: World) -> list[str]:
    rows = world.simulation.control.rows(
        "SELECT o.account, o.item, o.amount_minor, coalesce(p.total, 0)::bigint AS total FROM ledger.open_items o"
        " LEFT JOIN (SELECT account, currency, item, sum(amount_minor) AS total FROM ledger.postings"
        "             WHERE item IS NOT NULL GROUP BY 1, 2, 3) p USING (account, currency, item)"
        " WHERE o.amount_minor <> coalesce(p.total, 0) ORDER BY 1, 2"
    )
    return [
        f"item {row['item']} of {row['account']} stands at {row['amount_minor']}, its postings sum to {row['total']}"
        for row in rows
    ]


ALWAYS = (journals_balance, balances_are_sums, journals_are_numbered_without_gaps, open_items_are_sums)
