-- Messages beyond the receipt: reminders before expiry, the answer to whoever was told to wait, and sending again.

ALTER TABLE gateway.department
  ADD COLUMN reminder_minutes integer CHECK (reminder_minutes BETWEEN 5 AND 43200);  -- NULL: no reminders

-- needless: when its time came there was nothing to tell any more, such as a reminder of what is paid.
ALTER TABLE gateway.message DROP CONSTRAINT message_status_check;
ALTER TABLE gateway.message ADD CONSTRAINT message_status_check
  CHECK (status IN ('waiting', 'sent', 'dead', 'needless'));

-- Sent again on request: the mail server must not take the copy for the letter it has already delivered.
ALTER TABLE gateway.message ADD COLUMN copy_number integer NOT NULL DEFAULT 0;

-- Every channel is worked off by itself, so that a mail server that hangs holds up no text.
DROP INDEX gateway.message_waiting;
CREATE INDEX message_waiting ON gateway.message (channel, next_try_at) WHERE status = 'waiting';
CREATE INDEX message_dead ON gateway.message (created_at) WHERE status = 'dead';

-- Payers who left a page that said "we will tell you": they are owed a word also when the answer is no.
CREATE TABLE gateway.promise (
  attempt text COLLATE "C" PRIMARY KEY,
  made_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON gateway.promise TO mizan_service;
