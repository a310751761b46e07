"""The daily reconciliation: opening and in less out is closing, for every provider, department and account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ledger.money import Money
from reconciliation.breaks import BreakType, Language, title
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table, sum_row
from reconciliation.reports.words import word
from reconciliation.store import Connection, Record, known

_DEPARTMENT_KINDS: Final = """
  SELECT split_part(account, ':', 2) AS department, currency,
    -sum(amount_minor) FILTER (WHERE kind IN ('payment_captured', 'late_payment_accepted')) AS collected,
    sum(amount_minor) FILTER (WHERE kind LIKE 'refund_accepted%') AS refunded,
    sum(amount_minor) FILTER (WHERE kind = 'provider_fees_borne') AS fees,
    sum(amount_minor) FILTER (WHERE kind IN ('payout_instructed', 'payout_booked_paid')) AS paid_out,
    -sum(amount_minor) FILTER (WHERE kind = 'payout_returned') AS returned,
    -sum(amount_minor) AS net
  FROM ledger.postings
  WHERE business_date = $1 AND recorded_at >= $2 AND recorded_at <= $3 AND account LIKE 'department:%:payable'
  GROUP BY 1, 2"""
_SETTLED: Final = """
  SELECT p.provider, p.currency, count(DISTINCT p.file) AS files,
    -- A journal of payments clears an item for each of its lines, however many they are; any other is one line.
    count(*) FILTER (WHERE kind = 'payment_settled' AND account LIKE 'provider:%:receivable')
      + count(DISTINCT p.journal_id) FILTER (WHERE kind <> 'payment_settled') AS lines,
    coalesce(-sum(amount_minor) FILTER (WHERE account NOT LIKE 'provider:%:in_transit' AND account NOT LIKE
      'treasury:provider_fees%' AND account <> 'treasury:rounding'), 0)::bigint AS settled_minor,
    coalesce(sum(amount_minor) FILTER (WHERE account = 'treasury:provider_fees'), 0)::bigint AS fees_minor,
    coalesce(sum(amount_minor) FILTER (WHERE account = 'treasury:provider_fees_vat'), 0)::bigint AS vat_minor,
    coalesce(sum(amount_minor) FILTER (WHERE account LIKE 'provider:%:in_transit'), 0)::bigint AS net_minor
  FROM ledger.postings p
  WHERE business_date = $1 AND recorded_at >= $2 AND recorded_at <= $3 AND reference LIKE 'settle:%'
  GROUP BY 1, 2 ORDER BY 2, 1"""


async def daily_reconciliation(connection: Connection, asked: Asked) -> Report:
    """Build the page that says whether the day is right."""
    day, language, since = asked.business_date, asked.language, asked.recorded_since
    moved = await known.movements(connection, day, day, since, asked.known)
    departments = await connection.fetch(_DEPARTMENT_KINDS, day, since, asked.known)
    settled = await connection.fetch(_SETTLED, day, since, asked.known)
    standing = await known.standing_by_type(connection, asked.known)
    by_kind = {(row["department"], row["currency"]): row for row in departments}
    tables = (
        _accounts_table("providers", _of(moved, "provider:"), language),
        _settled_table(settled, language),
        _departments_table(moved, by_kind, language),
        _accounts_table("bank_table", _of(moved, "bank:"), language),
        _accounts_table("suspense_table", _of(moved, "suspense:", "disputes:"), language),
        _breaks_table(standing, language),
    )
    note = word("ties" if ties(moved, tables) else "does_not_tie", language)
    return Report.of("reconciliation", word("reconciliation", language), asked, tables, note)


def _of(moved: Iterable[Record], *starts: str) -> list[Record]:
    return [row for row in moved if row["account"].startswith(starts)]


def natural(row: Record) -> tuple[int, int, int, int]:
    """Give opening, in, out and closing on the side where the account stands: what we owe is positive too."""
    closing, debit, credit = row["closing_minor"], row["debit_minor"], row["credit_minor"]
    opening = closing - debit + credit
    account = row["account"]
    if account.startswith(("department:", "suspense:")) or account.endswith(":refunds_in_transit"):
        return -opening, credit, debit, -closing
    return opening, debit, credit, closing


def is_still(row: Record) -> bool:
    return not any(natural(row))


_SUFFIXES: Final = {"receivable": "receivable", "in_transit": "transit", "refunds_in_transit": "refunds_in_transit"}


def _account_name(path: str, language: Language) -> str:
    """Show a provider's control account by what it holds, other accounts by their path."""
    parts = path.split(":")
    if parts[0] == "provider" and parts[-1] in _SUFFIXES:
        return f"{parts[1]}: {word(_SUFFIXES[parts[-1]], language)}"
    return path


def _accounts_table(name: str, rows: Sequence[Record], language: Language) -> Table:
    body: list[Row] = [
        (_account_name(row["account"], language), *(Money.of_total(part, row["currency"]) for part in natural(row)))
        for row in rows
        if not is_still(row)
    ]
    columns = (
        Column(word("account", language)),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("opening", "in", "out", "closing")),
    )
    return Table(word(name, language), columns, body, empty=word("none", language))


def _settled_table(rows: Sequence[Record], language: Language) -> Table:
    body: list[Row] = [
        (row["provider"], row["files"], row["lines"],
         *(Money.of_total(row[part], row["currency"])
           for part in ("settled_minor", "fees_minor", "vat_minor", "net_minor")))
        for row in rows
    ]  # fmt: skip
    columns = (
        Column(word("provider", language), Shape.REFERENCE),
        Column(word("files", language), Shape.COUNT),
        Column(word("lines", language), Shape.COUNT),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("settled", "fees", "fees_vat", "net")),
    )
    return Table(word("fees_table", language), columns, body, sum_row(body, language), word("none", language))


def _departments_table(moved: Sequence[Record], by_kind: dict[tuple[str, str], Record], language: Language) -> Table:
    in_transit = {
        (row["account"].split(":")[1], row["currency"]): -row["closing_minor"]
        for row in moved
        if row["account"].endswith(":payout_in_transit")
    }
    body: list[Row] = []
    for row in moved:
        if not (row["account"].startswith("department:") and row["account"].endswith(":payable")):
            continue
        department, currency = row["account"].split(":")[1], row["currency"]
        opening, _, _, closing = natural(row)
        part = by_kind.get((department, currency))
        collected, refunded, fees, paid_out, returned = (
            (part[key] or 0 if part else 0) for key in ("collected", "refunded", "fees", "paid_out", "returned")
        )
        other = closing - opening - collected + refunded + fees + paid_out - returned
        transit = in_transit.get((department, currency), 0)
        amounts = (opening, collected, refunded, fees, paid_out, returned, other, closing, transit)
        if any(amounts):
            body.append((department, *(Money.of_total(int(amount), currency) for amount in amounts)))
    columns = (
        Column(word("department", language), Shape.REFERENCE),
        *(
            Column(word(key, language), Shape.AMOUNT)
            for key in (
                "opening",
                "collected",
                "refunded",
                "fees",
                "paid_out",
                "returned",
                "other",
                "closing",
                "in_transit",
            )
        ),
    )
    return Table(word("departments_table", language), columns, body, sum_row(body, language), word("none", language))


def _breaks_table(rows: Sequence[Record], language: Language) -> Table:
    body: list[Row] = [
        (title(BreakType(row["type"]), language), row["breaks"],
         Money.of_total(row["value_minor"], row["currency"]) if row["currency"] else None, row["oldest"])
        for row in rows
    ]  # fmt: skip
    columns = (
        Column(word("type", language)),
        Column(word("count", language), Shape.COUNT),
        Column(word("value", language), Shape.AMOUNT),
        Column(word("oldest", language), Shape.DATE),
    )
    return Table(word("breaks_table", language), columns, body, empty=word("none", language))


def ties(moved: Sequence[Record], tables: Sequence[Table]) -> bool:
    """Prove the page: every ledger account's debits and credits cancel per currency, and the tables lost none.

    The closings printed for providers, departments, bank and suspense are summed again from the cells and compared
    with the ledger's accounts they stand for.
    """
    sums: dict[str, int] = {}
    for row in moved:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["closing_minor"]
    if any(sums.values()):
        return False
    expected = sum(natural(row)[3] for row in _of(moved, "provider:", "bank:", "suspense:", "disputes:"))
    expected += sum(natural(row)[3] for row in moved if row["account"].endswith(":payable"))
    printed = 0
    for place, column in ((0, 4), (3, 4), (4, 4), (2, 8)):
        rows = tables[place].rows
        if isinstance(rows, Sequence):
            printed += sum(cell.amount_minor for row in rows if isinstance(cell := row[column], Money))
    return printed == expected
