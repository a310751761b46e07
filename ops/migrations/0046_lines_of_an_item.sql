-- From a payment to its settlement line by keys: lines matched by the provider's reference are found by it, in the index
-- there is; the few matched otherwise have these. Neither takes an entry for a line that came as nearly all do.
CREATE INDEX settlement_line_by_our_reference ON reconciliation.settlement_line (item) WHERE rule = 'our_reference';
CREATE INDEX match_entry_item ON reconciliation.match_entry (item) WHERE leg = 'provider';
