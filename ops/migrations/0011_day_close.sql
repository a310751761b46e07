-- Closing days, and reading the night's tables as they were known at an earlier instant.

-- Every item of the books, open or closed: what stood open at an earlier instant is worked out from it.
CREATE VIEW ledger.items AS
SELECT a.path AS account, a.currency, i.item, i.amount_minor, i.opened_at, i.business_date, i.journal_id, i.payment,
       i.provider_reference
  FROM ledger.item i JOIN ledger.account a ON a.id = i.account_id;
CREATE VIEW ledger.accounts AS
SELECT a.path AS account, a.currency, a.type, a.side, a.opened_at FROM ledger.account a;
GRANT SELECT ON ledger.items, ledger.accounts TO mizan_service;

-- Who has taken a break on and why it stands: what lets a day be closed over it. Only ever added to, so that whoever
-- owned it then can still be told; what the break itself says of its owner and its value is never changed.
CREATE TABLE reconciliation.break_explanation (
  break_id text COLLATE "C" NOT NULL REFERENCES reconciliation.break,
  sequence integer NOT NULL,
  at       timestamptz NOT NULL,
  owner    text NOT NULL CHECK (length(owner) > 0),
  reason   text NOT NULL CHECK (length(reason) > 0),
  actor    text NOT NULL,
  PRIMARY KEY (break_id, sequence)
);
GRANT SELECT, INSERT ON reconciliation.break_explanation TO mizan_service;
REVOKE UPDATE (owner, amount_minor) ON reconciliation.break FROM mizan_service;
CREATE INDEX break_standing ON reconciliation.break (raised_at, id);

-- A day is closed by two people. What they signed is kept as it was signed.
CREATE TABLE reconciliation.day_close (
  id            text COLLATE "C" PRIMARY KEY,
  business_date date NOT NULL,
  note          text NOT NULL,
  maker         text NOT NULL,
  made_at       timestamptz NOT NULL,
  checker       text,
  checked_at    timestamptz,
  decision      text CHECK (decision IN ('approved', 'refused')),
  seal_number   integer REFERENCES ledger.seal (number),
  certificate   text,                      -- JSON lines, the last of which signs the ones before it
  CONSTRAINT day_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL)),
  CHECK ((decision IS NOT DISTINCT FROM 'approved') = (seal_number IS NOT NULL)),
  CHECK ((seal_number IS NULL) = (certificate IS NULL))
);
CREATE UNIQUE INDEX day_close_once ON reconciliation.day_close (business_date)
  WHERE decision IS NULL OR decision = 'approved';
GRANT SELECT, INSERT ON reconciliation.day_close TO mizan_service;
GRANT UPDATE (checker, checked_at, decision, seal_number, certificate) ON reconciliation.day_close TO mizan_service;

CREATE FUNCTION reconciliation.decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.decision IS NOT NULL THEN
    RAISE EXCEPTION '% % is decided and stays as it is', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decided_once BEFORE UPDATE ON reconciliation.day_close
  FOR EACH ROW EXECUTE FUNCTION reconciliation.decided_once();

-- A match that was wrong is undone by two people, with a journal that reverses its own.
CREATE TABLE reconciliation.unmatch (
  id         text COLLATE "C" PRIMARY KEY,
  leg        text COLLATE "C" NOT NULL,
  file_no    integer NOT NULL,
  line       integer NOT NULL,
  version    smallint NOT NULL,            -- the match it undoes
  reason     text NOT NULL CHECK (length(reason) > 0),
  maker      text NOT NULL,
  made_at    timestamptz NOT NULL,
  checker    text,
  checked_at timestamptz,
  decision   text CHECK (decision IN ('approved', 'refused')),
  journal_id bigint,
  CONSTRAINT unmatch_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL)),
  CHECK ((decision IS NOT DISTINCT FROM 'approved') = (journal_id IS NOT NULL)),
  FOREIGN KEY (leg, file_no, line, version) REFERENCES reconciliation.match
);
CREATE UNIQUE INDEX unmatch_once ON reconciliation.unmatch (leg, file_no, line, version)
  WHERE decision IS NULL OR decision = 'approved';
GRANT SELECT, INSERT ON reconciliation.unmatch TO mizan_service;
GRANT UPDATE (checker, checked_at, decision, journal_id) ON reconciliation.unmatch TO mizan_service;
CREATE TRIGGER decided_once BEFORE UPDATE ON reconciliation.unmatch
  FOR EACH ROW EXECUTE FUNCTION reconciliation.decided_once();

-- How far a payout had come at any instant. The rows themselves move; each move is written down as it happens, by the
-- database, with the instant the mover gives.
ALTER TABLE reconciliation.payout_batch ADD COLUMN moved_at timestamptz;
ALTER TABLE reconciliation.payout_line ADD COLUMN moved_at timestamptz;
UPDATE reconciliation.payout_batch
   SET moved_at = greatest(made_at, submitted_at, checked_at, released_at, answered_at);
UPDATE reconciliation.payout_line l
   SET moved_at = p.moved_at FROM reconciliation.payout_batch p WHERE p.id = l.batch_id;
ALTER TABLE reconciliation.payout_batch ALTER COLUMN moved_at SET NOT NULL;
ALTER TABLE reconciliation.payout_line ALTER COLUMN moved_at SET NOT NULL;
GRANT UPDATE (moved_at) ON reconciliation.payout_batch, reconciliation.payout_line TO mizan_service;

CREATE TABLE reconciliation.payout_batch_history (
  batch_id text COLLATE "C" NOT NULL,
  sequence integer NOT NULL,
  at       timestamptz NOT NULL,
  status   text NOT NULL,
  checker  text,
  reason   text NOT NULL,
  PRIMARY KEY (batch_id, sequence)
);
CREATE TABLE reconciliation.payout_line_history (
  line_id  text COLLATE "C" NOT NULL,
  sequence integer NOT NULL,
  at       timestamptz NOT NULL,
  status   text NOT NULL,
  paid_on  date,
  reason   text NOT NULL,
  PRIMARY KEY (line_id, sequence)
);
INSERT INTO reconciliation.payout_batch_history
SELECT id, 1, moved_at, status, checker, reason FROM reconciliation.payout_batch;
INSERT INTO reconciliation.payout_line_history
SELECT id, 1, moved_at, status, paid_on, reason FROM reconciliation.payout_line;
GRANT SELECT ON reconciliation.payout_batch_history, reconciliation.payout_line_history TO mizan_service;

CREATE FUNCTION reconciliation.remember_payout_batch() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
CREATE FUNCTION reconciliation.remember_payout_line() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON reconciliation.payout_batch
  FOR EACH ROW EXECUTE FUNCTION reconciliation.remember_payout_batch();
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON reconciliation.payout_line
  FOR EACH ROW EXECUTE FUNCTION reconciliation.remember_payout_line();

-- A rating may be changed; a report of an earlier instant gives the one that stood then.
CREATE TABLE gateway.rating_history (
  intent   text COLLATE "C" NOT NULL,
  given_at timestamptz NOT NULL,
  score    smallint NOT NULL,
  PRIMARY KEY (intent, given_at)
);
INSERT INTO gateway.rating_history SELECT intent, given_at, score FROM gateway.rating;
GRANT SELECT ON gateway.rating_history TO mizan_service;
CREATE FUNCTION gateway.remember_rating() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO gateway.rating_history (intent, given_at, score) VALUES (NEW.intent, NEW.given_at, NEW.score)
  ON CONFLICT (intent, given_at) DO UPDATE SET score = excluded.score;
  RETURN NULL;
END $$;
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON gateway.rating
  FOR EACH ROW EXECUTE FUNCTION gateway.remember_rating();
CREATE INDEX rating_given ON gateway.rating (given_at);

-- Whom a service is for may change as well; a report of an earlier instant says whom it was for then. The column
-- belongs to the catalogue's own migration, so it is read by name.
CREATE TABLE gateway.service_audience (
  service  text COLLATE "C" NOT NULL,
  at       timestamptz NOT NULL,
  audience jsonb NOT NULL,
  PRIMARY KEY (service, at)
);
INSERT INTO gateway.service_audience SELECT code, updated_at, coalesce(to_jsonb(s) -> 'audience', '[]') FROM gateway.service s;
GRANT SELECT ON gateway.service_audience TO mizan_service;
CREATE FUNCTION gateway.remember_audience() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO gateway.service_audience (service, at, audience)
  VALUES (NEW.code, NEW.updated_at, coalesce(to_jsonb(NEW) -> 'audience', '[]'))
  ON CONFLICT (service, at) DO UPDATE SET audience = excluded.audience;
  RETURN NULL;
END $$;
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON gateway.service
  FOR EACH ROW EXECUTE FUNCTION gateway.remember_audience();

-- A department's own chart of accounts: what each of ours is called there. A mapping is a whole, put in place of the
-- one before; an export names the one it used.
CREATE TABLE reconciliation.account_mapping (
  department text COLLATE "C" NOT NULL,
  version    integer NOT NULL,
  made_at    timestamptz NOT NULL,
  maker      text NOT NULL,
  sha256     text COLLATE "C" NOT NULL,
  PRIMARY KEY (department, version)
);
CREATE TABLE reconciliation.account_mapping_line (
  department  text COLLATE "C" NOT NULL,
  version     integer NOT NULL,
  account     text COLLATE "C" NOT NULL,   -- ours; a segment `*` stands for any
  kind        text COLLATE "C" NOT NULL,   -- of journal; `*` for any
  theirs      text NOT NULL CHECK (length(theirs) > 0),
  cost_centre text NOT NULL,
  PRIMARY KEY (department, version, account, kind),
  FOREIGN KEY (department, version) REFERENCES reconciliation.account_mapping
);
GRANT SELECT, INSERT ON reconciliation.account_mapping, reconciliation.account_mapping_line TO mizan_service;
