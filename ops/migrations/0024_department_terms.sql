-- What a department's contract says beyond one account: an account for each revenue code, who bears a lost dispute,
-- where its remittance advice goes. All of it changes as bank details do: by two people, after a waiting time.

-- An empty revenue code is the department's own account, which takes whatever has no account of its own.
ALTER TABLE reconciliation.payee_change
  ADD COLUMN revenue_code text COLLATE "C" NOT NULL DEFAULT '' CHECK (revenue_code ~ '^[!-~]{0,40}$'),
  ADD COLUMN chargebacks_by_treasury boolean NOT NULL DEFAULT false,
  ADD COLUMN remittance_email text CHECK (remittance_email ~ '^[^@[:space:]<>]{1,64}@[^@[:space:]<>]{1,189}$');
ALTER TABLE reconciliation.payee
  ADD COLUMN revenue_code text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN chargebacks_by_treasury boolean NOT NULL DEFAULT false,
  ADD COLUMN remittance_email text;
ALTER TABLE reconciliation.payee DROP CONSTRAINT payee_pkey;
ALTER TABLE reconciliation.payee ADD PRIMARY KEY (department, currency, revenue_code);
DROP INDEX reconciliation.payee_change_pending;
CREATE UNIQUE INDEX payee_change_pending ON reconciliation.payee_change (department, currency, revenue_code)
  WHERE decision IS NULL OR (decision = 'approved' AND applied_at IS NULL);

CREATE OR REPLACE FUNCTION reconciliation.payee_follows_its_change() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- A department's payout is a line for each of its accounts. What one account had deferred is kept with the greatest
-- line of the department in its file, which is also the one that the next payout calls its previous line.
ALTER TABLE reconciliation.payout_line ADD COLUMN revenue_code text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE reconciliation.payout_line DROP CONSTRAINT payout_line_batch_id_department_key;
ALTER TABLE reconciliation.payout_line ADD UNIQUE (batch_id, department, revenue_code);

-- What of each journal went to an account of its own: the rest of it went to the department's.
CREATE TABLE reconciliation.payout_part (
  line_id      text COLLATE "C" NOT NULL REFERENCES reconciliation.payout_line,
  journal_id   bigint NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
  PRIMARY KEY (line_id, journal_id)
);
GRANT SELECT, INSERT ON reconciliation.payout_part TO mizan_service;

-- The advice of what a department is paid, owed from the moment the payout is released: waiting -> sent | dead.
CREATE TABLE reconciliation.remittance (
  batch_id    text COLLATE "C" NOT NULL REFERENCES reconciliation.payout_batch,
  department  text COLLATE "C" NOT NULL,
  recipient   text NOT NULL,
  status      text NOT NULL CHECK (status IN ('waiting', 'sent', 'dead')),
  tries       integer NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL,
  made_at     timestamptz NOT NULL,
  sent_at     timestamptz,
  error       text NOT NULL DEFAULT '',
  PRIMARY KEY (batch_id, department),
  CHECK ((status = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX remittance_waiting ON reconciliation.remittance (next_try_at) WHERE status = 'waiting';
GRANT SELECT, INSERT ON reconciliation.remittance TO mizan_service;
GRANT UPDATE (status, tries, next_try_at, sent_at, error) ON reconciliation.remittance TO mizan_service;
