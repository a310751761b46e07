-- Papers of a bank that were heard: which of them told us of payments, so that each is read for news once.
CREATE TABLE gateway.announcement (
  provider text COLLATE "C" NOT NULL,
  paper    text COLLATE "C" NOT NULL CHECK (length(paper) BETWEEN 1 AND 200),
  heard_at timestamptz NOT NULL,
  PRIMARY KEY (provider, paper)
);
CREATE INDEX announcement_heard ON gateway.announcement (heard_at);
GRANT SELECT, INSERT, DELETE ON gateway.announcement TO mizan_service;

-- The wall behind a reference that is derived instead of drawn: two payments can never wait for the same one.
CREATE UNIQUE INDEX attempt_transfer ON gateway.attempt (provider, provider_reference)
  WHERE method = 'bank_transfer' AND provider_reference IS NOT NULL;
