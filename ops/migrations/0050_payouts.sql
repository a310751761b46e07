-- The dates for which what everybody is owed was computed, and the batch that came of it. A date that was left out,
-- because an earlier batch still waited, is made good for the departments paid on its weekday.
CREATE TABLE reconciliation.payout_draft (
  business_date date NOT NULL,
  currency      char(3) NOT NULL,
  batch_id      text COLLATE "C" REFERENCES reconciliation.payout_batch,
  drafted_at    timestamptz NOT NULL,
  PRIMARY KEY (business_date, currency)
);
GRANT SELECT, INSERT, UPDATE (batch_id, drafted_at) ON reconciliation.payout_draft TO mizan_service;
INSERT INTO reconciliation.payout_draft (business_date, currency, batch_id, drafted_at)
SELECT r.business_date, c.currency, p.id, coalesce(p.made_at, r.started_at)
FROM reconciliation.run r
CROSS JOIN (SELECT DISTINCT currency FROM reconciliation.payout_batch) c
LEFT JOIN reconciliation.payout_batch p
  ON p.business_date = r.business_date AND p.currency = c.currency AND p.status <> 'refused';

-- How often a remittance advice was put right: a line it called paid was refused or sent back by the bank since.
ALTER TABLE reconciliation.remittance ADD COLUMN corrections integer NOT NULL DEFAULT 0;
GRANT UPDATE (corrections) ON reconciliation.remittance TO mizan_service;
