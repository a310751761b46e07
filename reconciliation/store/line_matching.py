"""Settlement lines against the ledger's open items, in sets: the whole file is matched by a handful of statements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from typing import Final

from ledger import accounts
from reconciliation.matching import RULE, FeeTerms, MatchOutcome
from reconciliation.postings import DISPUTES_RECEIVABLE
from reconciliation.store import WHOLE_FILE_TIMEOUT_S, Connection, Record

# A file of a million lines is joined in memory, or in few pieces on disk.
_ROOM_TO_JOIN: Final = "SET LOCAL work_mem = '64MB'"
_COUNT_CANDIDATES: Final = "ANALYZE candidate (number, account, currency, item)"

_HELD: Final = """
  CREATE TEMPORARY TABLE held (
    account text COLLATE "C", currency text, item text COLLATE "C", amount_minor bigint, payment text COLLATE "C",
    provider_reference text COLLATE "C", kind text
  ) ON COMMIT DROP"""
_TAKE_OPEN_ITEMS: Final = """
  INSERT INTO held
  SELECT account, currency, item, amount_minor, payment, provider_reference,
         CASE account WHEN $1 THEN 'payment' ELSE 'refund' END
  FROM ledger.open_items WHERE account = $1 OR account = $2"""

_CANDIDATE: Final = """
  CREATE TEMPORARY TABLE candidate (
    number integer, rule text, account text COLLATE "C", currency text, item text COLLATE "C", amount_minor bigint,
    payment text COLLATE "C"
  ) ON COMMIT DROP"""
_BY_PROVIDER_REFERENCE: Final = """
  INSERT INTO candidate
  SELECT s.number, 'provider_reference', h.account, h.currency, h.item, h.amount_minor, h.payment
  FROM stage s JOIN held h ON h.provider_reference = s.provider_reference AND h.kind = s.kind"""
# Few lines are left for the next rung, so they are set aside once, not looked for among all again.
_UNFOUND: Final = "CREATE TEMPORARY TABLE unfound (LIKE stage) ON COMMIT DROP"
_SET_ASIDE: Final = """
  INSERT INTO unfound SELECT s.* FROM stage s WHERE NOT EXISTS (SELECT FROM candidate c WHERE c.number = s.number)"""
_BY_OUR_REFERENCE: Final = """
  INSERT INTO candidate
  SELECT s.number, 'our_reference', h.account, h.currency, h.item, h.amount_minor, h.payment
  FROM unfound s JOIN held h ON h.item = s.reference AND h.kind = s.kind"""
_NAMES_SEVERAL: Final = "SELECT EXISTS (SELECT FROM candidate GROUP BY number HAVING count(*) > 1)"
# One reference may name several open items (two refunds of one order). The line's own currency and amount choose
# among them; they never choose without the reference.
_KEEP_THE_BEST: Final = """
  DELETE FROM candidate c USING (
    SELECT c.ctid AS row, row_number() OVER (PARTITION BY c.number ORDER BY (c.currency = $1) DESC,
      abs(c.amount_minor - s.gross_minor), c.item) AS rank
    FROM candidate c JOIN stage s USING (number)
    WHERE c.number IN (SELECT number FROM candidate GROUP BY number HAVING count(*) > 1)
  ) ranked WHERE ranked.row = c.ctid AND ranked.rank > 1"""

# What this provider settled before under the same reference: how a second settlement is told from a stranger, and
# whose payment a chargeback takes back. Only lines without an open item are looked up.
_BEFORE: Final = """
  CREATE TEMPORARY TABLE settled_before (number integer, item text COLLATE "C", payment text COLLATE "C")
  ON COMMIT DROP"""
_FIND_BEFORE: Final = """
  INSERT INTO settled_before
  SELECT s.number, b.item, b.payment FROM unfound s
  CROSS JOIN LATERAL (
    SELECT m.item, m.payment FROM reconciliation.settlement_line l
    JOIN reconciliation.settlement_file f ON f.file_no = l.file_no AND f.provider = $1
    JOIN reconciliation.current_match m ON m.leg = 'provider' AND m.file_no = l.file_no AND m.line = l.number
                                       AND m.outcome IN ('matched', 'amount')
    WHERE l.provider_reference = s.provider_reference
      AND l.kind = CASE s.kind WHEN 'refund' THEN 'refund' ELSE 'payment' END
    LIMIT 1
  ) b
  WHERE s.provider_reference IS NOT NULL AND s.kind IN ('payment', 'refund', 'chargeback', 'chargeback_reversed')
    AND NOT EXISTS (SELECT FROM candidate c WHERE c.number = s.number)"""

_DECIDE: Final = """
  INSERT INTO reconciliation.match (leg, file_no, line, outcome, rule, account, item, payment, expected_minor,
                                    variance_minor, score)
  SELECT 'provider', $1::integer, number, outcome, CASE WHEN found THEN rule END,
    CASE outcome WHEN 'matched' THEN account WHEN 'amount' THEN account WHEN 'fee_line' THEN $4::text
                 WHEN 'chargeback' THEN $5::text ELSE $6::text END,
    CASE outcome WHEN 'matched' THEN item WHEN 'amount' THEN item WHEN 'fee_line' THEN NULL
                 WHEN 'chargeback' THEN coalesce(before_item, provider_reference, reference, own_item)
                 ELSE own_item END,
    CASE outcome WHEN 'missing_in_books' THEN NULL WHEN 'unknown_line' THEN NULL
                 ELSE coalesce(payment, before_payment) END,
    amount_minor, CASE WHEN outcome = 'amount' THEN gross_minor - amount_minor ELSE 0 END,
    CASE WHEN NOT found THEN 0 WHEN rule = 'provider_reference' THEN $7::smallint ELSE $8::smallint END
  FROM (
    SELECT s.number, s.gross_minor, s.provider_reference, s.reference, c.rule, c.account, c.item, c.payment,
           c.amount_minor, b.item AS before_item, b.payment AS before_payment, c.number IS NOT NULL AS found,
           $2::text || ':' || $1::integer || ':' || s.number AS own_item,
      CASE
        WHEN s.kind = 'payout' THEN 'statement_only'
        WHEN s.kind = 'fee' THEN 'fee_line'
        WHEN s.kind IN ('chargeback', 'chargeback_reversed') THEN 'chargeback'
        WHEN s.kind NOT IN ('payment', 'refund') THEN 'unknown_line'
        WHEN c.number IS NULL AND b.number IS NOT NULL THEN 'duplicate'
        WHEN c.number IS NULL THEN 'missing_in_books'
        WHEN s.number > t.first THEN 'duplicate'
        WHEN c.currency <> $3::text THEN 'currency'
        WHEN c.amount_minor <> s.gross_minor THEN 'amount'
        ELSE 'matched'
      END AS outcome
    FROM stage s
    LEFT JOIN candidate c USING (number)
    LEFT JOIN (SELECT account, currency, item, min(number) AS first FROM candidate
               GROUP BY account, currency, item HAVING count(*) > 1) t
      ON t.account = c.account AND t.currency = c.currency AND t.item = c.item
    LEFT JOIN settled_before b ON b.number = s.number
  ) decided
  -- In the order of their key, in which they are also posted: written and read side by side.
  ORDER BY number"""


async def match_lines(connection: Connection, provider: str, file_no: int, currency: str) -> dict[str, int]:
    """Decide every staged line of a file and return how many came to which outcome."""

    async def each(*statements: tuple[str, *tuple[object, ...]]) -> None:
        for statement, *arguments in statements:
            await connection.execute(statement, *arguments, timeout=WHOLE_FILE_TIMEOUT_S)

    await each(
        (_ROOM_TO_JOIN,), (_HELD,), (_CANDIDATE,), (_UNFOUND,), (_BEFORE,),
        (_TAKE_OPEN_ITEMS, accounts.provider_receivable(provider), accounts.provider_refunds_in_transit(provider)),
        ("ANALYZE held (item, provider_reference, kind)",),
        (_BY_PROVIDER_REFERENCE,),
        (_COUNT_CANDIDATES,),
        (_SET_ASIDE,),
        ("ANALYZE unfound",),
        (_BY_OUR_REFERENCE,),
        (_COUNT_CANDIDATES,),
    )  # fmt: skip
    if await connection.fetchval(_NAMES_SEVERAL, timeout=WHOLE_FILE_TIMEOUT_S):
        await each((_KEEP_THE_BEST, currency))
    await each(
        (_FIND_BEFORE, provider),
        ("ANALYZE settled_before",),
        (_DECIDE, file_no, provider, currency, accounts.PROVIDER_FEES, DISPUTES_RECEIVABLE,
         accounts.SUSPENSE_UNIDENTIFIED, RULE["provider_reference"].score, RULE["our_reference"].score),
    )  # fmt: skip
    rows = await connection.fetch(
        "SELECT outcome, count(*) AS lines FROM reconciliation.match WHERE leg = 'provider' AND file_no = $1"
        " GROUP BY outcome",
        file_no,
        timeout=WHOLE_FILE_TIMEOUT_S,
    )
    return {row["outcome"]: row["lines"] for row in rows}


def broken_lines(connection: Connection, file_no: int) -> AsyncIterator[Record]:
    """Stream the lines of a file whose outcome is somebody's work; the caller is in a transaction."""
    found: AsyncIterator[Record] = connection.cursor(
        """
        SELECT m.line, m.outcome, m.account, m.item, m.payment, m.expected_minor, m.variance_minor,
               l.gross_minor, l.raw_kind, coalesce(l.provider_reference, l.reference, '') AS reference,
               c.currency AS our_currency
        FROM reconciliation.match m
        JOIN reconciliation.settlement_line l ON l.file_no = m.file_no AND l.number = m.line
        LEFT JOIN candidate c ON c.number = m.line
        WHERE m.leg = 'provider' AND m.file_no = $1 AND m.outcome <> ALL ($2::text[])
        ORDER BY m.line
        """,
        file_no,
        [MatchOutcome.MATCHED, MatchOutcome.FEE_LINE, MatchOutcome.STATEMENT_ONLY],
        prefetch=1000,
    )
    return found


def wrong_fees(connection: Connection, file_no: int, terms: FeeTerms) -> AsyncIterator[Record]:
    """Stream the matched payments of which the provider kept more or less than the contract says."""
    found: AsyncIterator[Record] = connection.cursor(
        """
        SELECT number, reference, kept_minor, fee_minor + vat_minor AS expected_minor FROM (
          SELECT s.number, coalesce(s.provider_reference, s.reference, '') AS reference,
                 s.fee_minor + s.fee_vat_minor AS kept_minor, e.fee_minor,
                 (e.fee_minor * $4::bigint + 5000) / 10000 AS vat_minor
          FROM stage s
          JOIN reconciliation.match m ON m.leg = 'provider' AND m.file_no = $1 AND m.line = s.number
          CROSS JOIN LATERAL (SELECT (s.gross_minor * $2::bigint + 5000) / 10000 + $3::bigint AS fee_minor) e
          WHERE s.kind = 'payment' AND m.outcome IN ('matched', 'amount')
        ) f WHERE abs(kept_minor - fee_minor - vat_minor) > $5::bigint ORDER BY number
        """,
        file_no,
        terms.basis_points,
        terms.fixed_minor,
        terms.vat_basis_points,
        terms.tolerance_minor,
        prefetch=1000,
    )
    return found


_UNKNOWN: Final = """
  CREATE TEMPORARY TABLE unknown ON COMMIT DROP AS
  SELECT m.file_no, m.line, m.version, m.outcome, f.provider, f.name, f.batch_reference, f.currency::text AS currency,
         l.kind, l.gross_minor, l.provider_reference, l.reference, b.business_date,
         'provider:' || f.provider || CASE l.kind WHEN 'refund' THEN ':refunds_in_transit' ELSE ':receivable' END
           AS searched
  FROM reconciliation.break b
  CROSS JOIN LATERAL (SELECT * FROM reconciliation.match m
                      WHERE m.leg = 'provider' AND m.file_no = b.file_no AND m.line = b.line
                      ORDER BY m.version DESC LIMIT 1) m
  JOIN reconciliation.settlement_file f ON f.file_no = m.file_no AND f.posted_through >= m.line
  CROSS JOIN LATERAL (SELECT * FROM reconciliation.settlement_line l
                      WHERE l.file_no = m.file_no AND l.number = m.line LIMIT 1) l
  WHERE b.type = 'missing_in_books' AND b.closed_at IS NULL AND b.leg = 'provider' AND m.outcome = 'missing_in_books'"""
_TAKE_EVERY_OPEN_ITEM: Final = """
  INSERT INTO held
  SELECT account, currency, item, amount_minor, payment, provider_reference, ''
  FROM ledger.open_items WHERE account LIKE 'provider:%:receivable' OR account LIKE 'provider:%:refunds_in_transit'"""
# Each way of finding is a join of its own: an OR between them would walk every open item for every line.
_FOUND_LATER: Final = """
  WITH found AS (
    SELECT u.file_no, u.line, 1 AS rung, h.account, h.item, h.payment, h.amount_minor FROM unknown u
    JOIN held h ON h.account = u.searched AND h.currency = u.currency AND h.provider_reference = u.provider_reference
    UNION ALL
    SELECT u.file_no, u.line, 2, h.account, h.item, h.payment, h.amount_minor FROM unknown u
    JOIN held h ON h.account = u.searched AND h.currency = u.currency AND h.item = u.reference
  )
  SELECT DISTINCT ON (u.file_no, u.line) u.*, f.account, f.item, f.payment, f.amount_minor AS expected_minor
  FROM unknown u JOIN found f USING (file_no, line)
  WHERE u.business_date >= $1 AND NOT EXISTS (
    SELECT FROM reconciliation.unmatch x
    JOIN reconciliation.match m ON m.leg = x.leg AND m.file_no = x.file_no AND m.line = x.line AND m.version = x.version
    WHERE x.decision = 'approved' AND x.leg = 'provider' AND x.file_no = u.file_no AND x.line = u.line
      AND m.account = f.account AND m.item = f.item)
  ORDER BY u.file_no, u.line, f.rung, f.item LIMIT $2"""


async def found_later(connection: Connection, since: date, limit: int) -> list[Record]:
    """Read lines our books did not know when they came, and know by now.

    Both sides are copied aside and counted first: the planner knows nothing of tables the night has just filled.
    """
    await connection.execute("DROP TABLE IF EXISTS pg_temp.unknown, pg_temp.held")
    await connection.execute(_UNKNOWN)
    await connection.execute(_HELD)
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM unknown)"):
        return []
    await connection.execute(_TAKE_EVERY_OPEN_ITEM)
    await connection.execute("ANALYZE unknown")
    await connection.execute("ANALYZE held (item, provider_reference, kind)")
    rows: list[Record] = await connection.fetch(_FOUND_LATER, since, limit)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMatch:
    """What a line or entry was matched to, or a later version of it."""

    leg: str
    file_no: int
    line: int
    version: int = 1
    outcome: str
    rule: str | None
    account: str
    item: str | None
    payment: str | None = None
    expected_minor: int | None = None
    variance_minor: int = 0


_IN_ORDER: Final = attrgetter(*(column.name for column in fields(NewMatch)))


async def insert_matches(connection: Connection, matches: Sequence[NewMatch]) -> None:
    """Add matches, in one statement."""
    if not matches:
        return
    rows = [(*_IN_ORDER(match), RULE[match.rule].score if match.rule else 0) for match in matches]
    await connection.execute(
        """
        INSERT INTO reconciliation.match (leg, file_no, line, version, outcome, rule, account, item, payment,
                                          expected_minor, variance_minor, score)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[], $4::smallint[], $5::text[], $6::text[],
                             $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::smallint[])
        """,
        *(list(column) for column in zip(*rows, strict=True)),
    )
