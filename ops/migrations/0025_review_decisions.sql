-- What two people decide about an attempt that was put before a person: machines leave it alone until then.
CREATE TABLE gateway.review_decision (
  id         text COLLATE "C" PRIMARY KEY,
  attempt    text COLLATE "C" NOT NULL,
  review     text NOT NULL,               -- why it was put before a person
  outcome    text NOT NULL CHECK (outcome IN ('ask_again', 'refund', 'close')),
  reason     text NOT NULL CHECK (length(reason) > 0),
  maker      text NOT NULL,
  made_at    timestamptz NOT NULL,
  checker    text,
  checked_at timestamptz,
  decision   text CHECK (decision IN ('approved', 'refused')),
  CONSTRAINT review_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL))
);
CREATE UNIQUE INDEX review_decision_pending ON gateway.review_decision (attempt) WHERE decision IS NULL;
CREATE INDEX review_decision_attempt ON gateway.review_decision (attempt);
CREATE INDEX attempt_in_review ON gateway.attempt (id) WHERE review IS NOT NULL;
GRANT SELECT, INSERT ON gateway.review_decision TO mizan_service;
GRANT UPDATE (checker, checked_at, decision) ON gateway.review_decision TO mizan_service;
