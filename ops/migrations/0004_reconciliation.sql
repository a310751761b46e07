-- The night: files and statements as they came, what they were matched to, breaks, payees, payouts.
-- Evidence (lines, entries, matches, history) is only ever added to; the service may not change or remove it.
CREATE SCHEMA reconciliation;
GRANT USAGE ON SCHEMA reconciliation TO mizan_service;

-- One runner at a time. Every transaction of a night locks its row and compares the fence, so a runner that lost
-- the lease cannot commit another step.
CREATE TABLE reconciliation.lease (
  name       text COLLATE "C" PRIMARY KEY,
  holder     text NOT NULL,
  fence      bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON reconciliation.lease TO mizan_service;

CREATE TABLE reconciliation.run (
  business_date date PRIMARY KEY,
  status        text NOT NULL CHECK (status IN ('running', 'partial', 'done', 'failed')),  -- running -> any; any -> running
  fence         bigint NOT NULL,
  times_started integer NOT NULL DEFAULT 1,
  started_at    timestamptz NOT NULL,
  finished_at   timestamptz
);
CREATE TABLE reconciliation.run_step (
  business_date date NOT NULL REFERENCES reconciliation.run,
  step          text NOT NULL CHECK (step IN ('settlements', 'statements', 'match', 'breaks', 'payouts', 'confirm')),
  status        text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
  fence         bigint NOT NULL,
  started_at    timestamptz NOT NULL,
  finished_at   timestamptz,
  counts        jsonb NOT NULL DEFAULT '{}',
  error         text,
  PRIMARY KEY (business_date, step)
);
GRANT SELECT, INSERT, UPDATE ON reconciliation.run, reconciliation.run_step TO mizan_service;

-- Holidays move at short notice: a row here wins over the calendar package.
CREATE TABLE reconciliation.holiday (
  country text COLLATE "C" NOT NULL,
  day     date NOT NULL,
  worked  boolean NOT NULL,
  name_en text NOT NULL DEFAULT '',
  name_ar text NOT NULL DEFAULT '',
  PRIMARY KEY (country, day)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciliation.holiday TO mizan_service;

-- A provider's file. The same bytes are imported once; a batch is booked once; a refused file keeps its reason.
CREATE TABLE reconciliation.settlement_file (
  file_no              integer PRIMARY KEY,
  provider             text COLLATE "C" NOT NULL,
  name                 text NOT NULL,
  sha256               text COLLATE "C" NOT NULL,
  business_date        date NOT NULL,
  batch_reference      text COLLATE "C" NOT NULL,
  currency             char(3) NOT NULL,
  line_count           integer NOT NULL,
  total_net_minor      bigint NOT NULL,
  expected_credit_date date,
  status               text NOT NULL CHECK (status IN ('accepted', 'quarantined')),
  reason               text,
  imported_at          timestamptz NOT NULL,
  book_date            date NOT NULL,          -- the open day its postings belong to
  effective_at         timestamptz NOT NULL,
  late_for             date,                   -- the business date it belonged to, when that night was over
  last_line            integer NOT NULL DEFAULT 0,
  posted_through       integer NOT NULL DEFAULT 0,  -- moves with the postings, in their transaction
  fees_charged         boolean NOT NULL DEFAULT false,  -- to the departments whose contract says so
  CHECK ((status = 'quarantined') = (reason IS NOT NULL)),
  UNIQUE (provider, sha256)
);
CREATE UNIQUE INDEX settlement_file_batch ON reconciliation.settlement_file (provider, batch_reference, currency)
  WHERE status = 'accepted';
CREATE INDEX settlement_file_date ON reconciliation.settlement_file (provider, business_date);
GRANT SELECT, INSERT ON reconciliation.settlement_file TO mizan_service;
GRANT UPDATE (posted_through, fees_charged) ON reconciliation.settlement_file TO mizan_service;

-- No foreign key from lines to files: it would be checked a million times a night for rows that one transaction
-- writes together and nobody may delete.
CREATE TABLE reconciliation.settlement_line (
  file_no            integer NOT NULL,
  number             integer NOT NULL,
  kind               text NOT NULL,
  reference          text COLLATE "C",
  provider_reference text COLLATE "C",
  gross_minor        bigint NOT NULL,
  fee_minor          bigint NOT NULL,
  fee_vat_minor      bigint NOT NULL,
  net_minor          bigint NOT NULL,
  transaction_on     date,
  raw_kind           text NOT NULL DEFAULT '',
  PRIMARY KEY (file_no, number)
);
CREATE INDEX settlement_line_provider_reference ON reconciliation.settlement_line (provider_reference);
CREATE TABLE reconciliation.settlement_line_refused (
  file_no integer NOT NULL REFERENCES reconciliation.settlement_file,
  number  integer NOT NULL,
  reason  text NOT NULL,
  PRIMARY KEY (file_no, number)
);
GRANT SELECT, INSERT ON reconciliation.settlement_line, reconciliation.settlement_line_refused TO mizan_service;

-- A bank statement. One that does not follow its predecessor waits in quarantine and is proven again each night.
CREATE TABLE reconciliation.statement (
  statement_no   integer PRIMARY KEY,
  bank_account   text COLLATE "C" NOT NULL,
  account_iban   text COLLATE "C" NOT NULL,
  identifier     text COLLATE "C" NOT NULL,
  sequence       integer,
  currency       char(3) NOT NULL,
  opened_on      date NOT NULL,
  closed_on      date NOT NULL,
  opening_minor  bigint NOT NULL,
  closing_minor  bigint NOT NULL,
  entry_count    integer NOT NULL,
  file_name      text NOT NULL,
  sha256         text COLLATE "C" NOT NULL,
  status         text NOT NULL CHECK (status IN ('accepted', 'quarantined', 'refused')),
  reason         text,                               -- quarantined -> accepted when its predecessor has come
  imported_at    timestamptz NOT NULL,
  accepted_at    timestamptz,
  book_date      date NOT NULL,
  effective_at   timestamptz NOT NULL,
  late_for       date,
  posted_through integer NOT NULL DEFAULT 0,
  CHECK ((status = 'accepted') = (accepted_at IS NOT NULL)),
  CHECK (status = 'accepted' OR reason IS NOT NULL),
  UNIQUE (bank_account, sha256)
);
CREATE UNIQUE INDEX statement_identifier ON reconciliation.statement (bank_account, identifier)
  WHERE status <> 'refused';
GRANT SELECT, INSERT ON reconciliation.statement TO mizan_service;
GRANT UPDATE (status, reason, accepted_at, book_date, effective_at, late_for, posted_through)
  ON reconciliation.statement TO mizan_service;

CREATE TABLE reconciliation.statement_entry (
  statement_no     integer NOT NULL REFERENCES reconciliation.statement,
  number           integer NOT NULL,
  amount_minor     bigint NOT NULL,
  booked_on        date NOT NULL,
  value_on         date NOT NULL,
  bank_reference   text COLLATE "C",
  end_to_end_id    text COLLATE "C",
  batch_reference  text COLLATE "C",
  remittance       text NOT NULL,
  counterparty     text,
  counterparty_iban text COLLATE "C",
  code             text,
  returned         boolean NOT NULL,
  PRIMARY KEY (statement_no, number)
);
CREATE INDEX statement_entry_end_to_end ON reconciliation.statement_entry (end_to_end_id)
  WHERE end_to_end_id IS NOT NULL;
GRANT SELECT, INSERT ON reconciliation.statement_entry TO mizan_service;

-- What each line and entry was matched to, by which rule, how surely, with what left over. A later and better
-- match is another version; the highest version stands.
CREATE TABLE reconciliation.match (
  leg            text COLLATE "C" NOT NULL CHECK (leg IN ('provider', 'bank')),
  file_no        integer NOT NULL,   -- settlement_file.file_no, or statement.statement_no on the bank's leg
  line           integer NOT NULL,
  version        smallint NOT NULL DEFAULT 1,
  outcome        text NOT NULL,
  rule           text,
  account        text COLLATE "C" NOT NULL,  -- what the posting clears
  item           text COLLATE "C",
  payment        text COLLATE "C",
  expected_minor bigint,
  variance_minor bigint NOT NULL DEFAULT 0,
  score          smallint NOT NULL DEFAULT 0 CHECK (score BETWEEN 0 AND 100),
  PRIMARY KEY (leg, file_no, line, version)
);
GRANT SELECT, INSERT ON reconciliation.match TO mizan_service;

CREATE VIEW reconciliation.current_match AS
  SELECT m.* FROM reconciliation.match m
  WHERE NOT EXISTS (SELECT FROM reconciliation.match later
                    WHERE later.leg = m.leg AND later.file_no = m.file_no AND later.line = m.line
                      AND later.version > m.version);
GRANT SELECT ON reconciliation.current_match TO mizan_service;

-- A difference that is somebody's work. `subject` names what it is about, so that raising it again is nothing new.
-- A break about an open item of the ledger (account, item) is cured when that item closes.
CREATE TABLE reconciliation.break (
  id            text COLLATE "C" PRIMARY KEY,
  type          text COLLATE "C" NOT NULL,
  subject       text COLLATE "C" NOT NULL,
  status        text NOT NULL CHECK (status IN ('open', 'proposed', 'resolved', 'cured')),
  owner         text NOT NULL,
  provider      text COLLATE "C",
  department    text COLLATE "C",
  currency      char(3),
  amount_minor  bigint NOT NULL DEFAULT 0,
  account       text COLLATE "C",
  item          text COLLATE "C",
  leg           text COLLATE "C",
  file_no       integer,
  line          integer,
  business_date date NOT NULL,
  raised_at     timestamptz NOT NULL,
  closed_at     timestamptz,
  detail        jsonb NOT NULL DEFAULT '{}',
  CHECK ((status IN ('resolved', 'cured')) = (closed_at IS NOT NULL)),
  CHECK (status <> 'cured' OR account IS NULL OR item IS NOT NULL)
);
CREATE UNIQUE INDEX break_subject ON reconciliation.break (type, subject) WHERE status <> 'cured';
CREATE INDEX break_open ON reconciliation.break (business_date) WHERE closed_at IS NULL;
CREATE INDEX break_item ON reconciliation.break (item, account) WHERE closed_at IS NULL;
GRANT SELECT, INSERT ON reconciliation.break TO mizan_service;
GRANT UPDATE (status, owner, amount_minor, closed_at) ON reconciliation.break TO mizan_service;

CREATE TABLE reconciliation.break_event (
  break_id text COLLATE "C" NOT NULL REFERENCES reconciliation.break,
  at       timestamptz NOT NULL,
  sequence integer NOT NULL,
  actor    text NOT NULL,
  action   text NOT NULL,
  note     text NOT NULL DEFAULT '',
  PRIMARY KEY (break_id, sequence)
);
GRANT SELECT, INSERT ON reconciliation.break_event TO mizan_service;

-- A resolution is prepared by one person and decided by another.
CREATE TABLE reconciliation.resolution (
  id           text COLLATE "C" PRIMARY KEY,
  break_id     text COLLATE "C" NOT NULL REFERENCES reconciliation.break,
  action       text NOT NULL,
  reason       text NOT NULL CHECK (length(reason) > 0),
  account      text COLLATE "C",       -- what a match by hand clears
  item         text COLLATE "C",
  amount_minor bigint,
  maker        text NOT NULL,
  made_at      timestamptz NOT NULL,
  checker      text,
  checked_at   timestamptz,
  decision     text CHECK (decision IN ('approved', 'refused')),
  CONSTRAINT resolution_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL))
);
CREATE UNIQUE INDEX resolution_pending ON reconciliation.resolution (break_id) WHERE decision IS NULL;
GRANT SELECT, INSERT ON reconciliation.resolution TO mizan_service;
GRANT UPDATE (checker, checked_at, decision) ON reconciliation.resolution TO mizan_service;

-- Where each department is paid. A row exists only by a change that two people made and whose waiting time is over.
CREATE TABLE reconciliation.payee_change (
  id             text COLLATE "C" PRIMARY KEY,
  department     text COLLATE "C" NOT NULL,
  currency       char(3) NOT NULL,
  legal_name     text NOT NULL CHECK (legal_name ~ '^[A-Za-z0-9 /?:().,''+&-]{1,70}$'),
  iban           text COLLATE "C" NOT NULL CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$'),
  bic            text COLLATE "C" CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'),
  purpose        text COLLATE "C" NOT NULL CHECK (purpose ~ '^[A-Z]{3}$'),
  proof          text NOT NULL CHECK (proof IN ('captured', 'settled', 'banked')),
  schedule       text NOT NULL CHECK (schedule IN ('daily', 'weekly', 'threshold')),
  weekday        smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  minimum_minor  bigint NOT NULL CHECK (minimum_minor >= 1),
  holdback_minor bigint NOT NULL CHECK (holdback_minor >= 0),
  fee_bearer     text NOT NULL CHECK (fee_bearer IN ('treasury', 'department')),
  reason         text NOT NULL,
  maker          text NOT NULL,
  made_at        timestamptz NOT NULL,
  checker        text,
  checked_at     timestamptz,
  effective_at   timestamptz,            -- checked_at and the cooling-off time
  decision       text CHECK (decision IN ('approved', 'refused')),
  applied_at     timestamptz,
  CONSTRAINT payee_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NOT DISTINCT FROM 'approved') = (effective_at IS NOT NULL)),
  CHECK (applied_at >= effective_at)
);
CREATE UNIQUE INDEX payee_change_pending ON reconciliation.payee_change (department, currency)
  WHERE decision IS NULL OR (decision = 'approved' AND applied_at IS NULL);
GRANT SELECT, INSERT ON reconciliation.payee_change TO mizan_service;
GRANT UPDATE (checker, checked_at, effective_at, decision, applied_at) ON reconciliation.payee_change TO mizan_service;

CREATE TABLE reconciliation.payee (
  department     text COLLATE "C" NOT NULL,
  currency       char(3) NOT NULL,
  change_id      text COLLATE "C" NOT NULL REFERENCES reconciliation.payee_change,
  legal_name     text NOT NULL,
  iban           text COLLATE "C" NOT NULL,
  bic            text COLLATE "C",
  purpose        text COLLATE "C" NOT NULL,
  proof          text NOT NULL,
  schedule       text NOT NULL,
  weekday        smallint NOT NULL,
  minimum_minor  bigint NOT NULL,
  holdback_minor bigint NOT NULL,
  fee_bearer     text NOT NULL,
  PRIMARY KEY (department, currency)
);
GRANT SELECT, INSERT, UPDATE ON reconciliation.payee TO mizan_service;

CREATE FUNCTION reconciliation.payee_follows_its_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM reconciliation.payee_change c
    WHERE c.id = NEW.change_id AND c.decision = 'approved' AND c.applied_at IS NOT NULL
      AND (c.department, c.currency, c.legal_name, c.iban, c.purpose, c.proof, c.schedule, c.weekday,
           c.minimum_minor, c.holdback_minor, c.fee_bearer)
        = (NEW.department, NEW.currency, NEW.legal_name, NEW.iban, NEW.purpose, NEW.proof, NEW.schedule, NEW.weekday,
           NEW.minimum_minor, NEW.holdback_minor, NEW.fee_bearer)
      AND c.bic IS NOT DISTINCT FROM NEW.bic
  ) THEN
    RAISE EXCEPTION 'bank details of % change only by an approved change of two people', NEW.department
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payee_follows_its_change';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payee_follows_its_change BEFORE INSERT OR UPDATE ON reconciliation.payee
  FOR EACH ROW EXECUTE FUNCTION reconciliation.payee_follows_its_change();

-- One payout file a business date and currency. Its content is fixed when it is drafted; `id` is the message id.
-- draft -> submitted -> approved -> released -> sent | unknown -> accepted | rejected -> confirmed
CREATE TABLE reconciliation.payout_batch (
  id             text COLLATE "C" PRIMARY KEY CHECK (length(id) <= 35),
  business_date  date NOT NULL,
  currency       char(3) NOT NULL,
  bank_account   text COLLATE "C" NOT NULL,
  debtor_name    text NOT NULL,
  debtor_iban    text COLLATE "C" NOT NULL,
  debtor_bic     text COLLATE "C",
  execution_date date NOT NULL,
  line_count     integer NOT NULL CHECK (line_count > 0),
  total_minor    bigint NOT NULL CHECK (total_minor > 0),
  content_sha256 text COLLATE "C" NOT NULL,
  status         text NOT NULL CHECK (status IN ('draft', 'submitted', 'approved', 'refused', 'released', 'unknown', 'sent',
                                                 'accepted', 'rejected', 'confirmed')),
  maker          text NOT NULL,
  made_at        timestamptz NOT NULL,
  submitted_at   timestamptz,
  checker        text,
  checked_at     timestamptz,
  auto_approve_limit_minor bigint NOT NULL DEFAULT 0,
  released_at    timestamptz,
  book_date      date,
  sends          integer NOT NULL DEFAULT 0,
  answered_at    timestamptz,
  reason         text NOT NULL DEFAULT '',
  CONSTRAINT payout_maker_is_not_checker CHECK (checker <> maker),
  CONSTRAINT payout_policy_has_a_limit CHECK (checker <> 'policy' OR total_minor <= auto_approve_limit_minor),
  CONSTRAINT payout_is_approved_before_release CHECK (status IN ('draft', 'submitted') OR checker IS NOT NULL),
  CHECK ((status IN ('draft', 'submitted', 'approved', 'refused')) = (released_at IS NULL)),
  CHECK ((released_at IS NULL) = (book_date IS NULL))
);
CREATE UNIQUE INDEX payout_batch_of_the_day ON reconciliation.payout_batch (business_date, currency)
  WHERE status <> 'refused';
GRANT SELECT, INSERT ON reconciliation.payout_batch TO mizan_service;
GRANT UPDATE (status, submitted_at, checker, checked_at, released_at, book_date, sends, answered_at, reason)
  ON reconciliation.payout_batch TO mizan_service;

-- draft -> released -> accepted | rejected -> paid | returned; `withdrawn` when the money was gone before release.
CREATE TABLE reconciliation.payout_line (
  id              text COLLATE "C" PRIMARY KEY CHECK (length(id) <= 35),
  batch_id        text COLLATE "C" NOT NULL REFERENCES reconciliation.payout_batch,
  department      text COLLATE "C" NOT NULL,
  creditor_name   text NOT NULL,
  creditor_iban   text COLLATE "C" NOT NULL,
  creditor_bic    text COLLATE "C",
  purpose         text COLLATE "C" NOT NULL,
  amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
  remittance      text NOT NULL,
  payable_minor   bigint NOT NULL,
  unproven_minor  bigint NOT NULL,
  holdback_minor  bigint NOT NULL,
  previous_line   text COLLATE "C",      -- the department's last payout: what lies between the two is in this one
  journal_through bigint NOT NULL,       -- the last journal looked at
  status          text NOT NULL CHECK (status IN ('draft', 'released', 'accepted', 'rejected', 'paid', 'returned')),
  journal_id      bigint,
  paid_on         date,
  reason          text NOT NULL DEFAULT '',
  UNIQUE (batch_id, department)
);
CREATE INDEX payout_line_department ON reconciliation.payout_line (department, journal_through);
GRANT SELECT, INSERT ON reconciliation.payout_line TO mizan_service;
GRANT UPDATE (status, journal_id, paid_on, reason) ON reconciliation.payout_line TO mizan_service;

-- What was owed and not yet proven when a payout was computed. A line pays everything between it and the line
-- before, plus what that one deferred, less what this one defers: the way back from a payout to its payments.
CREATE TABLE reconciliation.payout_deferred (
  line_id      text COLLATE "C" NOT NULL REFERENCES reconciliation.payout_line,
  journal_id   bigint NOT NULL,
  item         text COLLATE "C" NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  PRIMARY KEY (line_id, journal_id, item)
);
GRANT SELECT, INSERT ON reconciliation.payout_deferred TO mizan_service;

-- Who decided what, before and after.
CREATE TABLE reconciliation.audit (
  id      text COLLATE "C" PRIMARY KEY,
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  action  text NOT NULL,
  subject text COLLATE "C" NOT NULL,
  before  jsonb,
  after   jsonb
);
CREATE INDEX audit_subject ON reconciliation.audit (subject, at);
GRANT SELECT, INSERT ON reconciliation.audit TO mizan_service;
