-- How far the departments were told what the books say: settlements, disputes and payouts are journals of the night.
-- What was booked before this is old news to everybody, and stays unannounced.
CREATE TABLE gateway.told_journal (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  journal_id bigint NOT NULL CHECK (journal_id >= 0)
);
INSERT INTO gateway.told_journal (journal_id) SELECT journal_id FROM ledger.head;
GRANT SELECT, UPDATE (journal_id) ON gateway.told_journal TO mizan_service;

-- Closing intents and sending refunds take the departments in turn: each gives its own oldest, found by its own index.
DROP INDEX gateway.intent_closing;
CREATE INDEX intent_closing ON gateway.intent (department, next_close_at)
  WHERE status IN ('requires_payment', 'processing');
DROP INDEX gateway.refund_checks;
CREATE INDEX refund_checks ON gateway.refund (department, next_check_at)
  WHERE status IN ('requested', 'pending', 'unknown') AND review IS NULL;
