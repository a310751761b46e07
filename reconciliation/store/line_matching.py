"""Settlement lines against the ledger's open items, in sets: the whole file is matched by a handful of statements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from typing import Final

from ledger import accounts
from reconciliation.matching import RULE, MatchOutcome, Tolerance
from reconciliation.postings import DISPUTES_RECEIVABLE
from reconciliation.store import WHOLE_FILE_TIMEOUT_S, Connection, Record

# A file of a million lines is joined in memory, or in few pieces on disk.
_ROOM_TO_JOIN: Final = "SET LOCAL work_mem = '128MB'"

# The file's lines as they were staged, each with the open item its reference names.
_MET: Final = """
  CREATE TEMPORARY TABLE met (
    LIKE stage, rule text, currency text, item text COLLATE "C", amount_minor bigint, payment text COLLATE "C"
  ) ON COMMIT DROP"""
# A full join, of which the lines are wanted: no plan for one walks all items for every line, however few of them the
# planner takes for open in tables the night has just filled.
_BY_PROVIDER_REFERENCE: Final = """
  INSERT INTO met
  SELECT s.*, CASE WHEN h.item IS NOT NULL THEN 'provider_reference' END, h.currency, h.item, h.amount_minor, h.payment
  FROM stage s FULL JOIN (
    SELECT 'payment'::text AS kind, currency, item, amount_minor, payment, provider_reference
    FROM ledger.open_items WHERE account = $1
    UNION ALL
    SELECT 'refund'::text, currency, item, amount_minor, payment, provider_reference
    FROM ledger.open_items WHERE account = $2
  ) h ON h.provider_reference = s.provider_reference AND h.kind = s.kind
  WHERE num_nonnulls(s.number) = 1"""
# One reference may name several open items (two refunds of one order). The line's own currency and amount choose
# among them; they never choose without the reference.
_KEEP_THE_BEST: Final = """
  DELETE FROM met USING (
    SELECT ctid AS row, row_number() OVER (PARTITION BY number ORDER BY (currency = $1) DESC,
      abs(amount_minor - gross_minor), item) AS rank
    FROM met WHERE number IN (SELECT number FROM met GROUP BY number HAVING count(*) > 1)
  ) ranked WHERE ranked.row = met.ctid AND ranked.rank > 1"""
# Few lines are left for the next rung, so they are set aside once and looked up by key.
_UNFOUND: Final = """
  CREATE TEMPORARY TABLE unfound (
    number integer, kind text, reference text COLLATE "C", provider_reference text COLLATE "C", gross_minor bigint
  ) ON COMMIT DROP"""
_SET_UNFOUND_ASIDE: Final = """
  INSERT INTO unfound SELECT number, kind, reference, provider_reference, gross_minor FROM met WHERE item IS NULL"""
_BY_OUR_REFERENCE: Final = """
  UPDATE met SET rule = 'our_reference', currency = f.currency, item = f.item, amount_minor = f.amount_minor,
                 payment = f.payment
  FROM (
    SELECT DISTINCT ON (u.number) u.number, h.* FROM unfound u
    CROSS JOIN LATERAL (
      SELECT currency, item, amount_minor, payment FROM ledger.open_items o
      WHERE o.account = CASE u.kind WHEN 'payment' THEN $1 ELSE $2 END AND o.item = u.reference OFFSET 0
    ) h
    WHERE u.kind IN ('payment', 'refund') AND u.reference IS NOT NULL
    ORDER BY u.number, (h.currency = $3) DESC, abs(h.amount_minor - u.gross_minor), h.item
  ) f WHERE f.number = met.number"""

# What this provider settled before under the same reference: how a second settlement is told from a stranger, and
# whose payment a chargeback takes back. Only lines without an open item are looked up.
_BEFORE: Final = """
  CREATE TEMPORARY TABLE settled_before (number integer, item text COLLATE "C", payment text COLLATE "C")
  ON COMMIT DROP"""
# A dispute is about a payment the line may name itself, that is settled in the same file, was before, or is yet to be.
_NAMED_BY_THE_LINE: Final = """
  INSERT INTO settled_before
  SELECT u.number, i.item, i.payment FROM unfound u
  CROSS JOIN LATERAL (
    SELECT item, payment FROM ledger.items i WHERE i.account = $1 AND i.item = u.reference
    ORDER BY (i.currency = $2) DESC, i.currency LIMIT 1
  ) i
  WHERE u.kind IN ('chargeback', 'chargeback_reversed') AND u.reference IS NOT NULL"""
_IN_THE_SAME_FILE: Final = """
  INSERT INTO settled_before
  SELECT DISTINCT ON (u.number) u.number, m.item, m.payment
  FROM unfound u JOIN met m ON m.provider_reference = u.provider_reference AND m.kind = 'payment'
  WHERE u.kind IN ('chargeback', 'chargeback_reversed') AND m.item IS NOT NULL
    AND NOT EXISTS (SELECT FROM settled_before b WHERE b.number = u.number)
  ORDER BY u.number, m.number"""
_STILL_UNNAMED: Final = """
  SELECT EXISTS (SELECT FROM unfound u WHERE u.kind IN ('chargeback', 'chargeback_reversed')
                   AND NOT EXISTS (SELECT FROM settled_before b WHERE b.number = u.number))"""
_NOT_SETTLED_YET: Final = """
  INSERT INTO settled_before
  SELECT DISTINCT ON (u.number) u.number, o.item, o.payment
  FROM unfound u JOIN ledger.open_items o ON o.account = $1 AND o.provider_reference = u.provider_reference
  WHERE u.kind IN ('chargeback', 'chargeback_reversed')
    AND NOT EXISTS (SELECT FROM settled_before b WHERE b.number = u.number)
  ORDER BY u.number, (o.currency = $2) DESC, o.item"""
_FIND_BEFORE: Final = """
  INSERT INTO settled_before
  SELECT s.number, b.item, b.payment FROM unfound s
  CROSS JOIN LATERAL (
    SELECT m.item, m.payment FROM reconciliation.settlement_line l
    JOIN reconciliation.settlement_file f ON f.file_no = l.file_no AND f.provider = $1
    CROSS JOIN LATERAL (SELECT * FROM reconciliation.current_match c
                        WHERE c.leg = 'provider' AND c.file_no = l.file_no AND c.line = l.number
                          AND c.outcome IN ('matched', 'amount') OFFSET 0) m
    WHERE l.provider_reference = s.provider_reference
      AND l.kind = CASE s.kind WHEN 'refund' THEN 'refund' ELSE 'payment' END
    LIMIT 1
  ) b
  WHERE s.provider_reference IS NOT NULL AND s.kind IN ('payment', 'refund', 'chargeback', 'chargeback_reversed')
    AND NOT EXISTS (SELECT FROM settled_before b WHERE b.number = s.number)"""

# The lines that are not simply what our books expected, with what they are instead.
_ASIDE: Final = """
  CREATE TEMPORARY TABLE aside (
    number integer, outcome text, kind text, rule text, currency text, item text COLLATE "C",
    payment text COLLATE "C", amount_minor bigint, gross_minor bigint, reference text COLLATE "C",
    before_item text COLLATE "C", before_payment text COLLATE "C"
  ) ON COMMIT DROP"""
_SET_ASIDE: Final = """
  INSERT INTO aside
  SELECT number, outcome, kind, rule, currency, item, payment, amount_minor, gross_minor,
         coalesce(provider_reference, reference), before_item, before_payment
  FROM (
    SELECT m.number, m.kind, m.currency, m.item, m.payment, m.gross_minor, m.provider_reference, m.reference,
      CASE WHEN m.whole THEN 'in_parts' ELSE m.rule END AS rule,
      CASE WHEN m.whole THEN m.gross_minor ELSE m.amount_minor END AS amount_minor,
      b.item AS before_item, b.payment AS before_payment,
      CASE
        WHEN m.kind = 'payout' THEN 'statement_only'
        WHEN m.kind = 'fee' THEN 'fee_line'
        WHEN m.kind IN ('chargeback', 'chargeback_reversed') THEN 'chargeback'
        WHEN m.kind NOT IN ('payment', 'refund') THEN 'unknown_line'
        WHEN m.item IS NULL AND b.number IS NOT NULL THEN 'duplicate'
        WHEN m.item IS NULL THEN 'missing_in_books'
        WHEN m.whole THEN 'matched'
        WHEN m.number > m.first THEN 'duplicate'
        WHEN m.currency <> $1::text THEN 'currency'
        WHEN sign(m.gross_minor) = sign(m.amount_minor) AND abs(m.gross_minor) - abs(m.amount_minor) BETWEEN
             -greatest($3::bigint, abs(m.amount_minor)::numeric * $5::bigint / 10000) AND
             greatest($2::bigint, abs(m.amount_minor)::numeric * $4::bigint / 10000) THEN 'matched'
        ELSE 'amount'
      END AS outcome
    FROM (
      -- Several lines of one item are its parts when they sum to what is open of it; else all but one are too many.
      SELECT m.*, t.first,
        m.currency = $1::text AND t.lines = count(*) OVER of_item AND m.amount_minor = sum(m.gross_minor) OVER of_item
          AND (min(m.gross_minor) OVER of_item > 0 OR max(m.gross_minor) OVER of_item < 0) AS whole
      FROM met m
      LEFT JOIN (SELECT kind, currency, item, min(number) AS first, count(*) AS lines FROM met WHERE item IS NOT NULL
                 GROUP BY kind, currency, item HAVING count(*) > 1) t
        ON t.item = m.item AND t.kind = m.kind AND t.currency = m.currency
      WHERE (m.amount_minor = m.gross_minor AND m.currency = $1::text AND (t.first IS NULL OR t.first = m.number))
            IS NOT TRUE
      WINDOW of_item AS (PARTITION BY t.kind, t.currency, t.item)
      OFFSET 0
    ) m
    LEFT JOIN settled_before b ON b.number = m.number
  ) decided"""

# A match that is as expected stands with its line; any other is an entry of its own.
_KEEP_LINES: Final = """
  INSERT INTO reconciliation.settlement_line
    (file_no, number, kind, reference, provider_reference, gross_minor, fee_minor, fee_vat_minor, net_minor,
     transaction_on, raw_kind, rule, item, payment, score)
  SELECT $1::integer, m.number, m.kind, m.reference, m.provider_reference, m.gross_minor, m.fee_minor, m.fee_vat_minor,
         m.net_minor, m.transaction_on, m.raw_kind, e.rule, CASE WHEN e.rule IS NOT NULL THEN m.item END,
         CASE WHEN e.rule IS NOT NULL THEN m.payment END,
         CASE e.rule WHEN 'provider_reference' THEN $2::smallint WHEN 'our_reference' THEN $3::smallint END
  FROM met m LEFT JOIN aside a ON a.number = m.number
  CROSS JOIN LATERAL (SELECT CASE WHEN a.number IS NULL THEN m.rule END AS rule) e"""
_KEEP_OTHERS: Final = """
  INSERT INTO reconciliation.match_entry (leg, file_no, line, outcome, rule, account, item, payment, expected_minor,
                                          variance_minor, score)
  SELECT 'provider', $1::integer, number, outcome, rule,
    CASE WHEN own.found THEN CASE kind WHEN 'payment' THEN $8::text ELSE $9::text END
         WHEN outcome = 'fee_line' THEN $3::text WHEN outcome = 'chargeback' THEN $4::text ELSE $5::text END,
    CASE WHEN own.found THEN item WHEN outcome = 'fee_line' THEN NULL
         WHEN outcome = 'chargeback' THEN coalesce(before_item, reference, own_item) ELSE own_item END,
    CASE outcome WHEN 'missing_in_books' THEN NULL WHEN 'unknown_line' THEN NULL
                 ELSE coalesce(payment, before_payment) END,
    amount_minor, CASE WHEN own.found THEN gross_minor - amount_minor ELSE 0 END,
    CASE rule WHEN 'provider_reference' THEN $6::smallint WHEN 'our_reference' THEN $7::smallint
              WHEN 'in_parts' THEN $10::smallint ELSE 0 END
  FROM aside CROSS JOIN LATERAL (SELECT $2::text || ':' || $1::integer || ':' || number AS own_item,
                                        outcome IN ('amount', 'matched') AS found) own
  ORDER BY number"""

_SCORES: Final = (RULE["provider_reference"].score, RULE["our_reference"].score)


def _searched(provider: str) -> tuple[str, str]:
    """Name the accounts whose open items a payment and a refund are looked for in."""
    return accounts.provider_receivable(provider), accounts.provider_refunds_in_transit(provider)


async def match_lines(
    connection: Connection, provider: str, currency: str, lines: int, tolerance: Tolerance
) -> dict[str, int]:
    """Decide every staged line of a file and return how many came to which outcome; nothing is kept yet."""

    async def each(*statements: tuple[str, *tuple[object, ...]]) -> None:
        for statement, *arguments in statements:
            await connection.execute(statement, *arguments, timeout=WHOLE_FILE_TIMEOUT_S)

    ours = _searched(provider)
    await each((_ROOM_TO_JOIN,), (_MET,), (_UNFOUND,), (_BEFORE,), (_ASIDE,))
    met = await connection.execute(_BY_PROVIDER_REFERENCE, *ours, timeout=WHOLE_FILE_TIMEOUT_S)
    if met != f"INSERT 0 {lines}":
        await each((_KEEP_THE_BEST, currency))
    await each(
        (_SET_UNFOUND_ASIDE,),
        ("ANALYZE unfound",),
        (_BY_OUR_REFERENCE, *ours, currency),
        ("DELETE FROM unfound u USING met m WHERE m.number = u.number AND m.item IS NOT NULL",),
        (_NAMED_BY_THE_LINE, ours[0], currency),
        (_IN_THE_SAME_FILE,),
        (_FIND_BEFORE, provider),
    )
    if await connection.fetchval(_STILL_UNNAMED):
        await each((_NOT_SETTLED_YET, ours[0], currency))
    await each(
        ("ANALYZE settled_before",),
        (
            _SET_ASIDE,
            currency,
            tolerance.above_minor,
            tolerance.below_minor,
            tolerance.above_basis_points,
            tolerance.below_basis_points,
        ),
    )
    rows = await connection.fetch("SELECT outcome, count(*) AS lines FROM aside GROUP BY outcome")
    outcomes: dict[str, int] = {row["outcome"]: row["lines"] for row in rows}
    matched = lines - sum(outcomes.values()) + outcomes.pop(MatchOutcome.MATCHED, 0)
    return {**outcomes, **({MatchOutcome.MATCHED: matched} if matched else {})}


async def keep_lines(connection: Connection, provider: str, file_no: int) -> None:
    """Move the staged lines to where they stay, with what each was matched to."""
    await connection.execute(_KEEP_LINES, file_no, *_SCORES, timeout=WHOLE_FILE_TIMEOUT_S)
    await connection.execute(
        _KEEP_OTHERS, file_no, provider, accounts.PROVIDER_FEES, DISPUTES_RECEIVABLE, accounts.SUSPENSE_UNIDENTIFIED,
        *_SCORES, *_searched(provider), RULE["in_parts"].score, timeout=WHOLE_FILE_TIMEOUT_S,
    )  # fmt: skip


def broken_lines(connection: Connection, file_no: int) -> AsyncIterator[Record]:
    """Stream the lines of a file whose outcome is somebody's work; the caller is in a transaction."""
    found: AsyncIterator[Record] = connection.cursor(
        """
        SELECT m.line, m.outcome, m.account, m.item, m.payment, m.expected_minor, m.variance_minor,
               a.gross_minor, s.raw_kind, coalesce(a.reference, '') AS reference, a.currency AS our_currency
        FROM aside a
        JOIN reconciliation.match_entry m ON m.leg = 'provider' AND m.file_no = $1 AND m.line = a.number
        JOIN met s ON s.number = a.number
        WHERE a.outcome <> ALL ($2::text[])
        ORDER BY m.line
        """,
        file_no,
        [MatchOutcome.MATCHED, MatchOutcome.FEE_LINE, MatchOutcome.STATEMENT_ONLY],
        prefetch=1000,
    )
    return found


_UNKNOWN: Final = """
  CREATE TEMPORARY TABLE unknown ON COMMIT DROP AS
  SELECT m.file_no, m.line, m.version, m.outcome, f.provider, f.name, f.batch_reference, f.currency::text AS currency,
         f.business_date AS file_date, l.kind, l.gross_minor, l.provider_reference, l.reference, b.business_date,
         'provider:' || f.provider || CASE l.kind WHEN 'refund' THEN ':refunds_in_transit' ELSE ':receivable' END
           AS searched
  FROM reconciliation.break b
  CROSS JOIN LATERAL (SELECT * FROM reconciliation.match m
                      WHERE m.leg = 'provider' AND m.file_no = b.file_no AND m.line = b.line
                      ORDER BY m.version DESC LIMIT 1) m
  JOIN reconciliation.settlement_file f ON f.file_no = m.file_no AND f.posted_through >= m.line
  CROSS JOIN LATERAL (SELECT * FROM reconciliation.settlement_line l
                      WHERE l.file_no = m.file_no AND l.number = m.line LIMIT 1) l
  CROSS JOIN LATERAL (SELECT o.amount_minor FROM ledger.open_items o
                      WHERE o.account = b.account AND o.currency = b.currency AND o.item = b.item OFFSET 0) o
  WHERE b.type = 'missing_in_books' AND b.closed_at IS NULL AND b.leg = 'provider' AND m.outcome = 'missing_in_books'
    AND o.amount_minor = -l.gross_minor"""
_HELD: Final = """
  CREATE TEMPORARY TABLE held (
    account text COLLATE "C", currency text, item text COLLATE "C", amount_minor bigint, payment text COLLATE "C",
    provider_reference text COLLATE "C"
  ) ON COMMIT DROP"""
_TAKE_EVERY_OPEN_ITEM: Final = """
  INSERT INTO held
  SELECT account, currency, item, amount_minor, payment, provider_reference
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
    await connection.execute("ANALYZE held (item, provider_reference)")
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
        INSERT INTO reconciliation.match_entry (leg, file_no, line, version, outcome, rule, account, item, payment,
                                                expected_minor, variance_minor, score)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[], $4::smallint[], $5::text[], $6::text[],
                             $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::smallint[])
        """,
        *(list(column) for column in zip(*rows, strict=True)),
    )
