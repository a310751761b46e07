"""What was collected for whom, line by line behind the journals that say so: our rows joined to the books' own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from gateway.store.connections import Connection

# The books decide what counts, when and for how much; our rows only say what it was for. A payment that waits in
# suspense is nobody's revenue yet and has no such posting.
_BOOKED: Final = """
  WITH booked AS (
    SELECT journal_id, reference, currency, business_date, -sum(amount_minor) AS amount_minor
    FROM ledger.postings
    WHERE business_date BETWEEN $1 AND $2 AND recorded_at >= $3 AND recorded_at <= $4
      AND (account LIKE 'department:%:payable' OR account IN ('tax:vat_payable', 'treasury:gateway_fees'))
      AND (reference LIKE 'capture:%' OR reference LIKE 'late_accepted:%' OR reference LIKE 'refund:%'
           OR reference LIKE 'refund_failed:%')
    GROUP BY journal_id, reference, currency, business_date
  )"""
_LINES: Final = (
    _BOOKED
    + """, line AS (
    SELECT b.business_date, b.currency, a.method, a.intent AS payment, l.department, l.service, l.name_en, l.name_ar,
           l.revenue_code, l.amount_minor AS collected_minor, 0::bigint AS refunded_minor, l.vat_minor
    FROM booked b
    JOIN gateway.attempt a ON a.id = split_part(b.reference, ':', 2)
    JOIN gateway.intent_line l ON l.intent = a.intent
    WHERE b.reference LIKE 'capture:%' OR b.reference LIKE 'late_accepted:%'
    UNION ALL
    SELECT b.business_date, b.currency, a.method, NULL, l.department, l.service, l.name_en, l.name_ar, l.revenue_code,
           0, CASE WHEN b.amount_minor < 0 THEN r.amount_minor ELSE -r.amount_minor END,
           CASE WHEN b.amount_minor < 0 THEN -r.vat_minor ELSE r.vat_minor END
    FROM booked b
    JOIN gateway.refund f ON f.id = split_part(b.reference, ':', 2)
    JOIN gateway.attempt a ON a.id = f.attempt
    JOIN gateway.refund_line r ON r.refund = f.id
    JOIN gateway.intent_line l ON l.intent = f.intent AND l.number = r.number
    WHERE b.reference LIKE 'refund:%' OR b.reference LIKE 'refund_failed:%'
  )"""
)
_SUMS: Final = """
  count(DISTINCT payment) AS payments, sum(collected_minor)::bigint AS collected_minor,
  sum(refunded_minor)::bigint AS refunded_minor, sum(vat_minor)::bigint AS vat_minor"""
_BY_SERVICE: Final = (
    _LINES
    + """
  SELECT l.currency, l.department, coalesce(l.service, '') AS service, l.revenue_code, l.method,
         coalesce(w.audience, '[]')::text AS audience,
         CASE WHEN l.service IS NULL THEN '' ELSE max(l.name_en) END AS name_en,
         CASE WHEN l.service IS NULL THEN '' ELSE max(l.name_ar) END AS name_ar, """
    + _SUMS
    + """
  FROM line l
  LEFT JOIN LATERAL (SELECT audience FROM gateway.service_audience w WHERE w.service = l.service AND w.at <= $4
                     ORDER BY w.at DESC LIMIT 1) w ON true
  GROUP BY l.currency, l.department, l.service, l.revenue_code, l.method, w.audience
  ORDER BY l.currency, l.department, service, l.revenue_code, l.method, audience"""
)
_BY_DATE: Final = (
    _LINES + "\n  SELECT l.business_date, l.currency, l.method," + _SUMS
    + "\n  FROM line l GROUP BY l.business_date, l.currency, l.method ORDER BY l.business_date, l.currency, l.method"
)  # fmt: skip
_SUM_OF_BOOKS: Final = (
    _BOOKED
    + " SELECT currency, sum(amount_minor)::bigint AS amount_minor FROM booked GROUP BY currency ORDER BY currency"
)
_RATINGS: Final = """
  SELECT coalesce(l.service, '') AS service, a.method,
         CASE WHEN l.service IS NULL THEN '' ELSE max(l.name_en) END AS name_en,
         CASE WHEN l.service IS NULL THEN '' ELSE max(l.name_ar) END AS name_ar,
         count(*) AS ratings, sum(r.score)::bigint AS points,
         count(*) FILTER (WHERE r.score = 1) AS ones, count(*) FILTER (WHERE r.score = 2) AS twos,
         count(*) FILTER (WHERE r.score = 3) AS threes, count(*) FILTER (WHERE r.score = 4) AS fours,
         count(*) FILTER (WHERE r.score = 5) AS fives
  FROM (SELECT DISTINCT ON (intent) intent, score, given_at FROM gateway.rating_history
        WHERE given_at <= $3 ORDER BY intent, given_at DESC) r
  JOIN gateway.intent i ON i.id = r.intent
  JOIN gateway.attempt a ON a.id = i.paid_attempt
  JOIN (SELECT DISTINCT intent, service, name_en, name_ar FROM gateway.intent_line) l ON l.intent = r.intent
  WHERE r.given_at >= $1 AND r.given_at < $2
  GROUP BY l.service, a.method ORDER BY service, a.method"""


async def by_service(
    connection: Connection, since: date, until: date, recorded_since: datetime, known: datetime
) -> list[Any]:
    """Sum a period by department, service, revenue code, method and audience."""
    rows: list[Any] = await connection.fetch(_BY_SERVICE, since, until, recorded_since, known)
    return rows


async def by_date(
    connection: Connection, since: date, until: date, recorded_since: datetime, known: datetime
) -> list[Any]:
    """Sum a period by business date and method."""
    rows: list[Any] = await connection.fetch(_BY_DATE, since, until, recorded_since, known)
    return rows


async def sum_of_books(
    connection: Connection, since: date, until: date, recorded_since: datetime, known: datetime
) -> dict[str, int]:
    """Return what the books credited for payments less refunds in a period, by currency."""
    rows = await connection.fetch(_SUM_OF_BOOKS, since, until, recorded_since, known)
    return {row["currency"]: row["amount_minor"] for row in rows}


async def ratings(connection: Connection, since: datetime, before: datetime, known: datetime) -> list[Any]:
    """Count the ratings that stood at an instant and were given in a period, by service and method."""
    rows: list[Any] = await connection.fetch(_RATINGS, since, before, known)
    return rows


# The VAT inside a line is no department's, so it has no part in how its money is divided.
_CODES: Final = """
  WITH asked AS (SELECT r AS reference, split_part(r, ':', 1) AS kind, split_part(r, ':', 2) AS id
                 FROM unnest($2::text[]) AS t(r))
  SELECT q.reference, l.revenue_code, sum(l.amount_minor - l.vat_minor)::bigint AS amount_minor
  FROM asked q
  JOIN gateway.attempt a ON a.id = q.id
  JOIN gateway.intent_line l ON l.intent = a.intent AND l.department = $1
  WHERE q.kind IN ('capture', 'late_accepted', 'reversal') GROUP BY 1, 2
  UNION ALL
  SELECT q.reference, l.revenue_code, sum(r.amount_minor - r.vat_minor)::bigint
  FROM asked q
  JOIN gateway.refund f ON f.id = q.id
  JOIN gateway.refund_line r ON r.refund = f.id
  JOIN gateway.intent_line l ON l.intent = f.intent AND l.number = r.number AND l.department = $1
  WHERE q.kind IN ('refund', 'refund_failed') GROUP BY 1, 2
  ORDER BY 1, 2"""


async def codes_of(connection: Connection, department: str, references: Sequence[str]) -> list[Any]:
    """Read what each journal's payment or refund is made of, by revenue code, for one department."""
    rows: list[Any] = await connection.fetch(_CODES, department, list(references))
    return rows
