"""What the audit asks the database: rows in the bytes that were hashed, and what is derived but wrong."""

from __future__ import annotations

from typing import Final

# The page is materialized: asked for the least recorded_at of a range of ids, PostgreSQL would walk the index of
# recorded_at from the first journal on, and the proof would grow with the square of the books.
JOURNALS: Final = """
WITH page AS MATERIALIZED (SELECT recorded_at FROM ledger.journal WHERE id > $1 AND id <= $2)
SELECT j.id, j.hash, timestamptz_send(j.recorded_at) AS recorded_at, timestamptz_send(j.effective_at) AS effective_at,
       record_send(ROW(j.id, j.reference, j.kind, j.business_date, j.effective_at, j.recorded_at, j.payment, j.provider,
                       j.provider_reference, j.file, j.line, j.corrects, j.late_for, j.below_floor, j.description,
                       j.fingerprint)) AS body,
       p.body AS postings
  FROM ledger.journal j
  LEFT JOIN (
    SELECT t.journal_id,
           string_agg(record_send(ROW(t.journal_id, t.recorded_at, t.effective_at, t.amount_minor, t.balance_minor,
                                      t.account_id, t.seq, t.currency, t.item)), ''::bytea ORDER BY t.seq) AS body
      FROM ledger.all_postings t
     WHERE t.journal_id > $1 AND t.journal_id <= $2
       AND t.recorded_at >= (SELECT min(recorded_at) FROM page) AND t.recorded_at <= (SELECT max(recorded_at) FROM page)
     GROUP BY t.journal_id
  ) p ON p.journal_id = j.id
 WHERE j.id > $1 AND j.id <= $2
 ORDER BY j.id
"""

ACCOUNTS: Final = """
SELECT id, path, currency, opened_by,
       record_send(ROW(id, path, currency, type, side, by_item, opened_by, opened_at)) AS body
  FROM ledger.account WHERE opened_by > $1 AND opened_by <= $2 ORDER BY id
"""

# Ids follow the order of opening without a gap, and an account is opened when its journal is recorded.
ACCOUNTS_ASTRAY: Final = """
SELECT a.id::text AS key
  FROM (SELECT id, opened_by, opened_at, row_number() OVER (ORDER BY opened_by, path, currency) AS turn
          FROM ledger.account) a
  LEFT JOIN ledger.journal j ON j.id = a.opened_by AND j.recorded_at = a.opened_at
 WHERE j.id IS NULL OR a.id <> a.turn
 ORDER BY a.id LIMIT 100
"""

NEXT_JOURNAL: Final = "SELECT min(id) FROM ledger.journal WHERE id > $1"

LAST_JOURNAL: Final = "SELECT coalesce(max(id), 0) FROM ledger.journal"

LAST_RECORDED: Final = """
SELECT greatest((SELECT max(recorded_at) FROM ledger.journal), (SELECT max(recorded_at) FROM ledger.decision))
"""

HEAD: Final = """
SELECT h.*,
       h.one AND (SELECT count(*) FROM ledger.head) = 1 AS alone,
       CASE WHEN h.months_from IS NULL OR h.months_until IS NULL
            THEN h.journal_id = 0 AND h.months_from IS NULL AND h.months_until IS NULL
            ELSE h.months_from = date_trunc('month', h.months_from, 'UTC')
                 AND h.months_until = date_trunc('month', h.months_until, 'UTC')
                 AND NOT EXISTS (
                   SELECT FROM generate_series(h.months_from AT TIME ZONE 'UTC',
                                               h.months_until AT TIME ZONE 'UTC' - interval '1 day',
                                               interval '1 month') m
                    WHERE to_regclass('ledger.posting_' || to_char(m, 'YYYY_MM')) IS NULL)
       END AS months_exist,
       h.hour_latest IS NOT DISTINCT FROM (SELECT max(hour) FROM ledger.hourly) AS hour_exists
  FROM ledger.head h
"""

FLOORS: Final = "SELECT path, currency, floor_minor FROM ledger.floor"

DECISIONS: Final = """
SELECT id, kind, path, currency, floor_minor, closed_until, closed_before, hash,
       record_send(ROW(id, kind, path, currency, floor_minor, closed_until, closed_before, reason, decided_by,
                       recorded_at, journal_id)) AS body
  FROM ledger.decision ORDER BY id
"""

SEALS: Final = "SELECT * FROM ledger.seal ORDER BY number"

ITEMS: Final = "SELECT count(*) FROM ledger.item"

ROOM_TO_SORT: Final = "SET LOCAL work_mem = '128MB'"

POSTINGS_ASTRAY: Final = """
SELECT format('%s/%s', p.journal_id, p.seq) AS key
  FROM ledger.all_postings p LEFT JOIN ledger.journal j ON j.id = p.journal_id
 WHERE j.id IS NULL OR j.recorded_at <> p.recorded_at
 ORDER BY p.journal_id, p.seq LIMIT 100
"""

HOURS_WRONG: Final = """
SELECT format('%s at %s', coalesce(a.path || ' ' || a.currency, account_id::text), hour) AS key
  FROM (SELECT account_id, hour, sum(debit) OVER w AS debit, sum(credit) OVER w AS credit
          FROM (SELECT account_id, date_bin('1 hour', effective_at, '2000-01-01 00:00:00+00') AS hour,
                       coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0) AS debit,
                       coalesce(-sum(amount_minor) FILTER (WHERE amount_minor < 0), 0) AS credit
                  FROM ledger.all_postings GROUP BY 1, 2) moved
        WINDOW w AS (PARTITION BY account_id ORDER BY hour)) expected
  FULL JOIN ledger.hourly h USING (account_id, hour)
  LEFT JOIN ledger.account a ON a.id = account_id
 WHERE h.debit_minor IS DISTINCT FROM expected.debit OR h.credit_minor IS DISTINCT FROM expected.credit
 ORDER BY account_id, hour LIMIT 100
"""

ITEMS_WRONG: Final = """
SELECT format('%s %s', coalesce(a.path || ' ' || a.currency, account_id::text), item) AS key
  FROM (SELECT e.account_id, e.item, e.amount_minor, e.opened_at, e.moved_at, j.business_date, e.journal_id, j.payment,
               j.provider_reference, e.moved_by
          FROM (SELECT account_id, item, sum(amount_minor)::bigint AS amount_minor, min(effective_at) AS opened_at,
                       max(effective_at) AS moved_at, min(journal_id) AS journal_id, max(journal_id) AS moved_by
                  FROM ledger.all_postings WHERE item IS NOT NULL GROUP BY account_id, item) e
          LEFT JOIN ledger.journal j ON j.id = e.journal_id) e
  FULL JOIN ledger.item i USING (account_id, item)
  LEFT JOIN ledger.account a ON a.id = account_id
 WHERE ROW(i.amount_minor, i.opened_at, i.moved_at, i.business_date, i.journal_id, i.payment, i.provider_reference,
           i.moved_by)
       IS DISTINCT FROM
       ROW(e.amount_minor, e.opened_at, e.moved_at, e.business_date, e.journal_id, e.payment, e.provider_reference,
           e.moved_by)
 ORDER BY account_id, item LIMIT 100
"""
