-- How much more or less than our books expected a provider may settle before it is somebody's work; by contract.
-- The wider of the absolute (minor units of the contract's currency) and the share counts, each side for itself.
ALTER TABLE reconciliation.provider_contract
  ADD COLUMN tolerance_above_minor        bigint  NOT NULL DEFAULT 0 CHECK (tolerance_above_minor >= 0),
  ADD COLUMN tolerance_below_minor        bigint  NOT NULL DEFAULT 0 CHECK (tolerance_below_minor >= 0),
  ADD COLUMN tolerance_above_basis_points integer NOT NULL DEFAULT 0
    CHECK (tolerance_above_basis_points BETWEEN 0 AND 10000),
  ADD COLUMN tolerance_below_basis_points integer NOT NULL DEFAULT 0
    CHECK (tolerance_below_basis_points BETWEEN 0 AND 10000);
