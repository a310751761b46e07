-- What the payee's bank said when asked whether the account belongs to the name, before anybody approves it.
ALTER TABLE reconciliation.payee_change
  ADD COLUMN confirmation text
    CHECK (confirmation IN ('yes', 'partial', 'no', 'unknown_account', 'not_answered')),  -- null: there is nobody to ask
  ADD COLUMN confirmed_name text CHECK (length(confirmed_name) <= 140);                    -- as the bank shows it, masked
