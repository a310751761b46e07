-- Refunds above a department's limit wait for a second person; many refunds can be asked for at once.

ALTER TABLE gateway.department
  ADD COLUMN refund_limits jsonb NOT NULL DEFAULT '{}';  -- currency -> minor units one person may give back

ALTER TABLE gateway.refund DROP CONSTRAINT refund_status_check;
ALTER TABLE gateway.refund
  ADD CONSTRAINT refund_status_check
    CHECK (status IN ('awaiting_approval', 'requested', 'pending', 'unknown', 'succeeded', 'failed')),
  ADD COLUMN asked_by   text NOT NULL DEFAULT 'system',   -- the person, or the caller's key
  ADD COLUMN asked_with text COLLATE "C",                 -- the key or client that sent the request
  ADD COLUMN decided_by text,
  ADD COLUMN decided_at timestamptz,
  ADD COLUMN batch      text COLLATE "C",                 -- asked for together with others
  ADD CONSTRAINT refund_two_people CHECK (decided_by IS NULL OR lower(decided_by) <> lower(asked_by)),
  ADD CONSTRAINT refund_decision_whole CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
  ADD CONSTRAINT refund_waits_undecided CHECK (status <> 'awaiting_approval' OR decided_by IS NULL);
CREATE INDEX refund_awaiting ON gateway.refund (department, id) WHERE status = 'awaiting_approval';
CREATE INDEX refund_batch ON gateway.refund (batch, id) WHERE batch IS NOT NULL;
