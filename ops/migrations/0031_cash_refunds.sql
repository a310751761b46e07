-- A refund of cash waits until its citizen comes to a centre of the department; two people hand it out.
ALTER TABLE gateway.refund
  DROP CONSTRAINT refund_status_check,
  ADD CONSTRAINT refund_status_check CHECK (status IN (
    'awaiting_approval', 'awaiting_collection', 'requested', 'pending', 'unknown', 'succeeded', 'failed'));
CREATE INDEX refund_to_collect ON gateway.refund (updated_at) WHERE status = 'awaiting_collection';

CREATE TABLE gateway.cash_handout (
  refund     text COLLATE "C" PRIMARY KEY REFERENCES gateway.refund,
  shift      text COLLATE "C" NOT NULL REFERENCES gateway.shift,
  agent      text COLLATE "C" NOT NULL REFERENCES gateway.centre_agent,
  asked_at   timestamptz NOT NULL,
  checker    text COLLATE "C" REFERENCES gateway.centre_agent,
  checked_at timestamptz,
  CONSTRAINT cash_handout_two_people CHECK (checker <> agent),
  CHECK ((checker IS NULL) = (checked_at IS NULL))
);
CREATE INDEX cash_handout_waiting ON gateway.cash_handout (shift) WHERE checker IS NULL;
GRANT SELECT, INSERT, UPDATE (checker, checked_at), DELETE ON gateway.cash_handout TO mizan_service;
