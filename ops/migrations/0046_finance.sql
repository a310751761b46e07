-- From a payment to its settlement line by keys: lines matched by the provider's reference are found by it, in the index
-- there is; the few matched otherwise have these. Neither takes an entry for a line that came as nearly all do.
CREATE INDEX settlement_line_by_our_reference ON reconciliation.settlement_line (item) WHERE rule = 'our_reference';
CREATE INDEX match_entry_item ON reconciliation.match_entry (item) WHERE leg = 'provider';

-- What waits for an account the bank refused is left out of a payout as what is not proven is; a refund of it waits as well.
ALTER TABLE reconciliation.payout_deferred
  DROP CONSTRAINT payout_deferred_amount_minor_check,
  ADD CONSTRAINT payout_deferred_amount_minor_check CHECK (amount_minor <> 0 AND (amount_minor > 0 OR item = ''));

-- Whether a provider takes its fees off each payment, or settles it whole and bills them: then nothing may be kept of one.
ALTER TABLE reconciliation.provider_contract
  ADD COLUMN settles text NOT NULL DEFAULT 'net' CHECK (settles IN ('net', 'gross'));
