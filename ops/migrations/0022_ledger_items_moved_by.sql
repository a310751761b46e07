-- A night settles a million payments in some hundred journals, each clearing thousands of items. So an item says which
-- journal moved it last: from a payment to the journal that settled it is one look-up, however large that journal is.
ALTER TABLE ledger.item ADD COLUMN moved_by bigint;                -- the journal recorded last that moved it
UPDATE ledger.item i SET moved_by = p.journal_id
  FROM (SELECT account_id, item, max(journal_id) AS journal_id FROM ledger.all_postings
         WHERE item IS NOT NULL GROUP BY account_id, item) p
 WHERE p.account_id = i.account_id AND p.item = i.item;
ALTER TABLE ledger.item ALTER COLUMN moved_by SET NOT NULL;

CREATE OR REPLACE VIEW ledger.items AS
SELECT a.path AS account, a.currency, i.item, i.amount_minor, i.opened_at, i.business_date, i.journal_id, i.payment,
       i.provider_reference, i.moved_by
  FROM ledger.item i JOIN ledger.account a ON a.id = i.account_id;

-- The two ways of posting as they were, and both keep it.
CREATE OR REPLACE FUNCTION ledger.post_batch(
  p_recorded_at timestamptz,
  p_reference text[], p_fingerprint bytea[], p_kind text[], p_business_date date[], p_effective_at timestamptz[],
  p_payment text[], p_provider text[], p_provider_reference text[], p_file text[], p_line integer[],
  p_corrects bigint[], p_late_for date[], p_below_floor boolean[], p_description text[],
  p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[],
  p_entry integer[], p_account integer[], p_seq smallint[], p_amount bigint[], p_item text[],
  OUT o_status smallint[], OUT o_journal bigint[]
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A plan made while a table was empty would keep scanning it when it has grown; and planning anew for every batch costs
-- a single caller a quarter of its time.
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_count constant integer := cardinality(p_reference);
  v_head ledger.head%ROWTYPE;
  v_at timestamptz;
  v_ids integer[];
  v_debit bigint[];
  v_credit bigint[];
  v_floor bigint[];
  v_bodies bytea[];
  v_opened bytea[];
  v_hash bytea;
  v_hashes bytea[];
  v_n integer := 0;
  v_journal bigint[];
  v_posted integer;
  v_known boolean;
  v_twice boolean;
  v_hour timestamptz;
BEGIN
  SELECT * INTO STRICT v_head FROM ledger.head FOR UPDATE;
  v_at := greatest(p_recorded_at, v_head.recorded_at);
  SELECT array_agg(a.id ORDER BY n.i), array_agg(coalesce(b.debit_minor, 0) ORDER BY n.i),
         array_agg(coalesce(b.credit_minor, 0) ORDER BY n.i), array_agg(f.floor_minor ORDER BY n.i),
         EXISTS (SELECT FROM ledger.journal j WHERE j.reference = ANY (p_reference)),
         v_count > 1 AND v_count > (SELECT count(DISTINCT r) FROM unnest(p_reference) r)
    INTO v_ids, v_debit, v_credit, v_floor, v_known, v_twice
    FROM unnest(p_path, p_currency) WITH ORDINALITY n(path, currency, i)
    LEFT JOIN ledger.account a ON a.path = n.path AND a.currency = n.currency
    LEFT JOIN LATERAL (SELECT h.debit_minor, h.credit_minor FROM ledger.hourly h
                        WHERE h.account_id = a.id ORDER BY h.hour DESC LIMIT 1) b ON true
    LEFT JOIN ledger.floor f ON f.path = n.path AND f.currency = n.currency;

  IF v_known OR v_twice OR v_head.closed_until >= ANY (p_business_date) OR v_head.closed_before > ANY (p_effective_at)
     OR cardinality(array_remove(p_corrects, NULL)) > 0
     -- A floor, or totals that this many postings of the largest amount could carry too far.
     OR cardinality(array_remove(v_floor, NULL)) > 0
     OR 9000000000000000000 - least(cardinality(p_entry), 9000) * 1000000000000000 < ANY (v_debit || v_credit)
  THEN
    SELECT d.o_status, d.o_journal INTO o_status, o_journal
      FROM ledger.decide_batch(v_head, p_reference, p_fingerprint, p_business_date, p_effective_at, p_corrects,
                               p_below_floor, p_side, v_debit, v_credit, v_floor, p_entry, p_account, p_amount) d;
    SELECT array_agg(CASE WHEN d.status = 0 THEN d.journal END ORDER BY d.i), count(*) FILTER (WHERE d.status = 0)
      INTO v_journal, v_posted
      FROM unnest(o_status, o_journal) WITH ORDINALITY AS d(status, journal, i);
    IF v_posted = 0 THEN
      RETURN;
    END IF;
  ELSE
    o_status := array_fill(0::smallint, ARRAY[v_count]);
    SELECT array_agg(v_head.journal_id + i ORDER BY i) INTO o_journal FROM generate_series(1, v_count) i;
    v_journal := o_journal;
    v_posted := v_count;
  END IF;

  IF v_head.months_until IS NULL OR v_at < v_head.months_from OR v_at >= v_head.months_until THEN
    PERFORM ledger.open_month(v_at);
  END IF;

  IF array_position(v_ids, NULL) IS NOT NULL THEN
    WITH used AS (
      SELECT x.account AS i, min(v_journal[x.entry]) AS journal_id FROM unnest(p_entry, p_account) x(entry, account)
       WHERE v_ids[x.account] IS NULL AND v_journal[x.entry] IS NOT NULL GROUP BY x.account
    ), opened AS (
      INSERT INTO ledger.account (id, path, currency, type, side, by_item, opened_by, opened_at)
      SELECT v_head.account_id + row_number() OVER (ORDER BY u.journal_id, p_path[u.i], p_currency[u.i]), p_path[u.i],
             p_currency[u.i], p_type[u.i], p_side[u.i], p_by_item[u.i], u.journal_id, v_at
        FROM used u
      RETURNING id, path, currency, opened_by,
                record_send(ROW(id, path, currency, type, side, by_item, opened_by, opened_at)) AS body
    ), bodies AS (
      SELECT o.opened_by, string_agg(o.body, ''::bytea ORDER BY o.id) AS body FROM opened o GROUP BY o.opened_by
    )
    SELECT (SELECT array_agg(coalesce(v_ids[n.i], o.id) ORDER BY n.i)
              FROM unnest(p_path, p_currency) WITH ORDINALITY n(path, currency, i)
              LEFT JOIN opened o ON o.path = n.path AND o.currency = n.currency),
           (SELECT array_agg(b.body ORDER BY j.i)
              FROM unnest(v_journal) WITH ORDINALITY j(id, i) LEFT JOIN bodies b ON b.opened_by = j.id),
           (SELECT v_head.account_id + count(*) FROM opened)
      INTO v_ids, v_opened, v_head.account_id;
  END IF;

  WITH written AS (
    INSERT INTO ledger.posting AS p (journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id,
                                     seq, currency, item)
    SELECT v_journal[x.entry], v_at, p_effective_at[x.entry], x.amount,
           v_debit[x.account] - v_credit[x.account]
             + ledger.sum_minor(x.amount) OVER (PARTITION BY x.account ORDER BY x.i ROWS UNBOUNDED PRECEDING),
           v_ids[x.account], x.seq, p_currency[x.account], x.item
      FROM (SELECT unnest(p_entry) AS entry, unnest(p_account) AS account, unnest(p_seq) AS seq,
                   unnest(p_amount) AS amount, unnest(p_item) AS item, generate_series(1, cardinality(p_entry)) AS i) x
     WHERE v_journal[x.entry] IS NOT NULL
    RETURNING p.journal_id, p.seq,
              record_send(ROW(p.journal_id, p.recorded_at, p.effective_at, p.amount_minor, p.balance_minor,
                              p.account_id, p.seq, p.currency, p.item)) AS body
  )
  SELECT array_agg(b.body ORDER BY b.journal_id) INTO v_bodies
    FROM (SELECT w.journal_id, string_agg(w.body, ''::bytea ORDER BY w.seq) AS body
            FROM written w GROUP BY w.journal_id) b;

  -- The chain: each journal's hash covers the one before it and every byte of its row, its postings and the accounts
  -- it opened, in the form record_send gives them.
  v_hash := v_head.hash;
  v_hashes := array_fill(NULL::bytea, ARRAY[v_count]);
  FOR v_i IN 1 .. v_count LOOP
    CONTINUE WHEN v_journal[v_i] IS NULL;
    v_n := v_n + 1;
    v_hash := sha256(v_hash
      || record_send(ROW(v_journal[v_i], p_reference[v_i], p_kind[v_i], p_business_date[v_i], p_effective_at[v_i], v_at,
                         p_payment[v_i], p_provider[v_i], p_provider_reference[v_i], p_file[v_i], p_line[v_i],
                         p_corrects[v_i], p_late_for[v_i], p_below_floor[v_i], p_description[v_i], p_fingerprint[v_i]))
      || v_bodies[v_n] || coalesce(v_opened[v_i], ''::bytea));
    v_hashes[v_i] := v_hash;
  END LOOP;

  INSERT INTO ledger.journal (id, reference, kind, business_date, effective_at, recorded_at, payment, provider,
                              provider_reference, file, line, corrects, late_for, below_floor, description, fingerprint,
                              hash)
  SELECT x.journal_id, x.reference, x.kind, x.business_date, x.effective_at, v_at, x.payment, x.provider,
         x.provider_reference, x.file, x.line, x.corrects, x.late_for, x.below_floor, x.description, x.fingerprint,
         x.hash
    FROM (SELECT unnest(v_journal) AS journal_id, unnest(v_hashes) AS hash, unnest(p_reference) AS reference,
                 unnest(p_fingerprint) AS fingerprint, unnest(p_kind) AS kind, unnest(p_business_date) AS business_date,
                 unnest(p_effective_at) AS effective_at, unnest(p_payment) AS payment, unnest(p_provider) AS provider,
                 unnest(p_provider_reference) AS provider_reference, unnest(p_file) AS file, unnest(p_line) AS line,
                 unnest(p_corrects) AS corrects, unnest(p_late_for) AS late_for, unnest(p_below_floor) AS below_floor,
                 unnest(p_description) AS description) x
   WHERE x.journal_id IS NOT NULL;

  -- Each account's row once, whatever the batch holds.
  v_hour := date_bin('1 hour', p_effective_at[1], '2000-01-01 00:00:00+00');
  IF v_hour <= ALL (p_effective_at) AND v_hour + interval '1 hour' > ALL (p_effective_at)
     AND v_hour >= coalesce(v_head.hour_latest, v_hour)
  THEN
    -- All of one hour, and no later hour moved yet: what the accounts stood at, and the batch.
    INSERT INTO ledger.hourly (account_id, hour, debit_minor, credit_minor)
    SELECT v_ids[m.account], v_hour, v_debit[m.account] + m.debit, v_credit[m.account] + m.credit
      FROM (SELECT x.account, ledger.sum_minor(x.amount) FILTER (WHERE x.amount > 0) AS debit,
                   -ledger.sum_minor(x.amount) FILTER (WHERE x.amount < 0) AS credit
              FROM (SELECT unnest(p_entry) AS entry, unnest(p_account) AS account, unnest(p_amount) AS amount) x
             WHERE v_journal[x.entry] IS NOT NULL GROUP BY x.account) m
    ON CONFLICT (account_id, hour) DO UPDATE
      SET debit_minor = excluded.debit_minor, credit_minor = excluded.credit_minor;
  ELSE
    v_hour := ledger.move_hours(v_ids, v_journal, p_effective_at, p_entry, p_account, p_amount);
  END IF;

  INSERT INTO ledger.item AS t (account_id, item, amount_minor, opened_at, moved_at, business_date, journal_id, payment,
                                provider_reference, moved_by)
  SELECT v_ids[m.account], m.item, m.amount, m.opened_at, m.moved_at, p_business_date[m.entry], v_journal[m.entry],
         p_payment[m.entry], p_provider_reference[m.entry], v_journal[m.latest]
    FROM (SELECT x.account, x.item, ledger.sum_minor(x.amount) AS amount, min(x.entry) AS entry, max(x.entry) AS latest,
                 min(p_effective_at[x.entry]) AS opened_at, max(p_effective_at[x.entry]) AS moved_at
            FROM (SELECT unnest(p_entry) AS entry, unnest(p_account) AS account, unnest(p_amount) AS amount,
                         unnest(p_item) AS item) x
           WHERE x.item IS NOT NULL AND v_journal[x.entry] IS NOT NULL
           GROUP BY x.account, x.item) m
  ON CONFLICT (account_id, item) DO UPDATE SET
    amount_minor = t.amount_minor + excluded.amount_minor,
    opened_at = least(t.opened_at, excluded.opened_at),
    moved_at = greatest(t.moved_at, excluded.moved_at),
    moved_by = excluded.moved_by;

  UPDATE ledger.head SET journal_id = v_head.journal_id + v_posted, hash = v_hash, recorded_at = v_at,
                         account_id = v_head.account_id, hour_latest = greatest(v_head.hour_latest, v_hour);
END $$;

-- Post one entry, for a caller who is alone. Only the plain case is written here: accounts that are open and without a
-- floor, a reference nobody used, nothing corrected, no closed period, no month to open, no hour later than its own.
-- Everything else is handed to post_batch; and what is written here is what that would have written, byte for byte.
CREATE OR REPLACE FUNCTION ledger.post_entry(
  p_recorded_at timestamptz,
  p_reference text, p_fingerprint bytea, p_kind text, p_business_date date, p_effective_at timestamptz,
  p_payment text, p_provider text, p_provider_reference text, p_file text, p_line integer, p_corrects bigint,
  p_late_for date, p_below_floor boolean, p_description text,
  p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[],
  p_account integer[], p_amount bigint[], p_item text[],
  OUT o_status smallint[], OUT o_journal bigint[]
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_head ledger.head%ROWTYPE;
  v_count constant integer := cardinality(p_account);
  v_hour constant timestamptz := date_bin('1 hour', p_effective_at, '2000-01-01 00:00:00+00');
  v_at timestamptz;
  v_id bigint;
  v_ids integer[];
  v_debit bigint[];
  v_credit bigint[];
  v_plain boolean;
  v_on integer;
  v_balance bigint[] := '{}';
  v_bodies bytea := '';
  v_hash bytea;
BEGIN
  SELECT * INTO STRICT v_head FROM ledger.head FOR UPDATE;
  v_at := greatest(p_recorded_at, v_head.recorded_at);
  SELECT array_agg(a.id ORDER BY n.i), array_agg(b.debit_minor ORDER BY n.i), array_agg(b.credit_minor ORDER BY n.i),
         bool_and(a.id IS NOT NULL AND f.path IS NULL
                  AND greatest(b.debit_minor, b.credit_minor)
                      <= 9000000000000000000 - least(v_count, 9000) * 1000000000000000)
         AND NOT EXISTS (SELECT FROM ledger.journal j WHERE j.reference = p_reference)
    INTO v_ids, v_debit, v_credit, v_plain
    FROM unnest(p_path, p_currency) WITH ORDINALITY n(path, currency, i)
    LEFT JOIN ledger.account a ON a.path = n.path AND a.currency = n.currency
    LEFT JOIN LATERAL (SELECT h.debit_minor, h.credit_minor FROM ledger.hourly h
                        WHERE h.account_id = a.id ORDER BY h.hour DESC LIMIT 1) b ON true
    LEFT JOIN ledger.floor f ON f.path = n.path AND f.currency = n.currency;
  IF v_plain IS NOT TRUE OR p_corrects IS NOT NULL OR v_hour < v_head.hour_latest
     OR p_business_date <= v_head.closed_until OR p_effective_at < v_head.closed_before
     OR v_at < v_head.months_from OR v_at >= v_head.months_until
  THEN
    SELECT b.o_status, b.o_journal INTO o_status, o_journal
      FROM ledger.post_batch(
        p_recorded_at, ARRAY[p_reference], ARRAY[p_fingerprint], ARRAY[p_kind], ARRAY[p_business_date],
        ARRAY[p_effective_at], ARRAY[p_payment], ARRAY[p_provider], ARRAY[p_provider_reference], ARRAY[p_file],
        ARRAY[p_line], ARRAY[p_corrects], ARRAY[p_late_for], ARRAY[p_below_floor], ARRAY[p_description],
        p_path, p_currency, p_type, p_side, p_by_item,
        array_fill(1, ARRAY[v_count]), p_account, ARRAY(SELECT generate_series(1, v_count)::smallint), p_amount, p_item
      ) b;
    RETURN;
  END IF;

  v_id := v_head.journal_id + 1;
  FOR v_i IN 1 .. v_count LOOP
    v_on := p_account[v_i];
    IF p_amount[v_i] > 0 THEN
      v_debit[v_on] := v_debit[v_on] + p_amount[v_i];
    ELSE
      v_credit[v_on] := v_credit[v_on] - p_amount[v_i];
    END IF;
    v_balance[v_i] := v_debit[v_on] - v_credit[v_on];
    v_bodies := v_bodies || record_send(ROW(v_id, v_at, p_effective_at, p_amount[v_i], v_balance[v_i], v_ids[v_on],
                                            v_i::smallint, p_currency[v_on]::char(3), p_item[v_i]));
  END LOOP;
  v_hash := sha256(v_head.hash
    || record_send(ROW(v_id, p_reference, p_kind, p_business_date, p_effective_at, v_at, p_payment, p_provider,
                       p_provider_reference, p_file, p_line, p_corrects, p_late_for, p_below_floor, p_description,
                       p_fingerprint))
    || v_bodies);

  WITH journals AS (
    INSERT INTO ledger.journal (id, reference, kind, business_date, effective_at, recorded_at, payment, provider,
                                provider_reference, file, line, corrects, late_for, below_floor, description,
                                fingerprint, hash)
    VALUES (v_id, p_reference, p_kind, p_business_date, p_effective_at, v_at, p_payment, p_provider,
            p_provider_reference, p_file, p_line, p_corrects, p_late_for, p_below_floor, p_description, p_fingerprint,
            v_hash)
  ), hours AS (
    INSERT INTO ledger.hourly (account_id, hour, debit_minor, credit_minor)
    SELECT unnest(v_ids), v_hour, unnest(v_debit), unnest(v_credit)
    ON CONFLICT (account_id, hour) DO UPDATE
      SET debit_minor = excluded.debit_minor, credit_minor = excluded.credit_minor
  ), items AS (
    INSERT INTO ledger.item AS t (account_id, item, amount_minor, opened_at, moved_at, business_date, journal_id,
                                  payment, provider_reference, moved_by)
    SELECT v_ids[m.account], m.item, m.amount, p_effective_at, p_effective_at, p_business_date, v_id, p_payment,
           p_provider_reference, v_id
      FROM (SELECT x.account, x.item, ledger.sum_minor(x.amount) AS amount
              FROM (SELECT unnest(p_account) AS account, unnest(p_amount) AS amount, unnest(p_item) AS item) x
             WHERE x.item IS NOT NULL GROUP BY x.account, x.item) m
    ON CONFLICT (account_id, item) DO UPDATE SET
      amount_minor = t.amount_minor + excluded.amount_minor,
      opened_at = least(t.opened_at, excluded.opened_at),
      moved_at = greatest(t.moved_at, excluded.moved_at),
      moved_by = excluded.moved_by
  ), heads AS (
    UPDATE ledger.head SET journal_id = v_id, hash = v_hash, recorded_at = v_at, hour_latest = v_hour
  )
  INSERT INTO ledger.posting (journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq,
                              currency, item)
  SELECT v_id, v_at, p_effective_at, x.amount, x.balance, v_ids[x.account], x.seq, p_currency[x.account], x.item
    FROM (SELECT unnest(p_account) AS account, unnest(p_amount) AS amount, unnest(v_balance) AS balance,
                 unnest(p_item) AS item, generate_series(1, v_count) AS seq) x;
  o_status := ARRAY[0::smallint];
  o_journal := ARRAY[v_id];
END $$;
