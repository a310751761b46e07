-- Money that comes straight to our own account: transfers recognised by a reference, with no provider's file between.

-- What a credit names and proves by check digits or by shape. Kept apart from the entry, because few entries have any
-- and a second transfer under the same reference must be found by it.
CREATE TABLE reconciliation.entry_reference (
  statement_no integer NOT NULL REFERENCES reconciliation.statement,
  number       integer NOT NULL,
  reference    text COLLATE "C" NOT NULL,
  PRIMARY KEY (statement_no, number, reference)
);
CREATE INDEX entry_reference_reference ON reconciliation.entry_reference (reference);
GRANT SELECT, INSERT ON reconciliation.entry_reference TO mizan_service;
