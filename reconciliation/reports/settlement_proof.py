"""Settlement to bank: every batch a provider reported, what it booked to us, and the bank lines that brought it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ledger.money import Money
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table
from reconciliation.reports.words import word
from reconciliation.store import Connection, known

PREFETCH: Final = 1000

# A batch is shown when it was open at the end of the period, or moved in it. Each item is one batch. What could have
# been open is what is open now or moved since; nothing before the first of these opened need be read.
_BATCHES: Final = """
  WITH named AS (
    SELECT account, currency, item FROM ledger.open_items WHERE account LIKE 'provider:%:in_transit'
    UNION
    SELECT account, currency, item FROM ledger.postings
    WHERE account LIKE 'provider:%:in_transit' AND recorded_at >= $3 AND (business_date >= $1 OR recorded_at > $4)
  ), first AS (
    SELECT min(i.opened_at) - interval '7 days' AS at FROM named n JOIN ledger.items i USING (account, currency, item)
  ), moved AS (
    SELECT account, currency, item,
           coalesce(sum(amount_minor) FILTER (WHERE reference LIKE 'settle:%'), 0)::bigint AS reported_minor,
           coalesce(-sum(amount_minor) FILTER (WHERE reference NOT LIKE 'settle:%'), 0)::bigint AS received_minor,
           string_agg(DISTINCT coalesce(file || coalesce(' · ' || line, ''), reference), ', ')
             FILTER (WHERE reference NOT LIKE 'settle:%') AS bank_lines,
           max(business_date) AS moved_on
    FROM ledger.postings
    WHERE account LIKE 'provider:%:in_transit' AND recorded_at >= (SELECT at FROM first) AND recorded_at <= $4
      AND business_date <= $2 AND (account, currency, item) IN (SELECT account, currency, item FROM named)
    GROUP BY account, currency, item
  )
  SELECT m.*, f.file_no, f.name, f.business_date, f.total_net_minor FROM moved m
  LEFT JOIN LATERAL (SELECT file_no, name, business_date, total_net_minor FROM reconciliation.settlement_file f
    WHERE f.provider = split_part(m.account, ':', 2) AND f.batch_reference = m.item AND f.currency = m.currency
      AND f.status = 'accepted' AND f.imported_at <= $4 ORDER BY file_no LIMIT 1) f ON true
  WHERE m.reported_minor <> m.received_minor OR m.moved_on >= $1
  ORDER BY m.currency, m.account, f.business_date, m.item"""


async def settlement_proof(connection: Connection, asked: Asked) -> Report:
    """Build the proof: reported, received, still open; what is open sums to the accounts in transit."""
    language = asked.language
    span = (asked.first_date, asked.business_date, asked.recorded_since, asked.known)
    columns = (
        Column(word("provider", language), Shape.REFERENCE),
        Column(word("batch", language), Shape.REFERENCE),
        Column(word("file_no", language), Shape.REFERENCE),
        Column(word("file", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("stated", "booked", "received", "open_rest")),
        Column(word("bank_lines", language), Shape.REFERENCE),
    )
    standing = await known.movements(
        connection, asked.business_date, asked.first_date, asked.recorded_since, asked.known, "provider:%:in_transit"
    )
    sums: dict[str, int] = {}
    async for row in _batches(connection, span):
        if isinstance(rest := row[8], Money):
            sums[rest.currency] = sums.get(rest.currency, 0) + rest.amount_minor
    even = True
    balances: list[Row] = []
    for currency in sorted({row["currency"] for row in standing}):
        stands_minor = sum(row["closing_minor"] for row in standing if row["currency"] == currency)
        even = even and stands_minor == sums.get(currency, 0)
        balances.append((
            currency, Money.of_total(sums.get(currency, 0), currency), Money.of_total(stands_minor, currency),
            Money.of_total(stands_minor - sums.get(currency, 0), currency),
        ))  # fmt: skip
    balance_columns = (
        Column(word("currency", language), Shape.REFERENCE),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("open_rest", "book_balance", "difference")),
    )
    none = word("none", language)
    tables = (
        Table(word("batches", language), columns, _batches(connection, span), empty=none),
        Table(word("tie_table", language), balance_columns, balances, empty=none),
    )
    note = word("ties" if even else "does_not_tie", language)
    return Report.of("settlement", word("settlement_proof", language), asked, tables, note)


async def _batches(connection: Connection, span: tuple[object, ...]) -> AsyncIterator[Row]:
    async for row in connection.cursor(_BATCHES, *span, prefetch=PREFETCH):
        currency = row["currency"]
        stated_minor, rest_minor = row["total_net_minor"], row["reported_minor"] - row["received_minor"]
        yield (
            row["account"].split(":")[1], row["item"], row["file_no"] and str(row["file_no"]), row["name"],
            row["business_date"],
            None if stated_minor is None else Money.of_total(stated_minor, currency),
            Money.of_total(row["reported_minor"], currency), Money.of_total(row["received_minor"], currency),
            Money.of_total(rest_minor, currency), row["bank_lines"],
        )  # fmt: skip
