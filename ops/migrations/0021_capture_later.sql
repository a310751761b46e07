-- Payments that are reserved first and captured when the department says so. Until then nothing is in the books.
ALTER TABLE gateway.intent
  ADD COLUMN capture_later    boolean NOT NULL DEFAULT false,
  ADD COLUMN authorised_minor bigint CHECK (authorised_minor >= amount_minor),
  ADD COLUMN capture_asked_at timestamptz,
  ADD CHECK (capture_later OR authorised_minor IS NULL),
  ADD CHECK (authorised_minor IS NOT NULL OR capture_asked_at IS NULL),
  DROP CONSTRAINT intent_status_check,
  ADD CONSTRAINT intent_status_check CHECK (
    status IN ('requires_payment', 'processing', 'requires_capture', 'paid', 'cancelled', 'expired')),
  ADD CHECK (status <> 'requires_capture' OR (authorised_minor IS NOT NULL AND capture_asked_at IS NULL));

-- A reservation ends as a link does: by a deadline.
DROP INDEX gateway.intent_closing;
CREATE INDEX intent_closing ON gateway.intent (department, next_close_at)
  WHERE status IN ('requires_payment', 'processing', 'requires_capture');

-- A part is captured: what is not taken leaves the lines, so that books, receipts and refunds know one amount.
GRANT UPDATE (amount_minor, vat_minor) ON gateway.intent_line TO mizan_service;
