"""Fee analysis: what providers kept of what they settled, who bore it, and whether that is what the books say."""

from __future__ import annotations

from typing import Final

from ledger import accounts
from ledger.money import Money
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table, sum_row
from reconciliation.reports.words import word
from reconciliation.store import Connection, known

_BY_PROVIDER: Final = """
  SELECT provider, currency, count(*) FILTER (WHERE part = 'settled') AS payments,
    coalesce(-sum(amount_minor) FILTER (WHERE part = 'settled'), 0)::bigint AS settled_minor,
    coalesce(sum(amount_minor) FILTER (WHERE part = 'fee'), 0)::bigint AS fees_minor,
    coalesce(sum(amount_minor) FILTER (WHERE part = 'vat'), 0)::bigint AS vat_minor,
    coalesce(-sum(amount_minor) FILTER (WHERE part = 'borne'), 0)::bigint AS borne_minor
  FROM (
    SELECT coalesce(provider, '') AS provider, currency, journal_id, amount_minor,
      CASE WHEN account LIKE 'provider:%' THEN 'settled' WHEN kind = 'provider_fees_borne' THEN 'borne'
           WHEN account = 'treasury:provider_fees' THEN 'fee' ELSE 'vat' END AS part
    FROM ledger.postings
    WHERE business_date BETWEEN $1 AND $2 AND recorded_at >= $3 AND recorded_at <= $4
      AND (account LIKE 'treasury:provider_fees%' OR account LIKE 'provider:%:receivable' AND kind = 'payment_settled')
  ) parts
  GROUP BY 1, 2 ORDER BY 2, 1"""
_BY_DEPARTMENT: Final = """
  SELECT split_part(account, ':', 2) AS department, coalesce(provider, '') AS provider, currency,
         sum(amount_minor)::bigint AS borne_minor
  FROM ledger.postings
  WHERE business_date BETWEEN $1 AND $2 AND recorded_at >= $3 AND recorded_at <= $4
    AND kind = 'provider_fees_borne' AND account LIKE 'department:%:payable'
  GROUP BY 1, 2, 3 ORDER BY 3, 1, 2"""


def share(part_minor: int, whole_minor: int) -> str:
    """Write a part of a whole in percent with three places, rounded half up, without a float between."""
    if whole_minor <= 0:
        return "—"
    thousandths = (abs(part_minor) * 200_000 + whole_minor) // (2 * whole_minor)
    return f"{'-' if part_minor < 0 else ''}{thousandths // 1000}.{thousandths % 1000:03} %"


async def fee_analysis(connection: Connection, asked: Asked) -> Report:
    """Build the two tables, and hold their sums against the ledger's fee accounts."""
    language, span = asked.language, (asked.first_date, asked.business_date, asked.recorded_since, asked.known)
    providers = await connection.fetch(_BY_PROVIDER, *span)
    departments = await connection.fetch(_BY_DEPARTMENT, *span)

    body: list[Row] = []
    for row in providers:
        kept_minor = row["fees_minor"] + row["vat_minor"]
        body.append((
            row["provider"], row["payments"],
            *(Money.of_total(minor, row["currency"]) for minor in (
                row["settled_minor"], row["fees_minor"], row["vat_minor"], row["borne_minor"],
                kept_minor - row["borne_minor"])),
            share(row["fees_minor"], row["settled_minor"]),
        ))  # fmt: skip
    columns = (
        Column(word("provider", language), Shape.REFERENCE),
        Column(word("payments", language), Shape.COUNT),
        *(Column(word(key, language), Shape.AMOUNT)
          for key in ("settled", "fees", "fees_vat", "borne_by_departments", "borne_by_treasury")),
        Column(word("of_settled", language), Shape.REFERENCE),
    )  # fmt: skip
    borne: list[Row] = [
        (row["department"], row["provider"], Money.of_total(row["borne_minor"], row["currency"])) for row in departments
    ]
    borne_columns = (
        Column(word("department", language), Shape.REFERENCE),
        Column(word("provider", language), Shape.REFERENCE),
        Column(word("borne_by_departments", language), Shape.AMOUNT),
    )
    tables = (
        Table(word("fees_table", language), columns, body, sum_row(body, language), word("none", language)),
        Table(word("borne_table", language), borne_columns, borne, sum_row(borne, language), word("none", language)),
    )
    note = word("ties" if await _ties(connection, asked, body, borne) else "does_not_tie", language)
    return Report.of("fees", word("fee_analysis", language), asked, tables, note)


async def _ties(connection: Connection, asked: Asked, body: list[Row], borne: list[Row]) -> bool:
    """Compare what the treasury bore with what its fee accounts moved by, and both tables with each other."""
    moved: dict[str, int] = {}
    for account in (accounts.PROVIDER_FEES, accounts.PROVIDER_FEES_VAT):
        for row in await known.movements(
            connection, asked.business_date, asked.first_date, asked.recorded_since, asked.known, account
        ):
            moved[row["currency"]] = moved.get(row["currency"], 0) + row["debit_minor"] - row["credit_minor"]
    for row in body:
        if isinstance(treasury := row[6], Money):
            moved[treasury.currency] = moved.get(treasury.currency, 0) - treasury.amount_minor
    printed = sum(cell.amount_minor for row in body if isinstance(cell := row[5], Money))
    return not any(moved.values()) and printed == sum(
        cell.amount_minor for row in borne if isinstance(cell := row[2], Money)
    )
