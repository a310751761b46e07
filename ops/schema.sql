CREATE SCHEMA gateway;

CREATE SCHEMA ledger;

CREATE SCHEMA reconciliation;

CREATE FUNCTION gateway.remember_audience() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO gateway.service_audience (service, at, audience)
  VALUES (NEW.code, NEW.updated_at, coalesce(to_jsonb(NEW) -> 'audience', '[]'))
  ON CONFLICT (service, at) DO UPDATE SET audience = excluded.audience;
  RETURN NULL;
END $$;

CREATE FUNCTION gateway.remember_rating() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO gateway.rating_history (intent, given_at, score) VALUES (NEW.intent, NEW.given_at, NEW.score)
  ON CONFLICT (intent, given_at) DO UPDATE SET score = excluded.score;
  RETURN NULL;
END $$;

CREATE FUNCTION gateway.tariff_is_decided_once() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.decision IS NOT NULL
     OR (NEW.id, NEW.service, NEW.version, NEW.effective_on, NEW.effective_at, NEW.terms, NEW.legal_basis, NEW.reason,
         NEW.maker, NEW.made_at)
        IS DISTINCT FROM
        (OLD.id, OLD.service, OLD.version, OLD.effective_on, OLD.effective_at, OLD.terms, OLD.legal_basis, OLD.reason,
         OLD.maker, OLD.made_at) THEN
    RAISE EXCEPTION 'a tariff is decided once and never changed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ledger.add_seal(p_business_date date, p_sealed_at timestamp with time zone, p_trial_balance text, p_public_key bytea, p_signature bytea, p_seal_hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_head ledger.head%ROWTYPE;
BEGIN
  SELECT * INTO STRICT v_head FROM ledger.head FOR UPDATE;
  IF v_head.closed_until IS NULL OR v_head.closed_until < p_business_date THEN
    RAISE EXCEPTION 'business date % is not closed', p_business_date USING ERRCODE = 'check_violation';
  END IF;
  INSERT INTO ledger.seal (number, business_date, journal_id, journal_hash, decision_id, decision_hash, sealed_at,
                           trial_balance, previous, public_key, signature)
  VALUES (v_head.seal_number + 1, p_business_date, v_head.journal_id, v_head.hash, v_head.decision_id,
          v_head.decision_hash, p_sealed_at, p_trial_balance, v_head.seal_hash, p_public_key, p_signature);
  UPDATE ledger.head SET seal_number = v_head.seal_number + 1, seal_hash = p_seal_hash;
END $$;

CREATE FUNCTION ledger.archive_month(p_month date) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
  v_head ledger.head%ROWTYPE;
  v_from timestamptz := date_trunc('month', p_month::timestamp)::timestamptz;
  v_until timestamptz := v_from + interval '1 month';
  v_name text := 'posting_' || to_char(v_from, 'YYYY_MM');
BEGIN
  SELECT * INTO STRICT v_head FROM ledger.head FOR UPDATE;
  IF v_head.closed_before IS NULL OR v_until > v_head.closed_before OR v_until > v_head.recorded_at THEN
    RAISE EXCEPTION 'month % is not closed yet', to_char(v_from, 'YYYY-MM') USING ERRCODE = 'check_violation';
  END IF;
  EXECUTE format('ALTER TABLE ledger.posting DETACH PARTITION ledger.%I', v_name);
  EXECUTE format('ALTER TABLE ledger.posting_archive ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
                 v_name, v_from, v_until);
  EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER refuse_change', v_name);
  RETURN v_name;
END $$;

CREATE FUNCTION ledger.check_balanced() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_wrong record;
BEGIN
  SELECT w.journal_id, w.currency, ledger.sum_minor(w.amount_minor) AS difference INTO v_wrong
    FROM written w GROUP BY w.journal_id, w.currency HAVING ledger.sum_minor(w.amount_minor) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % is out of balance by % minor units of %',
      v_wrong.journal_id, v_wrong.difference, v_wrong.currency USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION ledger.decide(p_recorded_at timestamp with time zone, p_kind text, p_path text, p_currency text, p_floor_minor bigint, p_closed_until date, p_closed_before timestamp with time zone, p_reason text, p_decided_by text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_head ledger.head%ROWTYPE;
  v_at timestamptz;
  v_id integer;
  v_hash bytea;
BEGIN
  SELECT * INTO STRICT v_head FROM ledger.head FOR UPDATE;
  v_at := greatest(p_recorded_at, v_head.recorded_at);
  v_id := v_head.decision_id + 1;
  v_hash := sha256(v_head.decision_hash || record_send(ROW(
    v_id, p_kind, p_path, p_currency::char(3), p_floor_minor, p_closed_until, p_closed_before, p_reason, p_decided_by,
    v_at, v_head.journal_id)));
  INSERT INTO ledger.decision (id, kind, path, currency, floor_minor, closed_until, closed_before, reason, decided_by,
                               recorded_at, journal_id, hash)
  VALUES (v_id, p_kind, p_path, p_currency, p_floor_minor, p_closed_until, p_closed_before, p_reason, p_decided_by,
          v_at, v_head.journal_id, v_hash);
  IF p_kind = 'floor_set' THEN
    INSERT INTO ledger.floor (path, currency, floor_minor) VALUES (p_path, p_currency, p_floor_minor)
    ON CONFLICT (path, currency) DO UPDATE SET floor_minor = excluded.floor_minor;
  ELSIF p_kind = 'floor_lifted' THEN
    DELETE FROM ledger.floor WHERE path = p_path AND currency = p_currency;
  ELSIF p_closed_until <= v_head.closed_until OR p_closed_before < v_head.closed_before THEN
    RAISE EXCEPTION 'the period is already closed until %', v_head.closed_until USING ERRCODE = 'check_violation';
  ELSE
    UPDATE ledger.head SET closed_until = p_closed_until, closed_before = p_closed_before;
  END IF;
  UPDATE ledger.head SET decision_id = v_id, decision_hash = v_hash, recorded_at = v_at;
  RETURN v_id;
END $$;

CREATE TABLE ledger.head (
    one boolean DEFAULT true NOT NULL,
    journal_id bigint NOT NULL,
    hash bytea NOT NULL,
    recorded_at timestamp with time zone,
    account_id integer NOT NULL,
    decision_id integer NOT NULL,
    decision_hash bytea NOT NULL,
    seal_number integer NOT NULL,
    seal_hash bytea NOT NULL,
    closed_until date,
    closed_before timestamp with time zone,
    months_from timestamp with time zone,
    months_until timestamp with time zone,
    hour_latest timestamp with time zone,
    CONSTRAINT head_one_check CHECK (one)
)
WITH (fillfactor='10');

CREATE FUNCTION ledger.decide_batch(p_head ledger.head, p_reference text[], p_fingerprint bytea[], p_business_date date[], p_effective_at timestamp with time zone[], p_corrects bigint[], p_below_floor boolean[], p_side text[], p_debit bigint[], p_credit bigint[], p_floor bigint[], p_entry integer[], p_account integer[], p_amount bigint[], OUT o_status smallint[], OUT o_journal bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_count integer := cardinality(p_reference);
  v_postings integer := cardinality(p_entry);
  v_known bigint[];
  v_same boolean[];
  v_first integer[];
  v_correctable boolean[];
  v_taken integer[] := array_fill(NULL::integer, ARRAY[v_count]);
  v_next bigint := p_head.journal_id;
  v_from integer := 1;
  v_until integer;
  v_on integer;
  v_sum bigint;
  v_stands bigint;
  v_verdict smallint;
  -- What sums may reach before the arithmetic itself would fail.
  v_most constant bigint := 9000000000000000000;
BEGIN
  o_status := array_fill(0::smallint, ARRAY[v_count]);
  o_journal := array_fill(NULL::bigint, ARRAY[v_count]);
  SELECT array_agg(j.id ORDER BY u.i), array_agg(j.fingerprint = u.fingerprint ORDER BY u.i),
         array_agg(u.first ORDER BY u.i)
    INTO v_known, v_same, v_first
    FROM (SELECT x.i, x.reference, x.fingerprint, min(x.i) OVER (PARTITION BY x.reference) AS first
            FROM unnest(p_reference, p_fingerprint) WITH ORDINALITY x(reference, fingerprint, i)) u
    LEFT JOIN ledger.journal j ON j.reference = u.reference;
  SELECT array_agg(c.id IS NULL OR j.id IS NOT NULL ORDER BY c.i) INTO v_correctable
    FROM unnest(p_corrects) WITH ORDINALITY c(id, i) LEFT JOIN ledger.journal j ON j.id = c.id;
  FOR v_i IN 1 .. v_count LOOP
    v_until := v_from;
    WHILE v_until <= v_postings AND p_entry[v_until] = v_i LOOP
      v_until := v_until + 1;
    END LOOP;
    IF v_known[v_i] IS NOT NULL THEN
      o_status[v_i] := CASE WHEN v_same[v_i] THEN 1 ELSE 2 END;
      o_journal[v_i] := v_known[v_i];
    ELSIF v_taken[v_first[v_i]] IS NOT NULL THEN
      o_status[v_i] := CASE WHEN p_fingerprint[v_taken[v_first[v_i]]] = p_fingerprint[v_i] THEN 1 ELSE 2 END;
      o_journal[v_i] := o_journal[v_taken[v_first[v_i]]];
    ELSIF p_business_date[v_i] <= p_head.closed_until OR p_effective_at[v_i] < p_head.closed_before THEN
      o_status[v_i] := 4;
    ELSIF NOT v_correctable[v_i] THEN
      o_status[v_i] := 5;
    ELSE
      v_verdict := 0;
      FOR v_p IN v_from .. v_until - 1 LOOP
        v_on := p_account[v_p];
        IF p_amount[v_p] > 0 THEN
          p_debit[v_on] := p_debit[v_on] + p_amount[v_p];
        ELSE
          p_credit[v_on] := p_credit[v_on] - p_amount[v_p];
        END IF;
      END LOOP;
      FOR v_p IN v_from .. v_until - 1 LOOP
        v_on := p_account[v_p];
        IF p_debit[v_on] > v_most OR p_credit[v_on] > v_most THEN
          v_verdict := 6;
        ELSIF p_floor[v_on] IS NOT NULL AND NOT p_below_floor[v_i] AND v_verdict = 0 THEN
          SELECT sum(x.amount) INTO v_sum
            FROM unnest(p_account[v_from:v_until - 1], p_amount[v_from:v_until - 1]) x(account, amount)
           WHERE x.account = v_on;
          v_stands := p_debit[v_on] - p_credit[v_on];
          IF p_side[v_on] = 'credit' THEN
            v_stands := -v_stands;
            v_sum := -v_sum;
          END IF;
          -- An account already below its floor may rise towards it.
          IF v_stands < p_floor[v_on] AND v_sum < 0 THEN
            v_verdict := 3;
          END IF;
        END IF;
      END LOOP;
      IF v_verdict = 0 THEN
        v_next := v_next + 1;
        o_journal[v_i] := v_next;
        v_taken[v_first[v_i]] := v_i;
      ELSE
        o_status[v_i] := v_verdict;
        FOR v_p IN v_from .. v_until - 1 LOOP
          v_on := p_account[v_p];
          IF p_amount[v_p] > 0 THEN
            p_debit[v_on] := p_debit[v_on] - p_amount[v_p];
          ELSE
            p_credit[v_on] := p_credit[v_on] + p_amount[v_p];
          END IF;
        END LOOP;
      END IF;
    END IF;
    v_from := v_until;
  END LOOP;
END $$;

CREATE FUNCTION ledger.guard(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT
                  EXECUTE FUNCTION ledger.refuse_change()', p_table);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', p_table);
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = p_table AND tgname = 'refuse_change') THEN
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %s FOR EACH ROW
                    EXECUTE FUNCTION ledger.refuse_change()', p_table);
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_change', p_table);
END $$;

CREATE FUNCTION ledger.guard_balance(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER check_balanced AFTER INSERT ON %s REFERENCING NEW TABLE AS written
                  FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_balanced()', p_table);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER check_balanced', p_table);
END $$;

CREATE FUNCTION ledger.hold_head() RETURNS ledger.head
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT h FROM ledger.head h FOR UPDATE
$$;

CREATE FUNCTION ledger.move_hours(p_ids integer[], p_journal bigint[], p_effective_at timestamp with time zone[], p_entry integer[], p_account integer[], p_amount bigint[]) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_moved integer[];
  v_hours timestamptz[];
  v_debits bigint[];
  v_credits bigint[];
BEGIN
  SELECT array_agg(m.account_id), array_agg(m.hour), array_agg(m.debit), array_agg(m.credit)
    INTO v_moved, v_hours, v_debits, v_credits
    FROM (SELECT p_ids[x.account] AS account_id,
                 date_bin('1 hour', p_effective_at[x.entry], '2000-01-01 00:00:00+00') AS hour,
                 ledger.sum_minor(x.amount) FILTER (WHERE x.amount > 0) AS debit,
                 -ledger.sum_minor(x.amount) FILTER (WHERE x.amount < 0) AS credit
            FROM unnest(p_entry, p_account, p_amount) AS x(entry, account, amount)
           WHERE p_journal[x.entry] IS NOT NULL
           GROUP BY 1, 2) m;
  INSERT INTO ledger.hourly (account_id, hour, debit_minor, credit_minor)
  SELECT m.account_id, m.hour, coalesce(e.debit_minor, 0), coalesce(e.credit_minor, 0)
    FROM unnest(v_moved, v_hours) AS m(account_id, hour)
    LEFT JOIN LATERAL (SELECT h.debit_minor, h.credit_minor FROM ledger.hourly h
                        WHERE h.account_id = m.account_id AND h.hour <= m.hour ORDER BY h.hour DESC LIMIT 1) e ON true
  ON CONFLICT DO NOTHING;
  -- A back-dated posting moves every later hour as well.
  UPDATE ledger.hourly h SET debit_minor = h.debit_minor + m.debit, credit_minor = h.credit_minor + m.credit
    FROM (SELECT l.account_id, l.hour, sum(x.debit) AS debit, sum(x.credit) AS credit
            FROM unnest(v_moved, v_hours, v_debits, v_credits) AS x(account_id, hour, debit, credit)
            JOIN ledger.hourly l ON l.account_id = x.account_id AND l.hour >= x.hour
           GROUP BY l.account_id, l.hour) m
   WHERE h.account_id = m.account_id AND h.hour = m.hour;
  RETURN (SELECT max(h) FROM unnest(v_hours) h);
END $$;

CREATE FUNCTION ledger.open_month(p_instant timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
  v_from timestamptz := date_trunc('month', p_instant);
  v_until timestamptz := v_from + interval '1 month';
  v_name text := 'posting_' || to_char(v_from, 'YYYY_MM');
BEGIN
  IF to_regclass('ledger.' || v_name) IS NULL THEN
    EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.posting INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
                    WITH (autovacuum_vacuum_insert_scale_factor = 0.05)', v_name);
    EXECUTE format('ALTER TABLE ledger.posting ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
                   v_name, v_from, v_until);
    EXECUTE format('GRANT SELECT ON ledger.%I TO mizan_service', v_name);
    PERFORM ledger.guard(format('ledger.%I', v_name)::regclass);
    PERFORM ledger.guard_balance(format('ledger.%I', v_name)::regclass);
  END IF;
  UPDATE ledger.head SET
    months_from = CASE WHEN v_from BETWEEN months_from AND months_until THEN months_from ELSE v_from END,
    months_until = CASE WHEN v_from BETWEEN months_from AND months_until THEN greatest(months_until, v_until)
                        ELSE v_until END;
END $$;

CREATE FUNCTION ledger.open_months(p_instant timestamp with time zone, p_months integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
  v_recorded timestamptz;
BEGIN
  SELECT recorded_at INTO v_recorded FROM ledger.head FOR UPDATE;
  FOR v_month IN 0 .. p_months LOOP
    PERFORM ledger.open_month(date_trunc('month', greatest(p_instant, v_recorded)) + make_interval(months => v_month));
  END LOOP;
END $$;

CREATE FUNCTION ledger.person_compared(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT lower(btrim(regexp_replace(translate(normalize(translate(name, E'\u00AD\u061C\u200B\u200C\u200D\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2060\u2066\u2067\u2068\u2069\uFEFF', ''), NFKC),
    E'\u0430\u0435\u043E\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04BB\u051B\u051D\u043A\u043C\u043D\u0442'
    '\u0432\u04CF\u03B1\u03BF\u03C1\u03BD\u03BA\u03B9\u03C4\u03C7\u03B5\u03B7\u03BC\u03B2\u03C5\u03B6\u0410\u0415'
    '\u041E\u0420\u0421\u0423\u0425\u0406\u0408\u0405\u0500\u04BA\u051A\u051C\u041A\u041C\u041D\u0422\u0412\u04C0'
    '\u0391\u039F\u03A1\u039D\u039A\u0399\u03A4\u03A7\u0395\u0397\u039C\u0392\u03A5\u0396',
    'aeopcyxijsdhqwkmhtblaopvkitxehmbyzaeopcyxijsdhqwkmhtblaopvkitxehmbyz'), '\s+', ' ', 'g')))
$$;

CREATE FUNCTION ledger.post_batch(p_recorded_at timestamp with time zone, p_reference text[], p_fingerprint bytea[], p_kind text[], p_business_date date[], p_effective_at timestamp with time zone[], p_payment text[], p_provider text[], p_provider_reference text[], p_file text[], p_line integer[], p_corrects bigint[], p_late_for date[], p_below_floor boolean[], p_description text[], p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[], p_entry integer[], p_account integer[], p_seq smallint[], p_amount bigint[], p_item text[], OUT o_status smallint[], OUT o_journal bigint[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION ledger.post_entry(p_recorded_at timestamp with time zone, p_reference text, p_fingerprint bytea, p_kind text, p_business_date date, p_effective_at timestamp with time zone, p_payment text, p_provider text, p_provider_reference text, p_file text, p_line integer, p_corrects bigint, p_late_for date, p_below_floor boolean, p_description text, p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[], p_account integer[], p_amount bigint[], p_item text[], OUT o_status smallint[], OUT o_journal bigint[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
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

CREATE FUNCTION ledger.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION 'ledger.% is append-only: % is refused', TG_TABLE_NAME, lower(TG_OP)
    USING ERRCODE = 'restrict_violation', HINT = 'Correct a journal by posting another that refers to it.';
END $$;

CREATE FUNCTION reconciliation.contract_is_decided_once() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION 'contract % is % already', OLD.id, OLD.decision
    USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_is_decided_once';
END $$;

CREATE FUNCTION reconciliation.decided_once() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF OLD.decision IS NOT NULL THEN
    RAISE EXCEPTION '% % is decided and stays as it is', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION reconciliation.payee_follows_its_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM reconciliation.payee_change c
    WHERE c.id = NEW.change_id AND c.decision = 'approved' AND c.applied_at IS NOT NULL
      AND (c.department, c.currency, c.revenue_code, c.legal_name, c.iban, c.purpose, c.proof, c.schedule, c.weekday,
           c.minimum_minor, c.holdback_minor, c.fee_bearer, c.chargebacks_by_treasury)
        = (NEW.department, NEW.currency, NEW.revenue_code, NEW.legal_name, NEW.iban, NEW.purpose, NEW.proof,
           NEW.schedule, NEW.weekday, NEW.minimum_minor, NEW.holdback_minor, NEW.fee_bearer,
           NEW.chargebacks_by_treasury)
      AND c.bic IS NOT DISTINCT FROM NEW.bic AND c.remittance_email IS NOT DISTINCT FROM NEW.remittance_email
  ) THEN
    RAISE EXCEPTION 'bank details of % change only by an approved change of two people', NEW.department
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payee_follows_its_change';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION reconciliation.remember_payout_batch() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.status, NEW.checker, NEW.reason) IS NOT DISTINCT FROM (OLD.status, OLD.checker, OLD.reason)
  THEN
    RETURN NULL;
  END IF;
  INSERT INTO reconciliation.payout_batch_history (batch_id, sequence, at, status, checker, reason)
  SELECT NEW.id, count(*) + 1, greatest(NEW.moved_at, max(h.at)), NEW.status, NEW.checker, NEW.reason
    FROM reconciliation.payout_batch_history h WHERE h.batch_id = NEW.id;
  RETURN NULL;
END $$;

CREATE FUNCTION reconciliation.remember_payout_line() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.status, NEW.paid_on, NEW.reason) IS NOT DISTINCT FROM (OLD.status, OLD.paid_on, OLD.reason)
  THEN
    RETURN NULL;
  END IF;
  INSERT INTO reconciliation.payout_line_history (line_id, sequence, at, status, paid_on, reason)
  SELECT NEW.id, count(*) + 1, greatest(NEW.moved_at, max(h.at)), NEW.status, NEW.paid_on, NEW.reason
    FROM reconciliation.payout_line_history h WHERE h.line_id = NEW.id;
  RETURN NULL;
END $$;

CREATE FUNCTION reconciliation.unmatch_has_its_match() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM reconciliation.match m
    WHERE m.leg = NEW.leg AND m.file_no = NEW.file_no AND m.line = NEW.line AND m.version = NEW.version
  ) THEN
    RAISE EXCEPTION 'there is no version % of a match of line % in file % of leg %',
      NEW.version, NEW.line, NEW.file_no, NEW.leg
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'unmatch_has_its_match';
  END IF;
  RETURN NEW;
END $$;

CREATE AGGREGATE ledger.sum_minor(bigint) (
    SFUNC = int8pl,
    STYPE = bigint,
    INITCOND = '0',
    COMBINEFUNC = int8pl,
    PARALLEL = safe
);

CREATE TABLE gateway.announcement (
    provider text NOT NULL COLLATE pg_catalog."C",
    paper text NOT NULL COLLATE pg_catalog."C",
    heard_at timestamp with time zone NOT NULL,
    CONSTRAINT announcement_paper_check CHECK (((length(paper) >= 1) AND (length(paper) <= 200)))
);

CREATE TABLE gateway.api_key (
    id text NOT NULL COLLATE pg_catalog."C",
    sha256 bytea NOT NULL,
    department text COLLATE pg_catalog."C",
    label text NOT NULL,
    scopes text[] NOT NULL,
    live boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    requests_per_minute integer,
    replaces text COLLATE pg_catalog."C",
    lineage text COLLATE pg_catalog."C",
    origin text COLLATE pg_catalog."C",
    made_by text COLLATE pg_catalog."C",
    hands text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT api_key_requests_per_minute_check CHECK ((requests_per_minute > 0)),
    CONSTRAINT api_key_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT api_key_whose_check CHECK (
CASE
    WHEN (department IS NULL) THEN (scopes = ARRAY['finance:read'::text])
    ELSE (NOT (scopes && ARRAY['finance:read'::text]))
END)
);

COMMENT ON COLUMN gateway.api_key.department IS 'null: the treasury''s own, which reads reports over all departments';

COMMENT ON COLUMN gateway.api_key.lineage IS 'the first of the keys this one replaces, one after the other; null: itself';

COMMENT ON COLUMN gateway.api_key.origin IS 'the credential the operator issued, under which this one was made; null: itself';

COMMENT ON COLUMN gateway.api_key.made_by IS 'the credential that made it or rotated another into it; null: the operator';

COMMENT ON COLUMN gateway.api_key.hands IS 'origins of others that rotated it or one before it in its line: they are one pair of eyes with it';

CREATE TABLE gateway.attempt (
    id text NOT NULL COLLATE pg_catalog."C",
    intent text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    method text NOT NULL,
    status text NOT NULL,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    payer_email text,
    payer_mobile text,
    payer_bank text,
    provider_reference text COLLATE pg_catalog."C",
    next_step jsonb,
    decline text,
    word text NOT NULL,
    facts jsonb NOT NULL,
    captured_minor bigint,
    captured_currency character(3),
    captured_at timestamp with time zone,
    late boolean NOT NULL,
    resolution text,
    review text,
    started_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    checks integer NOT NULL,
    next_check_at timestamp with time zone NOT NULL,
    contact bytea,
    CONSTRAINT attempt_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT attempt_captured_minor_check CHECK (((captured_minor >= 1) AND (captured_minor <= '1000000000000000'::bigint))),
    CONSTRAINT attempt_check CHECK (((captured_minor IS NULL) = (captured_at IS NULL))),
    CONSTRAINT attempt_check1 CHECK (((status <> 'succeeded'::text) OR (captured_minor IS NOT NULL))),
    CONSTRAINT attempt_resolution_check CHECK ((resolution = ANY (ARRAY['accepted'::text, 'refunded'::text]))),
    CONSTRAINT attempt_status_check CHECK ((status = ANY (ARRAY['starting'::text, 'pending'::text, 'unknown'::text, 'succeeded'::text, 'declined'::text, 'voided'::text])))
);

CREATE TABLE gateway.audit (
    id text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL COLLATE pg_catalog."C",
    before jsonb,
    after jsonb
);

CREATE TABLE gateway.bundle (
    code text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    name_ar text NOT NULL,
    name_en text NOT NULL,
    description_ar text NOT NULL,
    description_en text NOT NULL,
    active boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT bundle_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'::text))
);

CREATE TABLE gateway.bundle_item (
    bundle text NOT NULL COLLATE pg_catalog."C",
    number smallint NOT NULL,
    service text NOT NULL COLLATE pg_catalog."C",
    quantity integer NOT NULL,
    CONSTRAINT bundle_item_number_check CHECK (((number >= 1) AND (number <= 50))),
    CONSTRAINT bundle_item_quantity_check CHECK (((quantity >= 1) AND (quantity <= 10000)))
);

CREATE TABLE gateway.caller_change (
    the_row boolean NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT caller_change_the_row_check CHECK (the_row)
);

COMMENT ON TABLE gateway.caller_change IS 'one row: grows when a credential is ended, and every web process then forgets whom it knew';

CREATE TABLE gateway.cash_handout (
    refund text NOT NULL COLLATE pg_catalog."C",
    shift text NOT NULL COLLATE pg_catalog."C",
    agent text NOT NULL COLLATE pg_catalog."C",
    asked_at timestamp with time zone NOT NULL,
    checker text COLLATE pg_catalog."C",
    checked_at timestamp with time zone,
    CONSTRAINT cash_handout_check CHECK (((checker IS NULL) = (checked_at IS NULL))),
    CONSTRAINT cash_handout_two_people CHECK ((checker <> agent))
);

CREATE TABLE gateway.centre (
    code text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    name_ar text NOT NULL,
    name_en text NOT NULL,
    terminal_provider text COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT centre_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_-]{0,30}$'::text))
);

CREATE TABLE gateway.centre_agent (
    code text NOT NULL COLLATE pg_catalog."C",
    centre text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    role text NOT NULL,
    password text COLLATE pg_catalog."C",
    failures integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    disabled_at timestamp with time zone,
    chose_password boolean DEFAULT false NOT NULL,
    CONSTRAINT centre_agent_check CHECK (((checker IS NULL) = (checked_at IS NULL))),
    CONSTRAINT centre_agent_check1 CHECK (((password IS NULL) OR (checker IS NOT NULL))),
    CONSTRAINT centre_agent_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9.-]{1,30}$'::text)),
    CONSTRAINT centre_agent_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT centre_agent_role_check CHECK ((role = ANY (ARRAY['agent'::text, 'supervisor'::text])))
);

CREATE TABLE gateway.centre_session (
    token_sha256 bytea NOT NULL,
    agent text NOT NULL COLLATE pg_catalog."C",
    began_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT centre_session_token_sha256_check CHECK ((length(token_sha256) = 32))
);

CREATE TABLE gateway.circuit (
    provider text NOT NULL COLLATE pg_catalog."C",
    operation text NOT NULL COLLATE pg_catalog."C",
    failures integer NOT NULL,
    failed_at timestamp with time zone,
    openings integer NOT NULL,
    retry_at timestamp with time zone,
    probe_until timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT circuit_check CHECK (((probe_until IS NULL) OR (retry_at IS NOT NULL))),
    CONSTRAINT circuit_failures_check CHECK ((failures >= 0)),
    CONSTRAINT circuit_openings_check CHECK ((openings >= 0))
);

CREATE TABLE gateway.client_assertion (
    client text NOT NULL COLLATE pg_catalog."C",
    jti_sha256 bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT client_assertion_jti_sha256_check CHECK ((length(jti_sha256) = 32))
);

CREATE TABLE gateway.counter_payer (
    intent text NOT NULL COLLATE pg_catalog."C",
    id_digest bytea NOT NULL,
    id_ending text NOT NULL COLLATE pg_catalog."C",
    agent text NOT NULL COLLATE pg_catalog."C",
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT counter_payer_id_digest_check CHECK ((length(id_digest) = 32)),
    CONSTRAINT counter_payer_id_ending_check CHECK ((length(id_ending) = 4))
);

CREATE TABLE gateway.counter_payment (
    attempt text NOT NULL COLLATE pg_catalog."C",
    shift text NOT NULL COLLATE pg_catalog."C",
    agent text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    terminal_reference text COLLATE pg_catalog."C",
    taken_at timestamp with time zone NOT NULL
);

CREATE TABLE gateway.department (
    code text NOT NULL COLLATE pg_catalog."C",
    name_ar text NOT NULL,
    name_en text NOT NULL,
    return_origins text[] NOT NULL,
    vat_registration text,
    fee_bearer text NOT NULL,
    active boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    reminder_minutes integer,
    refund_limits jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT department_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text)),
    CONSTRAINT department_fee_bearer_check CHECK ((fee_bearer = ANY (ARRAY['treasury'::text, 'department'::text, 'payer'::text]))),
    CONSTRAINT department_reminder_minutes_check CHECK (((reminder_minutes >= 5) AND (reminder_minutes <= 43200)))
);

CREATE TABLE gateway.event (
    id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    object text NOT NULL COLLATE pg_catalog."C",
    data jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE gateway.idempotency (
    caller text NOT NULL COLLATE pg_catalog."C",
    route text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    body_sha256 bytea NOT NULL,
    resource text NOT NULL COLLATE pg_catalog."C",
    status smallint NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_body_sha256_check CHECK ((length(body_sha256) = 32)),
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);

CREATE TABLE gateway.inbox (
    provider text NOT NULL COLLATE pg_catalog."C",
    event text NOT NULL COLLATE pg_catalog."C",
    reference text COLLATE pg_catalog."C",
    provider_reference text COLLATE pg_catalog."C",
    word text NOT NULL,
    proven bytea,
    status text NOT NULL,
    tries integer NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    continuation text,
    refund bytea,
    CONSTRAINT inbox_continuation_check CHECK ((length(continuation) <= 4096)),
    CONSTRAINT inbox_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'applied'::text, 'unmatched'::text, 'given_up'::text])))
);

CREATE TABLE gateway.intent (
    id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    reference text NOT NULL,
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    status text NOT NULL,
    late_payment boolean NOT NULL,
    language text NOT NULL,
    payer_email text,
    payer_mobile text,
    return_url text,
    metadata jsonb NOT NULL,
    live boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    next_close_at timestamp with time zone NOT NULL,
    paid_at timestamp with time zone,
    paid_attempt text COLLATE pg_catalog."C",
    receipt_number text COLLATE pg_catalog."C",
    duplicate_of text COLLATE pg_catalog."C",
    bundle text COLLATE pg_catalog."C",
    capture_later boolean DEFAULT false NOT NULL,
    authorised_minor bigint,
    capture_asked_at timestamp with time zone,
    contact bytea,
    CONSTRAINT intent_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT intent_check CHECK (((status = 'paid'::text) = (paid_at IS NOT NULL))),
    CONSTRAINT intent_check1 CHECK (((status = 'paid'::text) = (paid_attempt IS NOT NULL))),
    CONSTRAINT intent_check2 CHECK (((status = 'paid'::text) = (receipt_number IS NOT NULL))),
    CONSTRAINT intent_check3 CHECK ((authorised_minor >= amount_minor)),
    CONSTRAINT intent_check4 CHECK ((capture_later OR (authorised_minor IS NULL))),
    CONSTRAINT intent_check5 CHECK (((authorised_minor IS NOT NULL) OR (capture_asked_at IS NULL))),
    CONSTRAINT intent_check6 CHECK (((status <> 'requires_capture'::text) OR ((authorised_minor IS NOT NULL) AND (capture_asked_at IS NULL)))),
    CONSTRAINT intent_language_check CHECK ((language = ANY (ARRAY['ar'::text, 'en'::text]))),
    CONSTRAINT intent_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 100))),
    CONSTRAINT intent_status_check CHECK ((status = ANY (ARRAY['requires_payment'::text, 'processing'::text, 'requires_capture'::text, 'paid'::text, 'cancelled'::text, 'expired'::text])))
);

CREATE TABLE gateway.intent_line (
    intent text NOT NULL COLLATE pg_catalog."C",
    number smallint NOT NULL,
    department text NOT NULL COLLATE pg_catalog."C",
    service text COLLATE pg_catalog."C",
    name_ar text NOT NULL,
    name_en text NOT NULL,
    revenue_code text NOT NULL,
    quantity integer NOT NULL,
    amount_minor bigint NOT NULL,
    vat_minor bigint NOT NULL,
    tariff text COLLATE pg_catalog."C",
    base_minor bigint,
    discount_minor bigint DEFAULT 0 NOT NULL,
    concession text COLLATE pg_catalog."C",
    shared boolean DEFAULT false NOT NULL,
    CONSTRAINT intent_line_amount_minor_check CHECK (((amount_minor >= 0) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT intent_line_base_minor_check CHECK (((base_minor >= 1) AND (base_minor <= '1000000000000'::bigint))),
    CONSTRAINT intent_line_check CHECK (((vat_minor >= 0) AND (vat_minor <= amount_minor))),
    CONSTRAINT intent_line_discount_minor_check CHECK (((discount_minor >= 0) AND (discount_minor <= '1000000000000'::bigint))),
    CONSTRAINT intent_line_number_check CHECK (((number >= 1) AND (number <= 100))),
    CONSTRAINT intent_line_quantity_check CHECK (((quantity >= 1) AND (quantity <= 10000)))
);

CREATE TABLE gateway.message (
    id text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    channel text NOT NULL COLLATE pg_catalog."C",
    recipient text,
    language text NOT NULL,
    status text NOT NULL,
    tries integer NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    carrier_reference text COLLATE pg_catalog."C",
    delivery text,
    delivery_at timestamp with time zone,
    copy_number integer DEFAULT 0 NOT NULL,
    sealed_recipient bytea,
    CONSTRAINT message_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text]))),
    CONSTRAINT message_has_recipient CHECK (((recipient IS NULL) <> (sealed_recipient IS NULL))),
    CONSTRAINT message_language_check CHECK ((language = ANY (ARRAY['ar'::text, 'en'::text]))),
    CONSTRAINT message_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'sent'::text, 'dead'::text, 'needless'::text])))
);

CREATE TABLE gateway.oauth_client (
    id text NOT NULL COLLATE pg_catalog."C",
    department text COLLATE pg_catalog."C",
    label text NOT NULL,
    scopes text[] NOT NULL,
    jwks jsonb,
    jwks_url text,
    live boolean NOT NULL,
    requests_per_minute integer,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    last_used_at timestamp with time zone,
    origin text COLLATE pg_catalog."C",
    made_by text COLLATE pg_catalog."C",
    keys_by text COLLATE pg_catalog."C",
    hands text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    expires_at timestamp with time zone,
    CONSTRAINT oauth_client_check CHECK (((jwks IS NULL) <> (jwks_url IS NULL))),
    CONSTRAINT oauth_client_requests_per_minute_check CHECK ((requests_per_minute > 0)),
    CONSTRAINT oauth_client_whose_check CHECK (
CASE
    WHEN (department IS NULL) THEN (scopes = ARRAY['finance:read'::text])
    ELSE (NOT (scopes && ARRAY['finance:read'::text]))
END)
);

COMMENT ON COLUMN gateway.oauth_client.department IS 'null: the treasury''s own, which reads reports over all departments';

COMMENT ON COLUMN gateway.oauth_client.origin IS 'the credential the operator issued, under which this one was made; null: itself';

COMMENT ON COLUMN gateway.oauth_client.made_by IS 'the credential that registered it; null: the operator';

COMMENT ON COLUMN gateway.oauth_client.keys_by IS 'the other credential that put its keys in place, unless the operator has since';

COMMENT ON COLUMN gateway.oauth_client.hands IS 'origins of others that put keys in place: they are one pair of eyes with it';

COMMENT ON COLUMN gateway.oauth_client.expires_at IS 'when whatever registered it would have ended';

CREATE TABLE gateway.outbox (
    event text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE gateway.payment_link (
    id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    reference text NOT NULL,
    service text COLLATE pg_catalog."C",
    name_ar text NOT NULL,
    name_en text NOT NULL,
    revenue_code text NOT NULL,
    quantity integer NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint,
    amount_min_minor bigint,
    amount_max_minor bigint,
    single_use boolean NOT NULL,
    language text NOT NULL,
    return_url text,
    metadata jsonb NOT NULL,
    live boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    disabled_at timestamp with time zone,
    base_minor bigint,
    answers jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT payment_link_amount_min_minor_check CHECK (((amount_min_minor >= 1) AND (amount_min_minor <= '1000000000000'::bigint))),
    CONSTRAINT payment_link_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT payment_link_base_minor_check CHECK (((base_minor >= 1) AND (base_minor <= '1000000000000'::bigint))),
    CONSTRAINT payment_link_check CHECK (((amount_max_minor >= amount_min_minor) AND (amount_max_minor <= '1000000000000'::bigint))),
    CONSTRAINT payment_link_check1 CHECK (((amount_min_minor IS NULL) = (amount_max_minor IS NULL))),
    CONSTRAINT payment_link_check2 CHECK (((amount_minor IS NULL) OR (amount_min_minor IS NULL))),
    CONSTRAINT payment_link_language_check CHECK ((language = ANY (ARRAY['ar'::text, 'en'::text]))),
    CONSTRAINT payment_link_quantity_check CHECK (((quantity >= 1) AND (quantity <= 10000)))
);

CREATE TABLE gateway.payment_link_use (
    link text NOT NULL COLLATE pg_catalog."C",
    intent text NOT NULL COLLATE pg_catalog."C",
    number integer,
    CONSTRAINT payment_link_use_number_check CHECK ((number >= 1))
);

CREATE TABLE gateway.promise (
    attempt text NOT NULL COLLATE pg_catalog."C",
    made_at timestamp with time zone NOT NULL
);

CREATE TABLE gateway.provider_drain (
    provider text NOT NULL COLLATE pg_catalog."C",
    drained boolean NOT NULL,
    until timestamp with time zone,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT provider_drain_changed_by_check CHECK (((length(changed_by) >= 1) AND (length(changed_by) <= 100))),
    CONSTRAINT provider_drain_check CHECK ((drained OR (until IS NULL)))
);

CREATE TABLE gateway.rating (
    intent text NOT NULL COLLATE pg_catalog."C",
    score smallint NOT NULL,
    given_at timestamp with time zone NOT NULL,
    CONSTRAINT rating_score_check CHECK (((score >= 1) AND (score <= 5)))
);

CREATE TABLE gateway.rating_history (
    intent text NOT NULL COLLATE pg_catalog."C",
    given_at timestamp with time zone NOT NULL,
    score smallint NOT NULL
);

CREATE TABLE gateway.receipt_counter (
    department text NOT NULL COLLATE pg_catalog."C",
    year smallint NOT NULL,
    last integer NOT NULL,
    CONSTRAINT receipt_counter_last_check CHECK ((last > 0))
);

CREATE TABLE gateway.refund (
    id text NOT NULL COLLATE pg_catalog."C",
    intent text NOT NULL COLLATE pg_catalog."C",
    attempt text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    late boolean NOT NULL,
    provider_reference text COLLATE pg_catalog."C",
    word text NOT NULL,
    review text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone,
    sent_at timestamp with time zone,
    checks integer NOT NULL,
    next_check_at timestamp with time zone NOT NULL,
    asked_by text DEFAULT 'system'::text NOT NULL,
    asked_with text COLLATE pg_catalog."C",
    decided_by text,
    decided_at timestamp with time zone,
    batch text COLLATE pg_catalog."C",
    CONSTRAINT refund_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT refund_decision_whole CHECK (((decided_by IS NULL) = (decided_at IS NULL))),
    CONSTRAINT refund_status_check CHECK ((status = ANY (ARRAY['awaiting_approval'::text, 'awaiting_collection'::text, 'requested'::text, 'pending'::text, 'unknown'::text, 'succeeded'::text, 'failed'::text]))),
    CONSTRAINT refund_waits_undecided CHECK (((status <> 'awaiting_approval'::text) OR (decided_by IS NULL)))
);

CREATE TABLE gateway.refund_line (
    refund text NOT NULL COLLATE pg_catalog."C",
    number smallint NOT NULL,
    department text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    vat_minor bigint NOT NULL,
    CONSTRAINT refund_line_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT refund_line_check CHECK (((vat_minor >= 0) AND (vat_minor <= amount_minor)))
);

CREATE TABLE gateway.reservation (
    intent text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    numbers smallint[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    vats_minor bigint[] NOT NULL,
    letting_go_at timestamp with time zone,
    CONSTRAINT reservation_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT reservation_check CHECK (((cardinality(numbers) = cardinality(amounts_minor)) AND (cardinality(numbers) = cardinality(vats_minor))))
);

CREATE TABLE gateway.review_decision (
    id text NOT NULL COLLATE pg_catalog."C",
    attempt text NOT NULL COLLATE pg_catalog."C",
    review text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    CONSTRAINT review_decision_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT review_decision_check1 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT review_decision_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT review_decision_outcome_check CHECK ((outcome = ANY (ARRAY['ask_again'::text, 'refund'::text, 'close'::text]))),
    CONSTRAINT review_decision_reason_check CHECK ((length(reason) > 0))
);

CREATE TABLE gateway.routing (
    version integer NOT NULL,
    rules jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT routing_made_by_check CHECK (((length(made_by) >= 1) AND (length(made_by) <= 100))),
    CONSTRAINT routing_rules_check CHECK ((jsonb_typeof(rules) = 'array'::text)),
    CONSTRAINT routing_version_check CHECK ((version > 0))
);

CREATE TABLE gateway.sealing_walk (
    relation text NOT NULL COLLATE pg_catalog."C",
    head bytea NOT NULL,
    reached text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT sealing_walk_relation_check CHECK ((relation = ANY (ARRAY['intent'::text, 'attempt'::text, 'message'::text])))
);

CREATE TABLE gateway.service (
    code text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    name_ar text NOT NULL,
    name_en text NOT NULL,
    revenue_code text NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint,
    vat_basis_points integer NOT NULL,
    active boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    description_ar text DEFAULT ''::text NOT NULL,
    description_en text DEFAULT ''::text NOT NULL,
    audience text[] DEFAULT '{}'::text[] NOT NULL,
    channels text[] DEFAULT '{}'::text[] NOT NULL,
    documents jsonb DEFAULT '[]'::jsonb NOT NULL,
    depends_on text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT service_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000'::bigint))),
    CONSTRAINT service_audience_check CHECK ((audience <@ ARRAY['citizens'::text, 'residents'::text, 'business'::text, 'visitors'::text])),
    CONSTRAINT service_channels_check CHECK ((channels <@ ARRAY['web'::text, 'app'::text, 'counter'::text, 'kiosk'::text, 'phone'::text])),
    CONSTRAINT service_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'::text)),
    CONSTRAINT service_vat_basis_points_check CHECK (((vat_basis_points >= 0) AND (vat_basis_points <= 10000)))
);

CREATE TABLE gateway.service_audience (
    service text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL,
    audience jsonb NOT NULL
);

CREATE TABLE gateway.shift (
    id text NOT NULL COLLATE pg_catalog."C",
    centre text NOT NULL COLLATE pg_catalog."C",
    agent text NOT NULL COLLATE pg_catalog."C",
    currency character(3) NOT NULL,
    float_minor bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    expected_minor bigint,
    counted_minor bigint,
    counted_at timestamp with time zone,
    deposit_reference text COLLATE pg_catalog."C",
    checker text COLLATE pg_catalog."C",
    closed_at timestamp with time zone,
    CONSTRAINT shift_agent_is_not_checker CHECK ((checker <> agent)),
    CONSTRAINT shift_check CHECK (((counted_at IS NULL) = (counted_minor IS NULL))),
    CONSTRAINT shift_check1 CHECK (((counted_at IS NULL) = (expected_minor IS NULL))),
    CONSTRAINT shift_check2 CHECK (((closed_at IS NULL) OR (counted_at IS NOT NULL))),
    CONSTRAINT shift_counted_minor_check CHECK ((counted_minor >= 0)),
    CONSTRAINT shift_difference_takes_a_second_person CHECK (((closed_at IS NULL) OR (counted_minor = expected_minor) OR (checker IS NOT NULL))),
    CONSTRAINT shift_expected_minor_check CHECK ((expected_minor >= 0)),
    CONSTRAINT shift_float_minor_check CHECK (((float_minor >= 0) AND (float_minor <= 1000000000)))
);

CREATE TABLE gateway.tariff (
    id text NOT NULL COLLATE pg_catalog."C",
    service text NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    effective_on date NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    terms jsonb NOT NULL,
    legal_basis text NOT NULL,
    reason text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    proposed_with text COLLATE pg_catalog."C",
    CONSTRAINT tariff_check CHECK ((checked_at >= made_at)),
    CONSTRAINT tariff_check1 CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT tariff_check2 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT tariff_checker_check CHECK ((btrim(checker) <> ''::text)),
    CONSTRAINT tariff_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT tariff_legal_basis_check CHECK ((btrim(legal_basis) <> ''::text)),
    CONSTRAINT tariff_maker_check CHECK ((btrim(maker) <> ''::text)),
    CONSTRAINT tariff_reason_check CHECK ((btrim(reason) <> ''::text)),
    CONSTRAINT tariff_version_check CHECK ((version > 0))
);

CREATE TABLE gateway.told_journal (
    one boolean DEFAULT true NOT NULL,
    journal_id bigint NOT NULL,
    CONSTRAINT told_journal_journal_id_check CHECK ((journal_id >= 0)),
    CONSTRAINT told_journal_one_check CHECK (one)
);

CREATE TABLE gateway.transfer_claim (
    id text NOT NULL COLLATE pg_catalog."C",
    attempt text NOT NULL COLLATE pg_catalog."C",
    credit text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    CONSTRAINT transfer_claim_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT transfer_claim_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT transfer_claim_check1 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT transfer_claim_credit_check CHECK (((length(credit) >= 1) AND (length(credit) <= 100))),
    CONSTRAINT transfer_claim_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT transfer_claim_reason_check CHECK ((length(reason) > 0))
);

CREATE TABLE gateway.webhook_delivery (
    endpoint text NOT NULL COLLATE pg_catalog."C",
    event text NOT NULL COLLATE pg_catalog."C",
    object text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    tries integer NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    first_try_at timestamp with time zone,
    delivered_at timestamp with time zone,
    answer text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_delivery_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'delivered'::text, 'dead'::text])))
);

CREATE TABLE gateway.webhook_endpoint (
    id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_until timestamp with time zone,
    disabled_at timestamp with time zone,
    disabled_because text,
    created_at timestamp with time zone NOT NULL,
    earlier_secret bytea,
    earlier_until timestamp with time zone,
    CONSTRAINT webhook_endpoint_check CHECK (((previous_secret IS NULL) = (previous_until IS NULL))),
    CONSTRAINT webhook_endpoint_earlier_check CHECK (((earlier_secret IS NULL) = (earlier_until IS NULL))),
    CONSTRAINT webhook_endpoint_secret_check CHECK (((length(secret) >= 24) AND (length(secret) <= 128)))
);

COMMENT ON COLUMN gateway.webhook_endpoint.earlier_secret IS 'the secret before the previous one, while receivers may still use it';

CREATE TABLE ledger.account (
    id integer NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    currency character(3) NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    side text NOT NULL COLLATE pg_catalog."C",
    by_item boolean NOT NULL,
    opened_by bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    CONSTRAINT account_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT account_side_check CHECK ((side = ANY (ARRAY['debit'::text, 'credit'::text]))),
    CONSTRAINT account_type_check CHECK ((type = ANY (ARRAY['asset'::text, 'liability'::text, 'income'::text, 'expense'::text])))
);

CREATE VIEW ledger.accounts AS
 SELECT path AS account,
    currency,
    type,
    side,
    opened_at
   FROM ledger.account a;

CREATE TABLE ledger.posting (
    journal_id bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    amount_minor bigint NOT NULL,
    balance_minor bigint NOT NULL,
    account_id integer NOT NULL,
    seq smallint NOT NULL,
    currency character(3) NOT NULL COLLATE pg_catalog."C",
    item text COLLATE pg_catalog."C",
    CONSTRAINT posting_amount_minor_check CHECK (((amount_minor <> 0) AND ((amount_minor >= '-1000000000000000'::bigint) AND (amount_minor <= '1000000000000000'::bigint))))
)
PARTITION BY RANGE (recorded_at);

CREATE TABLE ledger.posting_archive (
    journal_id bigint CONSTRAINT posting_journal_id_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT posting_recorded_at_not_null NOT NULL,
    effective_at timestamp with time zone CONSTRAINT posting_effective_at_not_null NOT NULL,
    amount_minor bigint CONSTRAINT posting_amount_minor_not_null NOT NULL,
    balance_minor bigint CONSTRAINT posting_balance_minor_not_null NOT NULL,
    account_id integer CONSTRAINT posting_account_id_not_null NOT NULL,
    seq smallint CONSTRAINT posting_seq_not_null NOT NULL,
    currency character(3) CONSTRAINT posting_currency_not_null NOT NULL COLLATE pg_catalog."C",
    item text COLLATE pg_catalog."C",
    CONSTRAINT posting_amount_minor_check CHECK (((amount_minor <> 0) AND ((amount_minor >= '-1000000000000000'::bigint) AND (amount_minor <= '1000000000000000'::bigint))))
)
PARTITION BY RANGE (recorded_at);

CREATE VIEW ledger.all_postings AS
 SELECT posting.journal_id,
    posting.recorded_at,
    posting.effective_at,
    posting.amount_minor,
    posting.balance_minor,
    posting.account_id,
    posting.seq,
    posting.currency,
    posting.item
   FROM ledger.posting
UNION ALL
 SELECT posting_archive.journal_id,
    posting_archive.recorded_at,
    posting_archive.effective_at,
    posting_archive.amount_minor,
    posting_archive.balance_minor,
    posting_archive.account_id,
    posting_archive.seq,
    posting_archive.currency,
    posting_archive.item
   FROM ledger.posting_archive;

CREATE TABLE ledger.hourly (
    account_id integer NOT NULL,
    hour timestamp with time zone NOT NULL,
    debit_minor bigint NOT NULL,
    credit_minor bigint NOT NULL
)
WITH (fillfactor='50');

CREATE VIEW ledger.balance AS
 SELECT a.id AS account_id,
    b.debit_minor,
    b.credit_minor
   FROM (ledger.account a
     CROSS JOIN LATERAL ( SELECT h.debit_minor,
            h.credit_minor
           FROM ledger.hourly h
          WHERE (h.account_id = a.id)
          ORDER BY h.hour DESC
         LIMIT 1) b);

CREATE VIEW ledger.balances AS
 SELECT a.path AS account,
    a.currency,
    (b.debit_minor - b.credit_minor) AS amount_minor
   FROM (ledger.account a
     CROSS JOIN LATERAL ( SELECT h.debit_minor,
            h.credit_minor
           FROM ledger.hourly h
          WHERE (h.account_id = a.id)
          ORDER BY h.hour DESC
         LIMIT 1) b);

CREATE TABLE ledger.decision (
    id integer NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    path text COLLATE pg_catalog."C",
    currency character(3) COLLATE pg_catalog."C",
    floor_minor bigint,
    closed_until date,
    closed_before timestamp with time zone,
    reason text NOT NULL COLLATE pg_catalog."C",
    decided_by text NOT NULL COLLATE pg_catalog."C",
    recorded_at timestamp with time zone NOT NULL,
    journal_id bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT decision_hash_check CHECK ((length(hash) = 32)),
    CONSTRAINT decision_kind_check CHECK ((kind = ANY (ARRAY['period_closed'::text, 'floor_set'::text, 'floor_lifted'::text])))
);

CREATE TABLE ledger.floor (
    path text NOT NULL COLLATE pg_catalog."C",
    currency character(3) NOT NULL COLLATE pg_catalog."C",
    floor_minor bigint NOT NULL
);

CREATE TABLE ledger.item (
    account_id integer NOT NULL,
    item text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    business_date date NOT NULL,
    journal_id bigint NOT NULL,
    payment text COLLATE pg_catalog."C",
    provider_reference text COLLATE pg_catalog."C",
    moved_by bigint NOT NULL
)
WITH (fillfactor='80');

CREATE VIEW ledger.items AS
 SELECT a.path AS account,
    a.currency,
    i.item,
    i.amount_minor,
    i.opened_at,
    i.business_date,
    i.journal_id,
    i.payment,
    i.provider_reference,
    i.moved_by
   FROM (ledger.item i
     JOIN ledger.account a ON ((a.id = i.account_id)));

CREATE TABLE ledger.journal (
    id bigint NOT NULL,
    reference text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    business_date date NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    payment text COLLATE pg_catalog."C",
    provider text COLLATE pg_catalog."C",
    provider_reference text COLLATE pg_catalog."C",
    file text COLLATE pg_catalog."C",
    line integer,
    corrects bigint,
    late_for date,
    below_floor boolean NOT NULL,
    description text NOT NULL COLLATE pg_catalog."C",
    fingerprint bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT journal_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT journal_hash_check CHECK ((length(hash) = 32))
);

CREATE VIEW ledger.open_items AS
 SELECT a.path AS account,
    a.currency,
    i.item,
    i.amount_minor,
    i.opened_at,
    i.business_date,
    i.journal_id,
    i.payment,
    i.provider_reference
   FROM (ledger.item i
     JOIN ledger.account a ON ((a.id = i.account_id)))
  WHERE (i.amount_minor <> 0);

CREATE VIEW ledger.postings AS
 SELECT p.journal_id,
    j.reference,
    j.kind,
    j.business_date,
    p.effective_at,
    p.recorded_at,
    a.path AS account,
    p.currency,
    p.amount_minor,
    p.item,
    j.payment,
    j.provider,
    j.provider_reference,
    j.file,
    j.line,
    j.corrects,
    p.seq
   FROM ((ledger.all_postings p
     JOIN ledger.journal j ON ((j.id = p.journal_id)))
     JOIN ledger.account a ON ((a.id = p.account_id)));

CREATE TABLE ledger.seal (
    number integer NOT NULL,
    business_date date NOT NULL,
    journal_id bigint NOT NULL,
    journal_hash bytea NOT NULL,
    decision_id integer NOT NULL,
    decision_hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    trial_balance text NOT NULL,
    previous bytea NOT NULL,
    public_key bytea NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE public.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE reconciliation.account_mapping (
    department text NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    made_at timestamp with time zone NOT NULL,
    maker text NOT NULL,
    sha256 text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE reconciliation.account_mapping_line (
    department text NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    theirs text NOT NULL,
    cost_centre text NOT NULL,
    CONSTRAINT account_mapping_line_theirs_check CHECK ((length(theirs) > 0))
);

CREATE TABLE reconciliation.audit (
    id text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL COLLATE pg_catalog."C",
    before jsonb,
    after jsonb
);

CREATE TABLE reconciliation.break (
    id text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    owner text NOT NULL,
    provider text COLLATE pg_catalog."C",
    department text COLLATE pg_catalog."C",
    currency character(3),
    amount_minor bigint DEFAULT 0 NOT NULL,
    account text COLLATE pg_catalog."C",
    item text COLLATE pg_catalog."C",
    leg text COLLATE pg_catalog."C",
    file_no integer,
    line integer,
    business_date date NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT break_check CHECK (((status = ANY (ARRAY['resolved'::text, 'cured'::text])) = (closed_at IS NOT NULL))),
    CONSTRAINT break_check1 CHECK (((status <> 'cured'::text) OR (account IS NULL) OR (item IS NOT NULL))),
    CONSTRAINT break_status_check CHECK ((status = ANY (ARRAY['open'::text, 'proposed'::text, 'resolved'::text, 'cured'::text])))
);

CREATE TABLE reconciliation.break_event (
    break_id text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL,
    sequence integer NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    note text DEFAULT ''::text NOT NULL
);

CREATE TABLE reconciliation.break_explanation (
    break_id text NOT NULL COLLATE pg_catalog."C",
    sequence integer NOT NULL,
    at timestamp with time zone NOT NULL,
    owner text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    CONSTRAINT break_explanation_owner_check CHECK ((length(owner) > 0)),
    CONSTRAINT break_explanation_reason_check CHECK ((length(reason) > 0))
);

CREATE TABLE reconciliation.match_entry (
    leg text CONSTRAINT match_leg_not_null NOT NULL COLLATE pg_catalog."C",
    file_no integer CONSTRAINT match_file_no_not_null NOT NULL,
    line integer CONSTRAINT match_line_not_null NOT NULL,
    version smallint DEFAULT 1 CONSTRAINT match_version_not_null NOT NULL,
    outcome text CONSTRAINT match_outcome_not_null NOT NULL,
    rule text,
    account text CONSTRAINT match_account_not_null NOT NULL COLLATE pg_catalog."C",
    item text COLLATE pg_catalog."C",
    payment text COLLATE pg_catalog."C",
    expected_minor bigint,
    variance_minor bigint DEFAULT 0 CONSTRAINT match_variance_minor_not_null NOT NULL,
    score smallint DEFAULT 0 CONSTRAINT match_score_not_null NOT NULL,
    CONSTRAINT match_entry_leg_check CHECK ((leg = ANY (ARRAY['provider'::text, 'bank'::text]))),
    CONSTRAINT match_entry_score_check CHECK (((score >= 0) AND (score <= 100)))
);

CREATE TABLE reconciliation.settlement_file (
    file_no integer NOT NULL,
    provider text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    sha256 text NOT NULL COLLATE pg_catalog."C",
    business_date date NOT NULL,
    batch_reference text NOT NULL COLLATE pg_catalog."C",
    currency character(3) NOT NULL,
    line_count integer NOT NULL,
    total_net_minor bigint NOT NULL,
    expected_credit_date date,
    status text NOT NULL,
    reason text,
    imported_at timestamp with time zone NOT NULL,
    book_date date NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    late_for date,
    last_line integer DEFAULT 0 NOT NULL,
    posted_through integer DEFAULT 0 NOT NULL,
    fees_charged boolean DEFAULT false NOT NULL,
    CONSTRAINT settlement_file_check CHECK (((status = 'quarantined'::text) = (reason IS NOT NULL))),
    CONSTRAINT settlement_file_status_check CHECK ((status = ANY (ARRAY['accepted'::text, 'quarantined'::text])))
);

CREATE TABLE reconciliation.settlement_line (
    file_no integer NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    reference text COLLATE pg_catalog."C",
    provider_reference text COLLATE pg_catalog."C",
    gross_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    fee_vat_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    transaction_on date,
    raw_kind text DEFAULT ''::text NOT NULL,
    rule text,
    item text COLLATE pg_catalog."C",
    payment text COLLATE pg_catalog."C",
    score smallint,
    CONSTRAINT settlement_line_check CHECK ((((rule IS NULL) = (item IS NULL)) AND ((rule IS NULL) = (score IS NULL)))),
    CONSTRAINT settlement_line_score_check CHECK (((score >= 0) AND (score <= 100)))
);

CREATE VIEW reconciliation.match AS
 SELECT match_entry.leg,
    match_entry.file_no,
    match_entry.line,
    match_entry.version,
    match_entry.outcome,
    match_entry.rule,
    match_entry.account,
    match_entry.item,
    match_entry.payment,
    match_entry.expected_minor,
    match_entry.variance_minor,
    match_entry.score
   FROM reconciliation.match_entry
UNION ALL
 SELECT ('provider'::text COLLATE "C") AS leg,
    l.file_no,
    l.number AS line,
    (1)::smallint AS version,
    'matched'::text AS outcome,
    l.rule,
    (('provider:'::text || f.provider) ||
        CASE l.kind
            WHEN 'refund'::text THEN ':refunds_in_transit'::text
            ELSE ':receivable'::text
        END) AS account,
    l.item,
    l.payment,
    l.gross_minor AS expected_minor,
    (0)::bigint AS variance_minor,
    l.score
   FROM (reconciliation.settlement_line l
     LEFT JOIN reconciliation.settlement_file f ON ((f.file_no = l.file_no)))
  WHERE (l.rule IS NOT NULL);

CREATE VIEW reconciliation.current_match AS
 SELECT leg,
    file_no,
    line,
    version,
    outcome,
    rule,
    account,
    item,
    payment,
    expected_minor,
    variance_minor,
    score
   FROM reconciliation.match m
  WHERE (NOT (EXISTS ( SELECT
           FROM reconciliation.match_entry later
          WHERE ((later.leg = m.leg) AND (later.file_no = m.file_no) AND (later.line = m.line) AND (later.version > m.version)))));

CREATE TABLE reconciliation.day_close (
    id text NOT NULL COLLATE pg_catalog."C",
    business_date date NOT NULL,
    note text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    seal_number integer,
    certificate text,
    CONSTRAINT day_close_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT day_close_check1 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT day_close_check2 CHECK (((NOT (decision IS DISTINCT FROM 'approved'::text)) = (seal_number IS NOT NULL))),
    CONSTRAINT day_close_check3 CHECK (((seal_number IS NULL) = (certificate IS NULL))),
    CONSTRAINT day_close_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text])))
);

CREATE TABLE reconciliation.entry_reference (
    statement_no integer NOT NULL,
    number integer NOT NULL,
    reference text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE reconciliation.holiday (
    country text NOT NULL COLLATE pg_catalog."C",
    day date NOT NULL,
    worked boolean NOT NULL,
    name_en text DEFAULT ''::text NOT NULL,
    name_ar text DEFAULT ''::text NOT NULL,
    provider text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE reconciliation.lease (
    name text NOT NULL COLLATE pg_catalog."C",
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE reconciliation.payee (
    department text NOT NULL COLLATE pg_catalog."C",
    currency character(3) NOT NULL,
    change_id text CONSTRAINT payee_change_id_not_null1 NOT NULL COLLATE pg_catalog."C",
    legal_name text NOT NULL,
    iban text NOT NULL COLLATE pg_catalog."C",
    bic text COLLATE pg_catalog."C",
    purpose text NOT NULL COLLATE pg_catalog."C",
    proof text NOT NULL,
    schedule text NOT NULL,
    weekday smallint NOT NULL,
    minimum_minor bigint NOT NULL,
    holdback_minor bigint NOT NULL,
    fee_bearer text NOT NULL,
    revenue_code text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    chargebacks_by_treasury boolean DEFAULT false NOT NULL,
    remittance_email text
);

CREATE TABLE reconciliation.payee_change (
    id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    currency character(3) NOT NULL,
    legal_name text NOT NULL,
    iban text NOT NULL COLLATE pg_catalog."C",
    bic text COLLATE pg_catalog."C",
    purpose text NOT NULL COLLATE pg_catalog."C",
    proof text NOT NULL,
    schedule text NOT NULL,
    weekday smallint NOT NULL,
    minimum_minor bigint NOT NULL,
    holdback_minor bigint NOT NULL,
    fee_bearer text NOT NULL,
    reason text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    effective_at timestamp with time zone,
    decision text,
    applied_at timestamp with time zone,
    confirmation text,
    confirmed_name text,
    revenue_code text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    chargebacks_by_treasury boolean DEFAULT false NOT NULL,
    remittance_email text,
    CONSTRAINT payee_change_bic_check CHECK ((bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'::text)),
    CONSTRAINT payee_change_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT payee_change_check1 CHECK (((NOT (decision IS DISTINCT FROM 'approved'::text)) = (effective_at IS NOT NULL))),
    CONSTRAINT payee_change_check2 CHECK ((applied_at >= effective_at)),
    CONSTRAINT payee_change_confirmation_check CHECK ((confirmation = ANY (ARRAY['yes'::text, 'partial'::text, 'no'::text, 'unknown_account'::text, 'not_answered'::text]))),
    CONSTRAINT payee_change_confirmed_name_check CHECK ((length(confirmed_name) <= 140)),
    CONSTRAINT payee_change_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT payee_change_fee_bearer_check CHECK ((fee_bearer = ANY (ARRAY['treasury'::text, 'department'::text]))),
    CONSTRAINT payee_change_holdback_minor_check CHECK ((holdback_minor >= 0)),
    CONSTRAINT payee_change_iban_check CHECK ((iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$'::text)),
    CONSTRAINT payee_change_legal_name_check CHECK ((legal_name ~ '^[A-Za-z0-9 /?:().,''+&-]{1,70}$'::text)),
    CONSTRAINT payee_change_minimum_minor_check CHECK ((minimum_minor >= 1)),
    CONSTRAINT payee_change_proof_check CHECK ((proof = ANY (ARRAY['captured'::text, 'settled'::text, 'banked'::text]))),
    CONSTRAINT payee_change_purpose_check CHECK ((purpose ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payee_change_remittance_email_check CHECK ((remittance_email ~ '^[^@[:space:]<>]{1,64}@[^@[:space:]<>]{1,189}$'::text)),
    CONSTRAINT payee_change_revenue_code_check CHECK ((revenue_code ~ '^[!-~]{0,40}$'::text)),
    CONSTRAINT payee_change_schedule_check CHECK ((schedule = ANY (ARRAY['daily'::text, 'weekly'::text, 'threshold'::text]))),
    CONSTRAINT payee_change_weekday_check CHECK (((weekday >= 0) AND (weekday <= 6)))
);

CREATE TABLE reconciliation.payout_batch (
    id text NOT NULL COLLATE pg_catalog."C",
    business_date date NOT NULL,
    currency character(3) NOT NULL,
    bank_account text NOT NULL COLLATE pg_catalog."C",
    debtor_name text NOT NULL,
    debtor_iban text NOT NULL COLLATE pg_catalog."C",
    debtor_bic text COLLATE pg_catalog."C",
    execution_date date NOT NULL,
    line_count integer NOT NULL,
    total_minor bigint NOT NULL,
    content_sha256 text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    checker text,
    checked_at timestamp with time zone,
    auto_approve_limit_minor bigint DEFAULT 0 NOT NULL,
    released_at timestamp with time zone,
    book_date date,
    sends integer DEFAULT 0 NOT NULL,
    answered_at timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    CONSTRAINT payout_batch_check CHECK (((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'approved'::text, 'refused'::text])) = (released_at IS NULL))),
    CONSTRAINT payout_batch_check1 CHECK (((released_at IS NULL) = (book_date IS NULL))),
    CONSTRAINT payout_batch_id_check CHECK ((length(id) <= 35)),
    CONSTRAINT payout_batch_line_count_check CHECK ((line_count > 0)),
    CONSTRAINT payout_batch_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'approved'::text, 'refused'::text, 'released'::text, 'unknown'::text, 'sent'::text, 'accepted'::text, 'rejected'::text, 'confirmed'::text]))),
    CONSTRAINT payout_batch_total_minor_check CHECK ((total_minor > 0)),
    CONSTRAINT payout_is_approved_before_release CHECK (((status = ANY (ARRAY['draft'::text, 'submitted'::text])) OR (checker IS NOT NULL))),
    CONSTRAINT payout_policy_has_a_limit CHECK (((checker <> 'policy'::text) OR (total_minor <= auto_approve_limit_minor)))
);

CREATE TABLE reconciliation.payout_batch_history (
    batch_id text NOT NULL COLLATE pg_catalog."C",
    sequence integer NOT NULL,
    at timestamp with time zone NOT NULL,
    status text NOT NULL,
    checker text,
    reason text NOT NULL
);

CREATE TABLE reconciliation.payout_deferred (
    line_id text NOT NULL COLLATE pg_catalog."C",
    journal_id bigint NOT NULL,
    item text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    CONSTRAINT payout_deferred_amount_minor_check CHECK (((amount_minor <> 0) AND ((amount_minor > 0) OR (item = ''::text))))
);

CREATE TABLE reconciliation.payout_draft (
    business_date date NOT NULL,
    currency character(3) NOT NULL,
    batch_id text COLLATE pg_catalog."C",
    drafted_at timestamp with time zone NOT NULL
);

CREATE TABLE reconciliation.payout_line (
    id text NOT NULL COLLATE pg_catalog."C",
    batch_id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    creditor_name text NOT NULL,
    creditor_iban text NOT NULL COLLATE pg_catalog."C",
    creditor_bic text COLLATE pg_catalog."C",
    purpose text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    remittance text NOT NULL,
    payable_minor bigint NOT NULL,
    unproven_minor bigint NOT NULL,
    holdback_minor bigint NOT NULL,
    previous_line text COLLATE pg_catalog."C",
    journal_through bigint NOT NULL,
    status text NOT NULL,
    journal_id bigint,
    paid_on date,
    reason text DEFAULT ''::text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    revenue_code text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT payout_line_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payout_line_id_check CHECK ((length(id) <= 35)),
    CONSTRAINT payout_line_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'released'::text, 'accepted'::text, 'rejected'::text, 'paid'::text, 'returned'::text])))
);

CREATE TABLE reconciliation.payout_line_history (
    line_id text NOT NULL COLLATE pg_catalog."C",
    sequence integer NOT NULL,
    at timestamp with time zone NOT NULL,
    status text NOT NULL,
    paid_on date,
    reason text NOT NULL
);

CREATE TABLE reconciliation.payout_part (
    line_id text NOT NULL COLLATE pg_catalog."C",
    journal_id bigint NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT payout_part_amount_minor_check CHECK ((amount_minor <> 0))
);

CREATE TABLE reconciliation.provider_contract (
    id text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    begins_on date NOT NULL,
    file_days smallint NOT NULL,
    settlement_days smallint NOT NULL,
    credit_days smallint NOT NULL,
    fee_basis_points integer,
    fee_fixed_minor bigint DEFAULT 0 NOT NULL,
    fee_vat_basis_points integer DEFAULT 500 NOT NULL,
    fee_tolerance_minor bigint DEFAULT 1 NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    tolerance_above_minor bigint DEFAULT 0 NOT NULL,
    tolerance_below_minor bigint DEFAULT 0 NOT NULL,
    tolerance_above_basis_points integer DEFAULT 0 NOT NULL,
    tolerance_below_basis_points integer DEFAULT 0 NOT NULL,
    settles text DEFAULT 'net'::text NOT NULL,
    CONSTRAINT provider_contract_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT provider_contract_check1 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT provider_contract_check2 CHECK (((fee_basis_points IS NOT NULL) OR (fee_fixed_minor = 0))),
    CONSTRAINT provider_contract_checker_check CHECK ((btrim(checker) <> ''::text)),
    CONSTRAINT provider_contract_credit_days_check CHECK (((credit_days >= 0) AND (credit_days <= 90))),
    CONSTRAINT provider_contract_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT provider_contract_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT provider_contract_fee_basis_points_check CHECK (((fee_basis_points >= 0) AND (fee_basis_points <= 10000))),
    CONSTRAINT provider_contract_fee_fixed_minor_check CHECK ((fee_fixed_minor >= 0)),
    CONSTRAINT provider_contract_fee_tolerance_minor_check CHECK ((fee_tolerance_minor >= 0)),
    CONSTRAINT provider_contract_fee_vat_basis_points_check CHECK (((fee_vat_basis_points >= 0) AND (fee_vat_basis_points <= 10000))),
    CONSTRAINT provider_contract_file_days_check CHECK (((file_days >= 0) AND (file_days <= 90))),
    CONSTRAINT provider_contract_maker_check CHECK ((btrim(maker) <> ''::text)),
    CONSTRAINT provider_contract_provider_check CHECK ((provider ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text)),
    CONSTRAINT provider_contract_reason_check CHECK ((btrim(reason) <> ''::text)),
    CONSTRAINT provider_contract_settlement_days_check CHECK (((settlement_days >= 0) AND (settlement_days <= 90))),
    CONSTRAINT provider_contract_settles_check CHECK ((settles = ANY (ARRAY['net'::text, 'gross'::text]))),
    CONSTRAINT provider_contract_tolerance_above_basis_points_check CHECK (((tolerance_above_basis_points >= 0) AND (tolerance_above_basis_points <= 10000))),
    CONSTRAINT provider_contract_tolerance_above_minor_check CHECK ((tolerance_above_minor >= 0)),
    CONSTRAINT provider_contract_tolerance_below_basis_points_check CHECK (((tolerance_below_basis_points >= 0) AND (tolerance_below_basis_points <= 10000))),
    CONSTRAINT provider_contract_tolerance_below_minor_check CHECK ((tolerance_below_minor >= 0))
);

CREATE TABLE reconciliation.refused_file (
    source text NOT NULL COLLATE pg_catalog."C",
    leg text NOT NULL COLLATE pg_catalog."C",
    sha256 text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    business_date date NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    quoted text NOT NULL,
    currency character(3),
    stated_minor bigint,
    found_minor bigint,
    came_at timestamp with time zone NOT NULL,
    CONSTRAINT refused_file_check CHECK ((((stated_minor IS NULL) OR (currency IS NOT NULL)) AND ((found_minor IS NULL) = (stated_minor IS NULL)))),
    CONSTRAINT refused_file_leg_check CHECK ((leg = ANY (ARRAY['provider'::text, 'bank'::text])))
);

CREATE TABLE reconciliation.remittance (
    batch_id text NOT NULL COLLATE pg_catalog."C",
    department text NOT NULL COLLATE pg_catalog."C",
    recipient text NOT NULL,
    status text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    made_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    error text DEFAULT ''::text NOT NULL,
    corrections integer DEFAULT 0 NOT NULL,
    CONSTRAINT remittance_check CHECK (((status = 'sent'::text) = (sent_at IS NOT NULL))),
    CONSTRAINT remittance_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'sent'::text, 'dead'::text])))
);

CREATE TABLE reconciliation.resolution (
    id text NOT NULL COLLATE pg_catalog."C",
    break_id text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL,
    reason text NOT NULL,
    account text COLLATE pg_catalog."C",
    item text COLLATE pg_catalog."C",
    amount_minor bigint,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    foreseen text COLLATE pg_catalog."C",
    CONSTRAINT resolution_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT resolution_check1 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT resolution_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT resolution_reason_check CHECK ((length(reason) > 0))
);

CREATE TABLE reconciliation.run (
    business_date date NOT NULL,
    status text NOT NULL,
    fence bigint NOT NULL,
    times_started integer DEFAULT 1 NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['running'::text, 'partial'::text, 'done'::text, 'failed'::text])))
);

CREATE TABLE reconciliation.run_step (
    business_date date NOT NULL,
    step text NOT NULL,
    status text NOT NULL,
    fence bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    CONSTRAINT run_step_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text]))),
    CONSTRAINT run_step_step_check CHECK ((step = ANY (ARRAY['settlements'::text, 'statements'::text, 'match'::text, 'breaks'::text, 'payouts'::text, 'confirm'::text])))
);

CREATE TABLE reconciliation.settlement_line_refused (
    file_no integer NOT NULL,
    number integer NOT NULL,
    reason text NOT NULL
);

CREATE TABLE reconciliation.statement (
    statement_no integer NOT NULL,
    bank_account text NOT NULL COLLATE pg_catalog."C",
    account_iban text NOT NULL COLLATE pg_catalog."C",
    identifier text NOT NULL COLLATE pg_catalog."C",
    sequence integer,
    currency character(3) NOT NULL,
    opened_on date NOT NULL,
    closed_on date NOT NULL,
    opening_minor bigint NOT NULL,
    closing_minor bigint NOT NULL,
    entry_count integer NOT NULL,
    file_name text NOT NULL,
    sha256 text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    reason text,
    imported_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    book_date date NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    late_for date,
    posted_through integer DEFAULT 0 NOT NULL,
    accepted_as integer,
    CONSTRAINT statement_check CHECK (((status = 'accepted'::text) = (accepted_at IS NOT NULL))),
    CONSTRAINT statement_check1 CHECK (((status = 'accepted'::text) OR (reason IS NOT NULL))),
    CONSTRAINT statement_status_check CHECK ((status = ANY (ARRAY['accepted'::text, 'quarantined'::text, 'refused'::text])))
);

CREATE TABLE reconciliation.statement_entry (
    statement_no integer NOT NULL,
    number integer NOT NULL,
    amount_minor bigint NOT NULL,
    booked_on date NOT NULL,
    value_on date NOT NULL,
    bank_reference text COLLATE pg_catalog."C",
    end_to_end_id text COLLATE pg_catalog."C",
    batch_reference text COLLATE pg_catalog."C",
    remittance text NOT NULL,
    counterparty text,
    counterparty_iban text COLLATE pg_catalog."C",
    code text,
    returned boolean NOT NULL
);

CREATE TABLE reconciliation.unmatch (
    id text NOT NULL COLLATE pg_catalog."C",
    leg text NOT NULL COLLATE pg_catalog."C",
    file_no integer NOT NULL,
    line integer NOT NULL,
    version smallint NOT NULL,
    reason text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    decision text,
    journal_id bigint,
    CONSTRAINT unmatch_check CHECK (((decision IS NULL) = (checker IS NULL))),
    CONSTRAINT unmatch_check1 CHECK (((decision IS NULL) = (checked_at IS NULL))),
    CONSTRAINT unmatch_check2 CHECK (((NOT (decision IS DISTINCT FROM 'approved'::text)) = (journal_id IS NOT NULL))),
    CONSTRAINT unmatch_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'refused'::text]))),
    CONSTRAINT unmatch_reason_check CHECK ((length(reason) > 0))
);

ALTER TABLE ONLY gateway.announcement
    ADD CONSTRAINT announcement_pkey PRIMARY KEY (provider, paper);

ALTER TABLE ONLY gateway.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.api_key
    ADD CONSTRAINT api_key_sha256_key UNIQUE (sha256);

ALTER TABLE ONLY gateway.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.bundle_item
    ADD CONSTRAINT bundle_item_bundle_service_key UNIQUE (bundle, service);

ALTER TABLE ONLY gateway.bundle_item
    ADD CONSTRAINT bundle_item_pkey PRIMARY KEY (bundle, number);

ALTER TABLE ONLY gateway.bundle
    ADD CONSTRAINT bundle_pkey PRIMARY KEY (code);

ALTER TABLE ONLY gateway.caller_change
    ADD CONSTRAINT caller_change_pkey PRIMARY KEY (the_row);

ALTER TABLE ONLY gateway.cash_handout
    ADD CONSTRAINT cash_handout_pkey PRIMARY KEY (refund);

ALTER TABLE gateway.centre_agent
    ADD CONSTRAINT centre_agent_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY gateway.centre_agent
    ADD CONSTRAINT centre_agent_pkey PRIMARY KEY (code);

ALTER TABLE ONLY gateway.centre
    ADD CONSTRAINT centre_pkey PRIMARY KEY (code);

ALTER TABLE ONLY gateway.centre_session
    ADD CONSTRAINT centre_session_pkey PRIMARY KEY (token_sha256);

ALTER TABLE ONLY gateway.circuit
    ADD CONSTRAINT circuit_pkey PRIMARY KEY (provider, operation);

ALTER TABLE ONLY gateway.client_assertion
    ADD CONSTRAINT client_assertion_pkey PRIMARY KEY (client, jti_sha256);

ALTER TABLE ONLY gateway.counter_payer
    ADD CONSTRAINT counter_payer_pkey PRIMARY KEY (intent);

ALTER TABLE ONLY gateway.counter_payment
    ADD CONSTRAINT counter_payment_pkey PRIMARY KEY (attempt);

ALTER TABLE ONLY gateway.department
    ADD CONSTRAINT department_pkey PRIMARY KEY (code);

ALTER TABLE ONLY gateway.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (caller, route, key);

ALTER TABLE ONLY gateway.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (provider, event);

ALTER TABLE ONLY gateway.intent_line
    ADD CONSTRAINT intent_line_pkey PRIMARY KEY (intent, number);

ALTER TABLE ONLY gateway.intent
    ADD CONSTRAINT intent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.intent
    ADD CONSTRAINT intent_receipt_number_key UNIQUE (receipt_number);

ALTER TABLE ONLY gateway.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.message
    ADD CONSTRAINT message_subject_kind_channel_key UNIQUE (subject, kind, channel);

ALTER TABLE ONLY gateway.oauth_client
    ADD CONSTRAINT oauth_client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (department, event);

ALTER TABLE ONLY gateway.payment_link
    ADD CONSTRAINT payment_link_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.payment_link_use
    ADD CONSTRAINT payment_link_use_link_number_key UNIQUE (link, number);

ALTER TABLE ONLY gateway.payment_link_use
    ADD CONSTRAINT payment_link_use_pkey PRIMARY KEY (link, intent);

ALTER TABLE ONLY gateway.promise
    ADD CONSTRAINT promise_pkey PRIMARY KEY (attempt);

ALTER TABLE ONLY gateway.provider_drain
    ADD CONSTRAINT provider_drain_pkey PRIMARY KEY (provider);

ALTER TABLE ONLY gateway.rating_history
    ADD CONSTRAINT rating_history_pkey PRIMARY KEY (intent, given_at);

ALTER TABLE ONLY gateway.rating
    ADD CONSTRAINT rating_pkey PRIMARY KEY (intent);

ALTER TABLE ONLY gateway.receipt_counter
    ADD CONSTRAINT receipt_counter_pkey PRIMARY KEY (department, year);

ALTER TABLE ONLY gateway.refund_line
    ADD CONSTRAINT refund_line_pkey PRIMARY KEY (refund, number);

ALTER TABLE ONLY gateway.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (id);

ALTER TABLE gateway.refund
    ADD CONSTRAINT refund_two_people CHECK (((decided_by IS NULL) OR ((ledger.person_compared(decided_by) <> ''::text) AND (ledger.person_compared(decided_by) <> ledger.person_compared(asked_by))))) NOT VALID;

ALTER TABLE ONLY gateway.reservation
    ADD CONSTRAINT reservation_pkey PRIMARY KEY (intent);

ALTER TABLE ONLY gateway.review_decision
    ADD CONSTRAINT review_decision_pkey PRIMARY KEY (id);

ALTER TABLE gateway.review_decision
    ADD CONSTRAINT review_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY gateway.routing
    ADD CONSTRAINT routing_pkey PRIMARY KEY (version);

ALTER TABLE ONLY gateway.sealing_walk
    ADD CONSTRAINT sealing_walk_pkey PRIMARY KEY (relation);

ALTER TABLE ONLY gateway.service_audience
    ADD CONSTRAINT service_audience_pkey PRIMARY KEY (service, at);

ALTER TABLE ONLY gateway.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (code);

ALTER TABLE ONLY gateway.shift
    ADD CONSTRAINT shift_pkey PRIMARY KEY (id);

ALTER TABLE gateway.tariff
    ADD CONSTRAINT tariff_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY gateway.tariff
    ADD CONSTRAINT tariff_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.tariff
    ADD CONSTRAINT tariff_service_version_key UNIQUE (service, version);

ALTER TABLE ONLY gateway.told_journal
    ADD CONSTRAINT told_journal_pkey PRIMARY KEY (one);

ALTER TABLE gateway.transfer_claim
    ADD CONSTRAINT transfer_claim_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY gateway.transfer_claim
    ADD CONSTRAINT transfer_claim_pkey PRIMARY KEY (id);

ALTER TABLE ONLY gateway.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (endpoint, event);

ALTER TABLE ONLY gateway.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ledger.account
    ADD CONSTRAINT account_path_currency_key UNIQUE (path, currency);

ALTER TABLE ONLY ledger.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ledger.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ledger.floor
    ADD CONSTRAINT floor_pkey PRIMARY KEY (path, currency);

ALTER TABLE ONLY ledger.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY ledger.hourly
    ADD CONSTRAINT hourly_pkey PRIMARY KEY (account_id, hour);

ALTER TABLE ONLY ledger.item
    ADD CONSTRAINT item_pkey PRIMARY KEY (account_id, item);

ALTER TABLE ONLY ledger.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ledger.journal
    ADD CONSTRAINT journal_reference_key UNIQUE (reference);

ALTER TABLE ONLY ledger.posting_archive
    ADD CONSTRAINT posting_archive_pkey PRIMARY KEY (journal_id, seq, recorded_at);

ALTER TABLE ONLY ledger.posting
    ADD CONSTRAINT posting_pkey PRIMARY KEY (journal_id, seq, recorded_at);

ALTER TABLE ONLY ledger.seal
    ADD CONSTRAINT seal_business_date_key UNIQUE (business_date);

ALTER TABLE ONLY ledger.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY reconciliation.account_mapping_line
    ADD CONSTRAINT account_mapping_line_pkey PRIMARY KEY (department, version, account, kind);

ALTER TABLE reconciliation.account_mapping
    ADD CONSTRAINT account_mapping_maker_is_named CHECK ((btrim(maker) <> ''::text)) NOT VALID;

ALTER TABLE ONLY reconciliation.account_mapping
    ADD CONSTRAINT account_mapping_pkey PRIMARY KEY (department, version);

ALTER TABLE ONLY reconciliation.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY reconciliation.break_event
    ADD CONSTRAINT break_event_pkey PRIMARY KEY (break_id, sequence);

ALTER TABLE ONLY reconciliation.break_explanation
    ADD CONSTRAINT break_explanation_pkey PRIMARY KEY (break_id, sequence);

ALTER TABLE ONLY reconciliation.break
    ADD CONSTRAINT break_pkey PRIMARY KEY (id);

ALTER TABLE reconciliation.provider_contract
    ADD CONSTRAINT contract_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY reconciliation.day_close
    ADD CONSTRAINT day_close_pkey PRIMARY KEY (id);

ALTER TABLE reconciliation.day_close
    ADD CONSTRAINT day_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY reconciliation.entry_reference
    ADD CONSTRAINT entry_reference_pkey PRIMARY KEY (statement_no, number, reference);

ALTER TABLE ONLY reconciliation.holiday
    ADD CONSTRAINT holiday_pkey PRIMARY KEY (country, provider, day);

ALTER TABLE ONLY reconciliation.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY reconciliation.match_entry
    ADD CONSTRAINT match_entry_pkey PRIMARY KEY (leg, file_no, line, version);

ALTER TABLE ONLY reconciliation.payee_change
    ADD CONSTRAINT payee_change_pkey PRIMARY KEY (id);

ALTER TABLE reconciliation.payee_change
    ADD CONSTRAINT payee_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY reconciliation.payee
    ADD CONSTRAINT payee_pkey PRIMARY KEY (department, currency, revenue_code);

ALTER TABLE ONLY reconciliation.payout_batch_history
    ADD CONSTRAINT payout_batch_history_pkey PRIMARY KEY (batch_id, sequence);

ALTER TABLE ONLY reconciliation.payout_batch
    ADD CONSTRAINT payout_batch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY reconciliation.payout_deferred
    ADD CONSTRAINT payout_deferred_pkey PRIMARY KEY (line_id, journal_id, item);

ALTER TABLE ONLY reconciliation.payout_draft
    ADD CONSTRAINT payout_draft_pkey PRIMARY KEY (business_date, currency);

ALTER TABLE ONLY reconciliation.payout_line
    ADD CONSTRAINT payout_line_batch_id_department_revenue_code_key UNIQUE (batch_id, department, revenue_code);

ALTER TABLE ONLY reconciliation.payout_line_history
    ADD CONSTRAINT payout_line_history_pkey PRIMARY KEY (line_id, sequence);

ALTER TABLE ONLY reconciliation.payout_line
    ADD CONSTRAINT payout_line_pkey PRIMARY KEY (id);

ALTER TABLE reconciliation.payout_batch
    ADD CONSTRAINT payout_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY reconciliation.payout_part
    ADD CONSTRAINT payout_part_pkey PRIMARY KEY (line_id, journal_id);

ALTER TABLE ONLY reconciliation.provider_contract
    ADD CONSTRAINT provider_contract_pkey PRIMARY KEY (id);

ALTER TABLE ONLY reconciliation.refused_file
    ADD CONSTRAINT refused_file_pkey PRIMARY KEY (source, leg, sha256);

ALTER TABLE ONLY reconciliation.remittance
    ADD CONSTRAINT remittance_pkey PRIMARY KEY (batch_id, department);

ALTER TABLE reconciliation.resolution
    ADD CONSTRAINT resolution_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY reconciliation.resolution
    ADD CONSTRAINT resolution_pkey PRIMARY KEY (id);

ALTER TABLE ONLY reconciliation.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (business_date);

ALTER TABLE ONLY reconciliation.run_step
    ADD CONSTRAINT run_step_pkey PRIMARY KEY (business_date, step);

ALTER TABLE ONLY reconciliation.settlement_file
    ADD CONSTRAINT settlement_file_pkey PRIMARY KEY (file_no);

ALTER TABLE ONLY reconciliation.settlement_file
    ADD CONSTRAINT settlement_file_provider_sha256_key UNIQUE (provider, sha256);

ALTER TABLE ONLY reconciliation.settlement_line
    ADD CONSTRAINT settlement_line_pkey PRIMARY KEY (file_no, number);

ALTER TABLE ONLY reconciliation.settlement_line_refused
    ADD CONSTRAINT settlement_line_refused_pkey PRIMARY KEY (file_no, number);

ALTER TABLE ONLY reconciliation.statement
    ADD CONSTRAINT statement_bank_account_sha256_key UNIQUE (bank_account, sha256);

ALTER TABLE ONLY reconciliation.statement_entry
    ADD CONSTRAINT statement_entry_pkey PRIMARY KEY (statement_no, number);

ALTER TABLE ONLY reconciliation.statement
    ADD CONSTRAINT statement_pkey PRIMARY KEY (statement_no);

ALTER TABLE reconciliation.unmatch
    ADD CONSTRAINT unmatch_maker_is_not_checker CHECK (((ledger.person_compared(maker) <> ''::text) AND (ledger.person_compared(checker) <> ''::text) AND (ledger.person_compared(checker) <> ledger.person_compared(maker)))) NOT VALID;

ALTER TABLE ONLY reconciliation.unmatch
    ADD CONSTRAINT unmatch_pkey PRIMARY KEY (id);

CREATE INDEX announcement_heard ON gateway.announcement USING btree (heard_at);

CREATE INDEX api_key_department ON gateway.api_key USING btree (department, id);

CREATE INDEX attempt_checks ON gateway.attempt USING btree (next_check_at) WHERE ((status = ANY (ARRAY['starting'::text, 'pending'::text, 'unknown'::text])) AND (review IS NULL));

CREATE INDEX attempt_in_review ON gateway.attempt USING btree (id) WHERE (review IS NOT NULL);

CREATE INDEX attempt_intent ON gateway.attempt USING btree (intent, id);

CREATE UNIQUE INDEX attempt_live ON gateway.attempt USING btree (intent) WHERE (status = ANY (ARRAY['starting'::text, 'pending'::text, 'unknown'::text]));

CREATE INDEX attempt_provider ON gateway.attempt USING btree (provider, provider_reference) WHERE (provider_reference IS NOT NULL);

CREATE UNIQUE INDEX attempt_transfer ON gateway.attempt USING btree (provider, provider_reference) WHERE ((method = 'bank_transfer'::text) AND (provider_reference IS NOT NULL));

CREATE INDEX attempt_undecided ON gateway.attempt USING btree (id) WHERE (late AND (resolution IS NULL));

CREATE INDEX audit_subject ON gateway.audit USING btree (subject, at);

CREATE INDEX cash_handout_waiting ON gateway.cash_handout USING btree (shift) WHERE (checker IS NULL);

CREATE INDEX client_assertion_expiry ON gateway.client_assertion USING btree (expires_at);

CREATE INDEX counter_payer_digest ON gateway.counter_payer USING btree (id_digest);

CREATE INDEX counter_payment_shift ON gateway.counter_payment USING btree (shift);

CREATE UNIQUE INDEX counter_payment_slip ON gateway.counter_payment USING btree (provider, terminal_reference) WHERE (terminal_reference IS NOT NULL);

CREATE INDEX event_department ON gateway.event USING btree (department, id);

CREATE INDEX event_object ON gateway.event USING btree (object, id);

CREATE INDEX idempotency_expiry ON gateway.idempotency USING btree (expires_at);

CREATE INDEX inbox_waiting ON gateway.inbox USING btree (next_try_at) WHERE (status = 'waiting'::text);

CREATE INDEX intent_closing ON gateway.intent USING btree (department, next_close_at) WHERE (status = ANY (ARRAY['requires_payment'::text, 'processing'::text, 'requires_capture'::text]));

CREATE INDEX intent_department ON gateway.intent USING btree (department, id);

CREATE INDEX intent_line_shared ON gateway.intent_line USING btree (department, intent) WHERE shared;

CREATE INDEX intent_paid ON gateway.intent USING btree (department, reference, paid_at, id) WHERE (status = 'paid'::text);

CREATE INDEX intent_reference ON gateway.intent USING btree (department, reference, id);

CREATE INDEX intent_status ON gateway.intent USING btree (department, status, id) WHERE (status <> 'requires_payment'::text);

CREATE INDEX message_carrier ON gateway.message USING btree (carrier_reference) WHERE (carrier_reference IS NOT NULL);

CREATE INDEX message_dead ON gateway.message USING btree (created_at) WHERE (status = 'dead'::text);

CREATE INDEX message_waiting ON gateway.message USING btree (channel, next_try_at) WHERE (status = 'waiting'::text);

CREATE INDEX oauth_client_department ON gateway.oauth_client USING btree (department, id);

CREATE INDEX payment_link_department ON gateway.payment_link USING btree (department, id);

CREATE INDEX rating_given ON gateway.rating USING btree (given_at);

CREATE INDEX refund_awaiting ON gateway.refund USING btree (department, id) WHERE (status = 'awaiting_approval'::text);

CREATE INDEX refund_batch ON gateway.refund USING btree (batch, id) WHERE (batch IS NOT NULL);

CREATE INDEX refund_checks ON gateway.refund USING btree (department, next_check_at) WHERE ((status = ANY (ARRAY['requested'::text, 'pending'::text, 'unknown'::text])) AND (review IS NULL));

CREATE INDEX refund_department ON gateway.refund USING btree (department, id);

CREATE INDEX refund_intent ON gateway.refund USING btree (intent, id);

CREATE INDEX refund_provider_reference ON gateway.refund USING btree (provider, provider_reference) WHERE (provider_reference IS NOT NULL);

CREATE INDEX refund_to_collect ON gateway.refund USING btree (updated_at) WHERE (status = 'awaiting_collection'::text);

CREATE INDEX review_decision_attempt ON gateway.review_decision USING btree (attempt);

CREATE UNIQUE INDEX review_decision_pending ON gateway.review_decision USING btree (attempt) WHERE (decision IS NULL);

CREATE INDEX service_department ON gateway.service USING btree (department, code);

CREATE UNIQUE INDEX shift_open ON gateway.shift USING btree (agent) WHERE (counted_at IS NULL);

CREATE INDEX shift_waiting ON gateway.shift USING btree (centre, counted_at) WHERE ((counted_at IS NOT NULL) AND (closed_at IS NULL));

CREATE UNIQUE INDEX tariff_start ON gateway.tariff USING btree (service, effective_at) WHERE (decision = 'approved'::text);

CREATE INDEX tariff_undecided ON gateway.tariff USING btree (id) WHERE (decision IS NULL);

CREATE UNIQUE INDEX transfer_claim_attempt ON gateway.transfer_claim USING btree (attempt) WHERE (decision IS DISTINCT FROM 'refused'::text);

CREATE INDEX transfer_claim_credit ON gateway.transfer_claim USING btree (credit);

CREATE INDEX webhook_delivery_due ON gateway.webhook_delivery USING btree (endpoint, next_try_at) WHERE (status = 'waiting'::text);

CREATE INDEX webhook_delivery_object ON gateway.webhook_delivery USING btree (endpoint, object, event) WHERE (status = 'waiting'::text);

CREATE INDEX webhook_delivery_waiting ON gateway.webhook_delivery USING btree (next_try_at) WHERE (status = 'waiting'::text);

CREATE INDEX webhook_endpoint_department ON gateway.webhook_endpoint USING btree (department, id);

CREATE INDEX webhook_endpoint_enabled ON gateway.webhook_endpoint USING btree (department, id) WHERE (disabled_at IS NULL);

CREATE INDEX item_open ON ledger.item USING btree (account_id, opened_at) WHERE (amount_minor <> 0);

CREATE INDEX journal_payment ON ledger.journal USING btree (payment) WHERE (payment IS NOT NULL);

CREATE INDEX journal_recorded ON ledger.journal USING btree (recorded_at);

CREATE INDEX posting_archive_effective ON ONLY ledger.posting_archive USING btree (account_id, effective_at, journal_id, seq) INCLUDE (amount_minor);

CREATE INDEX posting_archive_recorded ON ONLY ledger.posting_archive USING btree (account_id, recorded_at, journal_id, seq);

CREATE INDEX posting_effective ON ONLY ledger.posting USING btree (account_id, effective_at, journal_id, seq) INCLUDE (amount_minor);

CREATE INDEX posting_recorded ON ONLY ledger.posting USING btree (account_id, recorded_at, journal_id, seq);

CREATE INDEX audit_subject ON reconciliation.audit USING btree (subject, at);

CREATE INDEX break_item ON reconciliation.break USING btree (item, account) WHERE (closed_at IS NULL);

CREATE INDEX break_open ON reconciliation.break USING btree (business_date) WHERE (closed_at IS NULL);

CREATE INDEX break_standing ON reconciliation.break USING btree (raised_at, id);

CREATE UNIQUE INDEX break_subject ON reconciliation.break USING btree (type, subject) WHERE ((closed_at IS NULL) OR ((status = 'resolved'::text) AND (item IS NULL)));

CREATE UNIQUE INDEX day_close_once ON reconciliation.day_close USING btree (business_date) WHERE ((decision IS NULL) OR (decision = 'approved'::text));

CREATE INDEX entry_reference_reference ON reconciliation.entry_reference USING btree (reference);

CREATE INDEX match_entry_item ON reconciliation.match_entry USING btree (item) WHERE (leg = 'provider'::text);

CREATE UNIQUE INDEX payee_change_pending ON reconciliation.payee_change USING btree (department, currency, revenue_code) WHERE ((decision IS NULL) OR ((decision = 'approved'::text) AND (applied_at IS NULL)));

CREATE UNIQUE INDEX payout_batch_of_the_day ON reconciliation.payout_batch USING btree (business_date, currency) WHERE (status <> 'refused'::text);

CREATE INDEX payout_line_department ON reconciliation.payout_line USING btree (department, journal_through);

CREATE INDEX provider_contract_in_force ON reconciliation.provider_contract USING btree (provider, begins_on, checked_at) WHERE (decision = 'approved'::text);

CREATE UNIQUE INDEX provider_contract_pending ON reconciliation.provider_contract USING btree (provider) WHERE (decision IS NULL);

CREATE INDEX remittance_waiting ON reconciliation.remittance USING btree (next_try_at) WHERE (status = 'waiting'::text);

CREATE UNIQUE INDEX resolution_pending ON reconciliation.resolution USING btree (break_id) WHERE (decision IS NULL);

CREATE UNIQUE INDEX settlement_file_batch ON reconciliation.settlement_file USING btree (provider, batch_reference, currency) WHERE (status = 'accepted'::text);

CREATE INDEX settlement_file_date ON reconciliation.settlement_file USING btree (provider, business_date);

CREATE INDEX settlement_line_by_our_reference ON reconciliation.settlement_line USING btree (item) WHERE (rule = 'our_reference'::text);

CREATE INDEX settlement_line_provider_reference ON reconciliation.settlement_line USING btree (provider_reference);

CREATE INDEX statement_entry_end_to_end ON reconciliation.statement_entry USING btree (end_to_end_id) WHERE (end_to_end_id IS NOT NULL);

CREATE UNIQUE INDEX statement_identifier ON reconciliation.statement USING btree (bank_account, identifier) WHERE (status <> 'refused'::text);

CREATE UNIQUE INDEX unmatch_once ON reconciliation.unmatch USING btree (leg, file_no, line, version) WHERE ((decision IS NULL) OR (decision = 'approved'::text));

CREATE TRIGGER remember AFTER INSERT OR UPDATE ON gateway.rating FOR EACH ROW EXECUTE FUNCTION gateway.remember_rating();

CREATE TRIGGER remember AFTER INSERT OR UPDATE ON gateway.service FOR EACH ROW EXECUTE FUNCTION gateway.remember_audience();

CREATE TRIGGER tariff_is_decided_once BEFORE DELETE OR UPDATE ON gateway.tariff FOR EACH ROW EXECUTE FUNCTION gateway.tariff_is_decided_once();

CREATE TRIGGER check_balanced AFTER INSERT ON ledger.posting REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_balanced();
ALTER TABLE ledger.posting ENABLE ALWAYS TRIGGER check_balanced;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ledger.account FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.account ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ledger.decision FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.decision ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ledger.journal FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ledger.posting FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.posting ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ledger.posting_archive FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.posting_archive ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ledger.seal FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.seal ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.account FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.account ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.decision FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.decision ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.journal FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.posting FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.posting ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.posting_archive FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.posting_archive ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.seal FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.seal ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER contract_is_decided_once BEFORE UPDATE ON reconciliation.provider_contract FOR EACH ROW WHEN ((old.decision IS NOT NULL)) EXECUTE FUNCTION reconciliation.contract_is_decided_once();

CREATE TRIGGER decided_once BEFORE UPDATE ON reconciliation.day_close FOR EACH ROW EXECUTE FUNCTION reconciliation.decided_once();

CREATE TRIGGER decided_once BEFORE UPDATE ON reconciliation.unmatch FOR EACH ROW EXECUTE FUNCTION reconciliation.decided_once();

CREATE TRIGGER payee_follows_its_change BEFORE INSERT OR UPDATE ON reconciliation.payee FOR EACH ROW EXECUTE FUNCTION reconciliation.payee_follows_its_change();

CREATE TRIGGER remember AFTER INSERT OR UPDATE ON reconciliation.payout_batch FOR EACH ROW EXECUTE FUNCTION reconciliation.remember_payout_batch();

CREATE TRIGGER remember AFTER INSERT OR UPDATE ON reconciliation.payout_line FOR EACH ROW EXECUTE FUNCTION reconciliation.remember_payout_line();

CREATE TRIGGER unmatch_has_its_match BEFORE INSERT OR UPDATE OF leg, file_no, line, version ON reconciliation.unmatch FOR EACH ROW EXECUTE FUNCTION reconciliation.unmatch_has_its_match();

ALTER TABLE ONLY gateway.api_key
    ADD CONSTRAINT api_key_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY gateway.bundle
    ADD CONSTRAINT bundle_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY gateway.bundle_item
    ADD CONSTRAINT bundle_item_bundle_fkey FOREIGN KEY (bundle) REFERENCES gateway.bundle(code);

ALTER TABLE ONLY gateway.bundle_item
    ADD CONSTRAINT bundle_item_service_fkey FOREIGN KEY (service) REFERENCES gateway.service(code);

ALTER TABLE ONLY gateway.cash_handout
    ADD CONSTRAINT cash_handout_agent_fkey FOREIGN KEY (agent) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.cash_handout
    ADD CONSTRAINT cash_handout_checker_fkey FOREIGN KEY (checker) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.cash_handout
    ADD CONSTRAINT cash_handout_refund_fkey FOREIGN KEY (refund) REFERENCES gateway.refund(id);

ALTER TABLE ONLY gateway.cash_handout
    ADD CONSTRAINT cash_handout_shift_fkey FOREIGN KEY (shift) REFERENCES gateway.shift(id);

ALTER TABLE ONLY gateway.centre_agent
    ADD CONSTRAINT centre_agent_centre_fkey FOREIGN KEY (centre) REFERENCES gateway.centre(code);

ALTER TABLE ONLY gateway.centre
    ADD CONSTRAINT centre_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY gateway.centre_session
    ADD CONSTRAINT centre_session_agent_fkey FOREIGN KEY (agent) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.counter_payer
    ADD CONSTRAINT counter_payer_agent_fkey FOREIGN KEY (agent) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.counter_payment
    ADD CONSTRAINT counter_payment_agent_fkey FOREIGN KEY (agent) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.counter_payment
    ADD CONSTRAINT counter_payment_attempt_fkey FOREIGN KEY (attempt) REFERENCES gateway.attempt(id);

ALTER TABLE ONLY gateway.counter_payment
    ADD CONSTRAINT counter_payment_shift_fkey FOREIGN KEY (shift) REFERENCES gateway.shift(id);

ALTER TABLE ONLY gateway.oauth_client
    ADD CONSTRAINT oauth_client_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY gateway.payment_link
    ADD CONSTRAINT payment_link_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY gateway.reservation
    ADD CONSTRAINT reservation_intent_fkey FOREIGN KEY (intent) REFERENCES gateway.intent(id);

ALTER TABLE ONLY gateway.service
    ADD CONSTRAINT service_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY gateway.shift
    ADD CONSTRAINT shift_agent_fkey FOREIGN KEY (agent) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.shift
    ADD CONSTRAINT shift_centre_fkey FOREIGN KEY (centre) REFERENCES gateway.centre(code);

ALTER TABLE ONLY gateway.shift
    ADD CONSTRAINT shift_checker_fkey FOREIGN KEY (checker) REFERENCES gateway.centre_agent(code);

ALTER TABLE ONLY gateway.tariff
    ADD CONSTRAINT tariff_service_fkey FOREIGN KEY (service) REFERENCES gateway.service(code);

ALTER TABLE ONLY gateway.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_department_fkey FOREIGN KEY (department) REFERENCES gateway.department(code);

ALTER TABLE ONLY reconciliation.account_mapping_line
    ADD CONSTRAINT account_mapping_line_department_version_fkey FOREIGN KEY (department, version) REFERENCES reconciliation.account_mapping(department, version);

ALTER TABLE ONLY reconciliation.break_event
    ADD CONSTRAINT break_event_break_id_fkey FOREIGN KEY (break_id) REFERENCES reconciliation.break(id);

ALTER TABLE ONLY reconciliation.break_explanation
    ADD CONSTRAINT break_explanation_break_id_fkey FOREIGN KEY (break_id) REFERENCES reconciliation.break(id);

ALTER TABLE ONLY reconciliation.day_close
    ADD CONSTRAINT day_close_seal_number_fkey FOREIGN KEY (seal_number) REFERENCES ledger.seal(number);

ALTER TABLE ONLY reconciliation.entry_reference
    ADD CONSTRAINT entry_reference_statement_no_fkey FOREIGN KEY (statement_no) REFERENCES reconciliation.statement(statement_no);

ALTER TABLE ONLY reconciliation.payee
    ADD CONSTRAINT payee_change_id_fkey FOREIGN KEY (change_id) REFERENCES reconciliation.payee_change(id);

ALTER TABLE ONLY reconciliation.payout_deferred
    ADD CONSTRAINT payout_deferred_line_id_fkey FOREIGN KEY (line_id) REFERENCES reconciliation.payout_line(id);

ALTER TABLE ONLY reconciliation.payout_draft
    ADD CONSTRAINT payout_draft_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES reconciliation.payout_batch(id);

ALTER TABLE ONLY reconciliation.payout_line
    ADD CONSTRAINT payout_line_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES reconciliation.payout_batch(id);

ALTER TABLE ONLY reconciliation.payout_part
    ADD CONSTRAINT payout_part_line_id_fkey FOREIGN KEY (line_id) REFERENCES reconciliation.payout_line(id);

ALTER TABLE ONLY reconciliation.remittance
    ADD CONSTRAINT remittance_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES reconciliation.payout_batch(id);

ALTER TABLE ONLY reconciliation.resolution
    ADD CONSTRAINT resolution_break_id_fkey FOREIGN KEY (break_id) REFERENCES reconciliation.break(id);

ALTER TABLE ONLY reconciliation.run_step
    ADD CONSTRAINT run_step_business_date_fkey FOREIGN KEY (business_date) REFERENCES reconciliation.run(business_date);

ALTER TABLE ONLY reconciliation.settlement_line_refused
    ADD CONSTRAINT settlement_line_refused_file_no_fkey FOREIGN KEY (file_no) REFERENCES reconciliation.settlement_file(file_no);

ALTER TABLE ONLY reconciliation.statement_entry
    ADD CONSTRAINT statement_entry_statement_no_fkey FOREIGN KEY (statement_no) REFERENCES reconciliation.statement(statement_no);

GRANT USAGE ON SCHEMA gateway TO mizan_service;

GRANT USAGE ON SCHEMA ledger TO mizan_service;

GRANT USAGE ON SCHEMA reconciliation TO mizan_service;

REVOKE ALL ON FUNCTION ledger.add_seal(p_business_date date, p_sealed_at timestamp with time zone, p_trial_balance text, p_public_key bytea, p_signature bytea, p_seal_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.add_seal(p_business_date date, p_sealed_at timestamp with time zone, p_trial_balance text, p_public_key bytea, p_signature bytea, p_seal_hash bytea) TO mizan_service;

REVOKE ALL ON FUNCTION ledger.archive_month(p_month date) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.archive_month(p_month date) TO mizan_service;

REVOKE ALL ON FUNCTION ledger.check_balanced() FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.decide(p_recorded_at timestamp with time zone, p_kind text, p_path text, p_currency text, p_floor_minor bigint, p_closed_until date, p_closed_before timestamp with time zone, p_reason text, p_decided_by text) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.decide(p_recorded_at timestamp with time zone, p_kind text, p_path text, p_currency text, p_floor_minor bigint, p_closed_until date, p_closed_before timestamp with time zone, p_reason text, p_decided_by text) TO mizan_service;

GRANT SELECT ON TABLE ledger.head TO mizan_service;

REVOKE ALL ON FUNCTION ledger.decide_batch(p_head ledger.head, p_reference text[], p_fingerprint bytea[], p_business_date date[], p_effective_at timestamp with time zone[], p_corrects bigint[], p_below_floor boolean[], p_side text[], p_debit bigint[], p_credit bigint[], p_floor bigint[], p_entry integer[], p_account integer[], p_amount bigint[], OUT o_status smallint[], OUT o_journal bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.guard(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.guard_balance(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.hold_head() FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.hold_head() TO mizan_service;

REVOKE ALL ON FUNCTION ledger.move_hours(p_ids integer[], p_journal bigint[], p_effective_at timestamp with time zone[], p_entry integer[], p_account integer[], p_amount bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.open_month(p_instant timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.open_months(p_instant timestamp with time zone, p_months integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.open_months(p_instant timestamp with time zone, p_months integer) TO mizan_service;

REVOKE ALL ON FUNCTION ledger.person_compared(name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.person_compared(name text) TO mizan_service;

REVOKE ALL ON FUNCTION ledger.post_batch(p_recorded_at timestamp with time zone, p_reference text[], p_fingerprint bytea[], p_kind text[], p_business_date date[], p_effective_at timestamp with time zone[], p_payment text[], p_provider text[], p_provider_reference text[], p_file text[], p_line integer[], p_corrects bigint[], p_late_for date[], p_below_floor boolean[], p_description text[], p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[], p_entry integer[], p_account integer[], p_seq smallint[], p_amount bigint[], p_item text[], OUT o_status smallint[], OUT o_journal bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.post_batch(p_recorded_at timestamp with time zone, p_reference text[], p_fingerprint bytea[], p_kind text[], p_business_date date[], p_effective_at timestamp with time zone[], p_payment text[], p_provider text[], p_provider_reference text[], p_file text[], p_line integer[], p_corrects bigint[], p_late_for date[], p_below_floor boolean[], p_description text[], p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[], p_entry integer[], p_account integer[], p_seq smallint[], p_amount bigint[], p_item text[], OUT o_status smallint[], OUT o_journal bigint[]) TO mizan_service;

REVOKE ALL ON FUNCTION ledger.post_entry(p_recorded_at timestamp with time zone, p_reference text, p_fingerprint bytea, p_kind text, p_business_date date, p_effective_at timestamp with time zone, p_payment text, p_provider text, p_provider_reference text, p_file text, p_line integer, p_corrects bigint, p_late_for date, p_below_floor boolean, p_description text, p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[], p_account integer[], p_amount bigint[], p_item text[], OUT o_status smallint[], OUT o_journal bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ledger.post_entry(p_recorded_at timestamp with time zone, p_reference text, p_fingerprint bytea, p_kind text, p_business_date date, p_effective_at timestamp with time zone, p_payment text, p_provider text, p_provider_reference text, p_file text, p_line integer, p_corrects bigint, p_late_for date, p_below_floor boolean, p_description text, p_path text[], p_currency text[], p_type text[], p_side text[], p_by_item boolean[], p_account integer[], p_amount bigint[], p_item text[], OUT o_status smallint[], OUT o_journal bigint[]) TO mizan_service;

REVOKE ALL ON FUNCTION ledger.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger.sum_minor(bigint) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE ON TABLE gateway.announcement TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.api_key TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.attempt TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.audit TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.bundle TO mizan_service;

GRANT SELECT,INSERT,DELETE ON TABLE gateway.bundle_item TO mizan_service;

GRANT SELECT ON TABLE gateway.caller_change TO mizan_service;

GRANT UPDATE(number) ON TABLE gateway.caller_change TO mizan_service;

GRANT SELECT,INSERT,DELETE ON TABLE gateway.cash_handout TO mizan_service;

GRANT UPDATE(checker) ON TABLE gateway.cash_handout TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE gateway.cash_handout TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.centre TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(password) ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(failures) ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(locked_until) ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(checker) ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(disabled_at) ON TABLE gateway.centre_agent TO mizan_service;

GRANT UPDATE(chose_password) ON TABLE gateway.centre_agent TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.centre_session TO mizan_service;

GRANT UPDATE(seen_at) ON TABLE gateway.centre_session TO mizan_service;

GRANT UPDATE(ended_at) ON TABLE gateway.centre_session TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.circuit TO mizan_service;

GRANT SELECT,INSERT,DELETE ON TABLE gateway.client_assertion TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.counter_payer TO mizan_service;

GRANT UPDATE(id_digest) ON TABLE gateway.counter_payer TO mizan_service;

GRANT UPDATE(id_ending) ON TABLE gateway.counter_payer TO mizan_service;

GRANT UPDATE(agent) ON TABLE gateway.counter_payer TO mizan_service;

GRANT UPDATE(recorded_at) ON TABLE gateway.counter_payer TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.counter_payment TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.department TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.event TO mizan_service;

GRANT SELECT,INSERT,DELETE ON TABLE gateway.idempotency TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.inbox TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.intent TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.intent_line TO mizan_service;

GRANT UPDATE(amount_minor) ON TABLE gateway.intent_line TO mizan_service;

GRANT UPDATE(vat_minor) ON TABLE gateway.intent_line TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.message TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.oauth_client TO mizan_service;

GRANT SELECT,INSERT,DELETE ON TABLE gateway.outbox TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.payment_link TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.payment_link_use TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.promise TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.provider_drain TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.rating TO mizan_service;

GRANT SELECT ON TABLE gateway.rating_history TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.receipt_counter TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.refund TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.refund_line TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.reservation TO mizan_service;

GRANT UPDATE(letting_go_at) ON TABLE gateway.reservation TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.review_decision TO mizan_service;

GRANT UPDATE(checker) ON TABLE gateway.review_decision TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE gateway.review_decision TO mizan_service;

GRANT UPDATE(decision) ON TABLE gateway.review_decision TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.routing TO mizan_service;

GRANT SELECT,UPDATE ON TABLE gateway.sealing_walk TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(department) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(name_ar) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(name_en) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(revenue_code) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(active) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(updated_at) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(description_ar) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(description_en) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(audience) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(channels) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(documents) ON TABLE gateway.service TO mizan_service;

GRANT UPDATE(depends_on) ON TABLE gateway.service TO mizan_service;

GRANT SELECT ON TABLE gateway.service_audience TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.shift TO mizan_service;

GRANT UPDATE(expected_minor) ON TABLE gateway.shift TO mizan_service;

GRANT UPDATE(counted_minor) ON TABLE gateway.shift TO mizan_service;

GRANT UPDATE(counted_at) ON TABLE gateway.shift TO mizan_service;

GRANT UPDATE(deposit_reference) ON TABLE gateway.shift TO mizan_service;

GRANT UPDATE(checker) ON TABLE gateway.shift TO mizan_service;

GRANT UPDATE(closed_at) ON TABLE gateway.shift TO mizan_service;

GRANT SELECT ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(id) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(service) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(version) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(effective_on) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(effective_at) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(terms) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(legal_basis) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(reason) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(maker) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(made_at) ON TABLE gateway.tariff TO mizan_service;

GRANT UPDATE(checker) ON TABLE gateway.tariff TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE gateway.tariff TO mizan_service;

GRANT UPDATE(decision) ON TABLE gateway.tariff TO mizan_service;

GRANT INSERT(proposed_with) ON TABLE gateway.tariff TO mizan_service;

GRANT SELECT ON TABLE gateway.told_journal TO mizan_service;

GRANT UPDATE(journal_id) ON TABLE gateway.told_journal TO mizan_service;

GRANT SELECT,INSERT ON TABLE gateway.transfer_claim TO mizan_service;

GRANT UPDATE(checker) ON TABLE gateway.transfer_claim TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE gateway.transfer_claim TO mizan_service;

GRANT UPDATE(decision) ON TABLE gateway.transfer_claim TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.webhook_delivery TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE gateway.webhook_endpoint TO mizan_service;

GRANT SELECT ON TABLE ledger.account TO mizan_service;

GRANT SELECT ON TABLE ledger.accounts TO mizan_service;

GRANT SELECT ON TABLE ledger.posting TO mizan_service;

GRANT SELECT ON TABLE ledger.posting_archive TO mizan_service;

GRANT SELECT ON TABLE ledger.all_postings TO mizan_service;

GRANT SELECT ON TABLE ledger.hourly TO mizan_service;

GRANT SELECT ON TABLE ledger.balance TO mizan_service;

GRANT SELECT ON TABLE ledger.balances TO mizan_service;

GRANT SELECT ON TABLE ledger.decision TO mizan_service;

GRANT SELECT ON TABLE ledger.floor TO mizan_service;

GRANT SELECT ON TABLE ledger.item TO mizan_service;

GRANT SELECT ON TABLE ledger.items TO mizan_service;

GRANT SELECT ON TABLE ledger.journal TO mizan_service;

GRANT SELECT ON TABLE ledger.open_items TO mizan_service;

GRANT SELECT ON TABLE ledger.postings TO mizan_service;

GRANT SELECT ON TABLE ledger.seal TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.account_mapping TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.account_mapping_line TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.audit TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.break TO mizan_service;

GRANT UPDATE(status) ON TABLE reconciliation.break TO mizan_service;

GRANT UPDATE(closed_at) ON TABLE reconciliation.break TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.break_event TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.break_explanation TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.match_entry TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.settlement_file TO mizan_service;

GRANT UPDATE(posted_through) ON TABLE reconciliation.settlement_file TO mizan_service;

GRANT UPDATE(fees_charged) ON TABLE reconciliation.settlement_file TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.settlement_line TO mizan_service;

GRANT SELECT ON TABLE reconciliation.match TO mizan_service;

GRANT SELECT ON TABLE reconciliation.current_match TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.day_close TO mizan_service;

GRANT UPDATE(checker) ON TABLE reconciliation.day_close TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE reconciliation.day_close TO mizan_service;

GRANT UPDATE(decision) ON TABLE reconciliation.day_close TO mizan_service;

GRANT UPDATE(seal_number) ON TABLE reconciliation.day_close TO mizan_service;

GRANT UPDATE(certificate) ON TABLE reconciliation.day_close TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.entry_reference TO mizan_service;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reconciliation.holiday TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE reconciliation.lease TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE reconciliation.payee TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.payee_change TO mizan_service;

GRANT UPDATE(checker) ON TABLE reconciliation.payee_change TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE reconciliation.payee_change TO mizan_service;

GRANT UPDATE(effective_at) ON TABLE reconciliation.payee_change TO mizan_service;

GRANT UPDATE(decision) ON TABLE reconciliation.payee_change TO mizan_service;

GRANT UPDATE(applied_at) ON TABLE reconciliation.payee_change TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(status) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(submitted_at) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(checker) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(released_at) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(book_date) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(sends) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(answered_at) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(reason) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT UPDATE(moved_at) ON TABLE reconciliation.payout_batch TO mizan_service;

GRANT SELECT ON TABLE reconciliation.payout_batch_history TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.payout_deferred TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.payout_draft TO mizan_service;

GRANT UPDATE(batch_id) ON TABLE reconciliation.payout_draft TO mizan_service;

GRANT UPDATE(drafted_at) ON TABLE reconciliation.payout_draft TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.payout_line TO mizan_service;

GRANT UPDATE(status) ON TABLE reconciliation.payout_line TO mizan_service;

GRANT UPDATE(journal_id) ON TABLE reconciliation.payout_line TO mizan_service;

GRANT UPDATE(paid_on) ON TABLE reconciliation.payout_line TO mizan_service;

GRANT UPDATE(reason) ON TABLE reconciliation.payout_line TO mizan_service;

GRANT UPDATE(moved_at) ON TABLE reconciliation.payout_line TO mizan_service;

GRANT SELECT ON TABLE reconciliation.payout_line_history TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.payout_part TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.provider_contract TO mizan_service;

GRANT UPDATE(checker) ON TABLE reconciliation.provider_contract TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE reconciliation.provider_contract TO mizan_service;

GRANT UPDATE(decision) ON TABLE reconciliation.provider_contract TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.refused_file TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.remittance TO mizan_service;

GRANT UPDATE(status) ON TABLE reconciliation.remittance TO mizan_service;

GRANT UPDATE(tries) ON TABLE reconciliation.remittance TO mizan_service;

GRANT UPDATE(next_try_at) ON TABLE reconciliation.remittance TO mizan_service;

GRANT UPDATE(sent_at) ON TABLE reconciliation.remittance TO mizan_service;

GRANT UPDATE(error) ON TABLE reconciliation.remittance TO mizan_service;

GRANT UPDATE(corrections) ON TABLE reconciliation.remittance TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.resolution TO mizan_service;

GRANT UPDATE(checker) ON TABLE reconciliation.resolution TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE reconciliation.resolution TO mizan_service;

GRANT UPDATE(decision) ON TABLE reconciliation.resolution TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE reconciliation.run TO mizan_service;

GRANT SELECT,INSERT,UPDATE ON TABLE reconciliation.run_step TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.settlement_line_refused TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(status) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(reason) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(accepted_at) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(book_date) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(effective_at) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(late_for) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(posted_through) ON TABLE reconciliation.statement TO mizan_service;

GRANT UPDATE(accepted_as) ON TABLE reconciliation.statement TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.statement_entry TO mizan_service;

GRANT SELECT,INSERT ON TABLE reconciliation.unmatch TO mizan_service;

GRANT UPDATE(checker) ON TABLE reconciliation.unmatch TO mizan_service;

GRANT UPDATE(checked_at) ON TABLE reconciliation.unmatch TO mizan_service;

GRANT UPDATE(decision) ON TABLE reconciliation.unmatch TO mizan_service;

GRANT UPDATE(journal_id) ON TABLE reconciliation.unmatch TO mizan_service;
