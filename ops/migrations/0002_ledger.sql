-- The books. The service may read everything here and write nothing: it posts, closes and seals through the functions
-- below, which run with their owner's rights (SECURITY DEFINER), take the head row's lock first and so stand in one
-- line. One line means: no deadlock, gapless numbers, a chain of hashes in commit order, and floors that hold.
CREATE SCHEMA ledger;
GRANT USAGE ON SCHEMA ledger TO mizan_service;

-- ---------------------------------------------------------------------------------------------------------------
-- What is written once
-- ---------------------------------------------------------------------------------------------------------------

CREATE TABLE ledger.account (
  id         integer PRIMARY KEY,
  path       text COLLATE "C" NOT NULL,
  currency   char(3) COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  type       text COLLATE "C" NOT NULL CHECK (type IN ('asset', 'liability', 'income', 'expense')),
  side       text COLLATE "C" NOT NULL CHECK (side IN ('debit', 'credit')),
  by_item    boolean NOT NULL,
  opened_by  bigint NOT NULL,       -- the journal that used it first, whose hash covers this row
  opened_at  timestamptz NOT NULL,
  UNIQUE (path, currency)
);

CREATE TABLE ledger.journal (
  id                 bigint PRIMARY KEY,      -- gapless, in commit order
  reference          text COLLATE "C" NOT NULL UNIQUE,
  kind               text COLLATE "C" NOT NULL,
  business_date      date NOT NULL,
  effective_at       timestamptz NOT NULL,
  recorded_at        timestamptz NOT NULL,
  payment            text COLLATE "C",
  provider           text COLLATE "C",
  provider_reference text COLLATE "C",
  file               text COLLATE "C",
  line               integer,
  corrects           bigint,
  late_for           date,                    -- the closed business date this belonged to, when it came late
  below_floor        boolean NOT NULL,        -- allowed to take an account below its floor
  description        text COLLATE "C" NOT NULL,
  fingerprint        bytea NOT NULL CHECK (length(fingerprint) = 32),
  hash               bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX journal_recorded ON ledger.journal (recorded_at);
CREATE INDEX journal_payment ON ledger.journal (payment) WHERE payment IS NOT NULL;

-- No foreign keys here: they double the cost of a batch, the function writes both sides, and verify proves it.
-- Columns are ordered by width, which saves eight bytes a row.
CREATE TABLE ledger.posting (
  journal_id    bigint NOT NULL,
  recorded_at   timestamptz NOT NULL,
  effective_at  timestamptz NOT NULL,
  amount_minor  bigint NOT NULL              -- debit above zero, credit below
                CHECK (amount_minor <> 0 AND amount_minor BETWEEN -1000000000000000 AND 1000000000000000),
  balance_minor bigint NOT NULL,                             -- of the account after this posting, as recorded
  account_id    integer NOT NULL,
  seq           smallint NOT NULL,
  currency      char(3) COLLATE "C" NOT NULL,
  item          text COLLATE "C",
  PRIMARY KEY (journal_id, seq, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX posting_effective ON ledger.posting (account_id, effective_at, journal_id, seq) INCLUDE (amount_minor);
CREATE INDEX posting_recorded ON ledger.posting (account_id, recorded_at, journal_id, seq);

-- Months taken out of the living table. They are read together with it, and may lie on slower disks.
CREATE TABLE ledger.posting_archive (LIKE ledger.posting INCLUDING CONSTRAINTS, PRIMARY KEY (journal_id, seq, recorded_at))
PARTITION BY RANGE (recorded_at);
CREATE INDEX posting_archive_effective ON ledger.posting_archive (account_id, effective_at, journal_id, seq)
  INCLUDE (amount_minor);
CREATE INDEX posting_archive_recorded ON ledger.posting_archive (account_id, recorded_at, journal_id, seq);

CREATE VIEW ledger.all_postings AS
SELECT journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq, currency, item
  FROM ledger.posting
UNION ALL
SELECT journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq, currency, item
  FROM ledger.posting_archive;

-- Closed periods and floors: decisions of people, in a chain of their own that the seals sign as well.
CREATE TABLE ledger.decision (
  id            integer PRIMARY KEY,
  kind          text COLLATE "C" NOT NULL CHECK (kind IN ('period_closed', 'floor_set', 'floor_lifted')),
  path          text COLLATE "C",
  currency      char(3) COLLATE "C",
  floor_minor   bigint,
  closed_until  date,
  closed_before timestamptz,
  reason        text COLLATE "C" NOT NULL,
  decided_by    text COLLATE "C" NOT NULL,
  recorded_at   timestamptz NOT NULL,
  journal_id    bigint NOT NULL,             -- the last journal posted before the decision
  hash          bytea NOT NULL CHECK (length(hash) = 32)
);

-- A sealed day: everything recorded up to one journal, signed with Ed25519. Each seal signs the one before it.
CREATE TABLE ledger.seal (
  number        integer PRIMARY KEY,
  business_date date NOT NULL UNIQUE,
  journal_id    bigint NOT NULL,
  journal_hash  bytea NOT NULL,
  decision_id   integer NOT NULL,
  decision_hash bytea NOT NULL,
  sealed_at     timestamptz NOT NULL,
  trial_balance text NOT NULL,               -- one line an account: path, currency, debits, credits
  previous      bytea NOT NULL,              -- SHA-256 of the seal before, signature and all
  public_key    bytea NOT NULL,
  signature     bytea NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------
-- What is derived, kept in the same batch and proven by verify
-- ---------------------------------------------------------------------------------------------------------------

CREATE TABLE ledger.head (
  one           boolean PRIMARY KEY DEFAULT true CHECK (one),
  journal_id    bigint NOT NULL,
  hash          bytea NOT NULL,
  recorded_at   timestamptz,
  account_id    integer NOT NULL,
  decision_id   integer NOT NULL,
  decision_hash bytea NOT NULL,
  seal_number   integer NOT NULL,
  seal_hash     bytea NOT NULL,
  closed_until  date,
  closed_before timestamptz,
  months_from   timestamptz,                 -- partitions of postings exist from here, without a gap,
  months_until  timestamptz                  -- to here
) WITH (fillfactor = 10);
INSERT INTO ledger.head (journal_id, hash, account_id, decision_id, decision_hash, seal_number, seal_hash)
VALUES (0, decode(repeat('00', 32), 'hex'), 0, 0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE ledger.balance (
  account_id   integer PRIMARY KEY,
  debit_minor  bigint NOT NULL CHECK (debit_minor >= 0),
  credit_minor bigint NOT NULL CHECK (credit_minor >= 0)
) WITH (fillfactor = 50);

CREATE TABLE ledger.floor (
  path        text COLLATE "C" NOT NULL,
  currency    char(3) COLLATE "C" NOT NULL,
  floor_minor bigint NOT NULL,               -- on the side where the account normally stands
  PRIMARY KEY (path, currency)
);

-- Totals of an account up to the end of each effective hour that moved it: a balance at any instant is one row of
-- this and the postings of one hour.
CREATE TABLE ledger.hourly (
  account_id   integer NOT NULL,
  hour         timestamptz NOT NULL,
  debit_minor  bigint NOT NULL,
  credit_minor bigint NOT NULL,
  PRIMARY KEY (account_id, hour)
) WITH (fillfactor = 50);

-- One row for each item of an account kept by item, open (not zero) or closed.
CREATE TABLE ledger.item (
  account_id         integer NOT NULL,
  item               text COLLATE "C" NOT NULL,
  amount_minor       bigint NOT NULL,
  opened_at          timestamptz NOT NULL,   -- effective instant of its first posting
  moved_at           timestamptz NOT NULL,   -- effective instant of its last
  business_date      date NOT NULL,
  journal_id         bigint NOT NULL,        -- these four are of the journal recorded first
  payment            text COLLATE "C",
  provider_reference text COLLATE "C",
  PRIMARY KEY (account_id, item)
) WITH (fillfactor = 80);
CREATE INDEX item_open ON ledger.item (account_id, opened_at) WHERE amount_minor <> 0;

-- ---------------------------------------------------------------------------------------------------------------
-- Append-only, and balanced, for everybody short of disabling a trigger
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ledger.% is append-only: % is refused', TG_TABLE_NAME, lower(TG_OP)
    USING ERRCODE = 'restrict_violation', HINT = 'Correct a journal by posting another that refers to it.';
END $$;

CREATE FUNCTION ledger.check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_wrong record;
BEGIN
  SELECT w.journal_id, w.currency, sum(w.amount_minor) AS difference INTO v_wrong
    FROM written w GROUP BY w.journal_id, w.currency HAVING sum(w.amount_minor) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % is out of balance by % minor units of %',
      v_wrong.journal_id, v_wrong.difference, v_wrong.currency USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

-- Row triggers of a partitioned table reach its partitions; statement triggers do not, so each month gets its own.
CREATE FUNCTION ledger.guard(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
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

CREATE FUNCTION ledger.guard_balance(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER check_balanced AFTER INSERT ON %s REFERENCING NEW TABLE AS written
                  FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_balanced()', p_table);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER check_balanced', p_table);
END $$;

SELECT ledger.guard(t::regclass)
FROM unnest(ARRAY['ledger.account', 'ledger.journal', 'ledger.posting', 'ledger.posting_archive',
                  'ledger.decision', 'ledger.seal']) t;
SELECT ledger.guard_balance('ledger.posting');

-- ---------------------------------------------------------------------------------------------------------------
-- Months
-- ---------------------------------------------------------------------------------------------------------------

-- Make sure that the month of an instant has its partition. The caller holds the head lock. Attaching, unlike
-- CREATE TABLE ... PARTITION OF, does not stop readers.
CREATE FUNCTION ledger.open_month(p_instant timestamptz) RETURNS void LANGUAGE plpgsql
SET TimeZone = 'UTC' AS $$
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

-- Create the partitions of the coming months, so that no posting has to.
CREATE FUNCTION ledger.open_months(p_instant timestamptz, p_months integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
  v_recorded timestamptz;
BEGIN
  SELECT recorded_at INTO v_recorded FROM ledger.head FOR UPDATE;
  FOR v_month IN 0 .. p_months LOOP
    PERFORM ledger.open_month(date_trunc('month', greatest(p_instant, v_recorded)) + make_interval(months => v_month));
  END LOOP;
END $$;

-- Take a closed month out of the living table into the archive. It stays guarded, readable and verifiable.
CREATE FUNCTION ledger.archive_month(p_month date) RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
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

-- ---------------------------------------------------------------------------------------------------------------
-- Posting
-- ---------------------------------------------------------------------------------------------------------------

-- Decide entry by entry, in order. Called under the head lock, and only for a batch in which something may have to
-- be refused or repeated. Statuses: 0 post, 1 repeated, 2 reference reused, 3 below floor, 4 period closed,
-- 5 corrects an unknown journal, 6 beyond what an account's totals hold.
CREATE FUNCTION ledger.decide_batch(
  p_head ledger.head, p_reference text[], p_fingerprint bytea[], p_business_date date[], p_effective_at timestamptz[],
  p_corrects bigint[], p_below_floor boolean[], p_side text[], p_debit bigint[], p_credit bigint[], p_floor bigint[],
  p_entry integer[], p_account integer[], p_amount bigint[],
  OUT o_status smallint[], OUT o_journal bigint[]
) LANGUAGE plpgsql AS $$
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

-- Post a batch. The first fourteen arrays are parallel, one element an entry; the next five name each account of the
-- batch once; the last five are the postings in order, with the number of their entry and of their account.
-- The transaction must be READ COMMITTED, so that what is read after the lock is what the last holder left.
CREATE FUNCTION ledger.post_batch(
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
  v_entry record;
  v_n integer := 0;
  v_journal bigint[];
  v_posted integer;
  v_moved integer[];
  v_hours timestamptz[];
  v_debits bigint[];
  v_credits bigint[];
BEGIN
  SELECT * INTO STRICT v_head FROM ledger.head FOR UPDATE;
  v_at := greatest(p_recorded_at, v_head.recorded_at);
  SELECT array_agg(a.id ORDER BY n.i), array_agg(coalesce(b.debit_minor, 0) ORDER BY n.i),
         array_agg(coalesce(b.credit_minor, 0) ORDER BY n.i), array_agg(f.floor_minor ORDER BY n.i)
    INTO v_ids, v_debit, v_credit, v_floor
    FROM unnest(p_path, p_currency) WITH ORDINALITY n(path, currency, i)
    LEFT JOIN ledger.account a ON a.path = n.path AND a.currency = n.currency
    LEFT JOIN ledger.balance b ON b.account_id = a.id
    LEFT JOIN ledger.floor f ON f.path = n.path AND f.currency = n.currency;

  IF EXISTS (SELECT FROM ledger.journal j WHERE j.reference = ANY (p_reference))
     OR (SELECT count(DISTINCT r.reference) < v_count
                OR min(r.business_date) <= v_head.closed_until OR min(r.effective_at) < v_head.closed_before
                OR count(r.corrects) > 0
           FROM unnest(p_reference, p_business_date, p_effective_at, p_corrects)
             AS r(reference, business_date, effective_at, corrects))
     -- A floor, or totals that this many postings of the largest amount could carry too far.
     OR (SELECT bool_or(s.floor_minor IS NOT NULL OR greatest(s.debit, s.credit)
                        > 9000000000000000000 - cardinality(p_entry) * 1000000000000000::numeric)
           FROM unnest(v_debit, v_credit, v_floor) AS s(debit, credit, floor_minor))
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
    ), started AS (
      INSERT INTO ledger.balance (account_id, debit_minor, credit_minor) SELECT o.id, 0, 0 FROM opened o
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
             + sum(x.amount) OVER (PARTITION BY x.account ORDER BY x.i ROWS UNBOUNDED PRECEDING),
           v_ids[x.account], x.seq, p_currency[x.account], x.item
      FROM unnest(p_entry, p_account, p_seq, p_amount, p_item) WITH ORDINALITY
        AS x(entry, account, seq, amount, item, i)
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
  FOR v_entry IN
    SELECT x.i, record_send(ROW(v_journal[x.i], x.reference, x.kind, x.business_date, x.effective_at, v_at, x.payment,
                                x.provider, x.provider_reference, x.file, x.line, x.corrects, x.late_for, x.below_floor,
                                x.description, x.fingerprint)) AS body
      FROM unnest(p_reference, p_fingerprint, p_kind, p_business_date, p_effective_at, p_payment, p_provider,
                  p_provider_reference, p_file, p_line, p_corrects, p_late_for, p_below_floor, p_description)
        WITH ORDINALITY AS x(reference, fingerprint, kind, business_date, effective_at, payment, provider,
                             provider_reference, file, line, corrects, late_for, below_floor, description, i)
     WHERE v_journal[x.i] IS NOT NULL ORDER BY x.i
  LOOP
    v_n := v_n + 1;
    v_hash := sha256(v_hash || v_entry.body || v_bodies[v_n] || coalesce(v_opened[v_entry.i], ''::bytea));
    v_hashes[v_entry.i] := v_hash;
  END LOOP;

  INSERT INTO ledger.journal (id, reference, kind, business_date, effective_at, recorded_at, payment, provider,
                              provider_reference, file, line, corrects, late_for, below_floor, description, fingerprint,
                              hash)
  SELECT x.journal_id, x.reference, x.kind, x.business_date, x.effective_at, v_at, x.payment, x.provider,
         x.provider_reference, x.file, x.line, x.corrects, x.late_for, x.below_floor, x.description, x.fingerprint,
         x.hash
    FROM unnest(v_journal, v_hashes, p_reference, p_fingerprint, p_kind, p_business_date, p_effective_at, p_payment,
                p_provider, p_provider_reference, p_file, p_line, p_corrects, p_late_for, p_below_floor, p_description)
      AS x(journal_id, hash, reference, fingerprint, kind, business_date, effective_at, payment, provider,
           provider_reference, file, line, corrects, late_for, below_floor, description)
   WHERE x.journal_id IS NOT NULL;

  -- Each account's row once, whatever the batch holds.
  SELECT array_agg(m.account_id), array_agg(m.hour), array_agg(m.debit), array_agg(m.credit)
    INTO v_moved, v_hours, v_debits, v_credits
    FROM (SELECT v_ids[x.account] AS account_id,
                 date_bin('1 hour', p_effective_at[x.entry], '2000-01-01 00:00:00+00') AS hour,
                 coalesce(sum(x.amount) FILTER (WHERE x.amount > 0), 0)::bigint AS debit,
                 coalesce(-sum(x.amount) FILTER (WHERE x.amount < 0), 0)::bigint AS credit
            FROM unnest(p_entry, p_account, p_amount) AS x(entry, account, amount)
           WHERE v_journal[x.entry] IS NOT NULL
           GROUP BY 1, 2) m;
  UPDATE ledger.balance b SET debit_minor = b.debit_minor + m.debit, credit_minor = b.credit_minor + m.credit
    FROM (SELECT x.account_id, sum(x.debit) AS debit, sum(x.credit) AS credit
            FROM unnest(v_moved, v_debits, v_credits) AS x(account_id, debit, credit) GROUP BY x.account_id) m
   WHERE b.account_id = m.account_id;
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

  INSERT INTO ledger.item AS t (account_id, item, amount_minor, opened_at, moved_at, business_date, journal_id, payment,
                                provider_reference)
  SELECT v_ids[m.account], m.item, m.amount, m.opened_at, m.moved_at, p_business_date[m.entry], v_journal[m.entry],
         p_payment[m.entry], p_provider_reference[m.entry]
    FROM (SELECT x.account, x.item, sum(x.amount) AS amount, min(x.entry) AS entry,
                 min(p_effective_at[x.entry]) AS opened_at, max(p_effective_at[x.entry]) AS moved_at
            FROM unnest(p_entry, p_account, p_amount, p_item) AS x(entry, account, amount, item)
           WHERE x.item IS NOT NULL AND v_journal[x.entry] IS NOT NULL
           GROUP BY x.account, x.item) m
  ON CONFLICT (account_id, item) DO UPDATE SET
    amount_minor = t.amount_minor + excluded.amount_minor,
    opened_at = least(t.opened_at, excluded.opened_at),
    moved_at = greatest(t.moved_at, excluded.moved_at);

  UPDATE ledger.head SET journal_id = v_head.journal_id + v_posted, hash = v_hash, recorded_at = v_at,
                         account_id = v_head.account_id;
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- Decisions: a period closed, a floor set or lifted
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION ledger.decide(
  p_recorded_at timestamptz, p_kind text, p_path text, p_currency text, p_floor_minor bigint,
  p_closed_until date, p_closed_before timestamptz, p_reason text, p_decided_by text
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- ---------------------------------------------------------------------------------------------------------------
-- Seals
-- ---------------------------------------------------------------------------------------------------------------

-- Hold the head until the transaction ends, so that what is sealed stands still.
CREATE FUNCTION ledger.hold_head() RETURNS ledger.head LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT h FROM ledger.head h FOR UPDATE
$$;

CREATE FUNCTION ledger.add_seal(
  p_business_date date, p_sealed_at timestamptz, p_trial_balance text, p_public_key bytea, p_signature bytea,
  p_seal_hash bytea
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- ---------------------------------------------------------------------------------------------------------------
-- What other packages may read and join
-- ---------------------------------------------------------------------------------------------------------------

CREATE VIEW ledger.balances AS
SELECT a.path AS account, a.currency, b.debit_minor - b.credit_minor AS amount_minor
  FROM ledger.account a JOIN ledger.balance b ON b.account_id = a.id;

CREATE VIEW ledger.postings AS
SELECT p.journal_id, j.reference, j.kind, j.business_date, p.effective_at, p.recorded_at, a.path AS account, p.currency,
       p.amount_minor, p.item, j.payment, j.provider, j.provider_reference, j.file, j.line, j.corrects, p.seq
  FROM ledger.all_postings p
  JOIN ledger.journal j ON j.id = p.journal_id
  JOIN ledger.account a ON a.id = p.account_id;

CREATE VIEW ledger.open_items AS
SELECT a.path AS account, a.currency, i.item, i.amount_minor, i.opened_at, i.business_date, i.journal_id, i.payment,
       i.provider_reference
  FROM ledger.item i JOIN ledger.account a ON a.id = i.account_id
 WHERE i.amount_minor <> 0;

-- ---------------------------------------------------------------------------------------------------------------
-- Who may do what
-- ---------------------------------------------------------------------------------------------------------------

GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO mizan_service;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.post_batch, ledger.decide, ledger.open_months, ledger.archive_month, ledger.hold_head,
  ledger.add_seal TO mizan_service;
