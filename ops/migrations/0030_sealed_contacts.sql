-- Payers' contacts and the recipients of messages are sealed by the service. What was written in clear before stays
-- readable, and is sealed by its housekeeping, which walks through the rows in the order of their ids.
ALTER TABLE gateway.intent ADD COLUMN contact bytea;
ALTER TABLE gateway.attempt ADD COLUMN contact bytea;
ALTER TABLE gateway.message
  ADD COLUMN sealed_recipient bytea,
  ALTER COLUMN recipient DROP NOT NULL,
  ADD CONSTRAINT message_has_recipient CHECK ((recipient IS NULL) <> (sealed_recipient IS NULL));

-- How far that walk has come: everything up to `reached` is sealed under the key whose mark is `head`.
CREATE TABLE gateway.sealing_walk (
  relation text  COLLATE "C" PRIMARY KEY CHECK (relation IN ('intent', 'attempt', 'message')),
  head     bytea NOT NULL,
  reached  text  COLLATE "C" NOT NULL
);
INSERT INTO gateway.sealing_walk SELECT relation, '', '' FROM unnest(ARRAY['intent', 'attempt', 'message']) AS r (relation);
GRANT SELECT, UPDATE ON gateway.sealing_walk TO mizan_service;
