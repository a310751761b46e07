-- How far the departments were told what the books say: settlements, disputes and payouts are journals of the night.
-- What was booked before this is old news to everybody, and stays unannounced.
CREATE TABLE gateway.told_journal (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  journal_id bigint NOT NULL CHECK (journal_id >= 0)
);
INSERT INTO gateway.told_journal (journal_id) SELECT journal_id FROM ledger.head;
GRANT SELECT, UPDATE (journal_id) ON gateway.told_journal TO mizan_service;
