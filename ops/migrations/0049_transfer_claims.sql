-- A transfer that names no bill, given to one by two people. `credit` is the bank entry as finance knows it.
CREATE TABLE gateway.transfer_claim (
  id           text COLLATE "C" PRIMARY KEY,
  attempt      text COLLATE "C" NOT NULL,
  credit       text COLLATE "C" NOT NULL CHECK (length(credit) BETWEEN 1 AND 100),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency     char(3) NOT NULL,
  reason       text NOT NULL CHECK (length(reason) > 0),
  maker        text NOT NULL,
  made_at      timestamptz NOT NULL,
  checker      text,
  checked_at   timestamptz,
  decision     text CHECK (decision IN ('approved', 'refused')),
  CONSTRAINT transfer_claim_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL))
);
-- A bill is given one credit, and a credit pays a bill once.
CREATE UNIQUE INDEX transfer_claim_attempt ON gateway.transfer_claim (attempt) WHERE decision IS DISTINCT FROM 'refused';
CREATE INDEX transfer_claim_credit ON gateway.transfer_claim (credit);
GRANT SELECT, INSERT ON gateway.transfer_claim TO mizan_service;
GRANT UPDATE (checker, checked_at, decision) ON gateway.transfer_claim TO mizan_service;
