-- What each provider's contract says, as versions with the day each begins; changed by two people.
-- `provider` is a name and no more: adapters have no table.
CREATE TABLE reconciliation.provider_contract (
  id                  text COLLATE "C" PRIMARY KEY,
  provider            text COLLATE "C" NOT NULL CHECK (provider ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  begins_on           date NOT NULL,
  file_days           smallint NOT NULL CHECK (file_days BETWEEN 0 AND 90),        -- working days until its file
  settlement_days     smallint NOT NULL CHECK (settlement_days BETWEEN 0 AND 90),  -- until a payment is in one
  credit_days         smallint NOT NULL CHECK (credit_days BETWEEN 0 AND 90),      -- from its file to our bank
  -- Null where no fee is agreed: then none is held against the files.
  fee_basis_points    integer CHECK (fee_basis_points BETWEEN 0 AND 10000),
  fee_fixed_minor     bigint NOT NULL DEFAULT 0 CHECK (fee_fixed_minor >= 0),      -- minor units of `currency`
  fee_vat_basis_points integer NOT NULL DEFAULT 500 CHECK (fee_vat_basis_points BETWEEN 0 AND 10000),
  fee_tolerance_minor bigint NOT NULL DEFAULT 1 CHECK (fee_tolerance_minor >= 0),  -- for rounding, in any currency
  currency            char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),            -- of the fixed amounts
  reason              text NOT NULL CHECK (btrim(reason) <> ''),
  maker               text NOT NULL CHECK (btrim(maker) <> ''),
  made_at             timestamptz NOT NULL,
  checker             text CHECK (btrim(checker) <> ''),
  checked_at          timestamptz,
  decision            text CHECK (decision IN ('approved', 'refused')),
  CONSTRAINT contract_maker_is_not_checker CHECK (lower(btrim(checker)) <> lower(btrim(maker))),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL)),
  CHECK (fee_basis_points IS NOT NULL OR fee_fixed_minor = 0)
);
CREATE UNIQUE INDEX provider_contract_pending ON reconciliation.provider_contract (provider) WHERE decision IS NULL;
CREATE INDEX provider_contract_in_force ON reconciliation.provider_contract (provider, begins_on, checked_at)
  WHERE decision = 'approved';
GRANT SELECT, INSERT ON reconciliation.provider_contract TO mizan_service;
GRANT UPDATE (checker, checked_at, decision) ON reconciliation.provider_contract TO mizan_service;

-- A decision is made once: the version of a contract that was in force on a day stays what it was.
CREATE FUNCTION reconciliation.contract_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'contract % is % already', OLD.id, OLD.decision
    USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_is_decided_once';
END $$;
CREATE TRIGGER contract_is_decided_once BEFORE UPDATE ON reconciliation.provider_contract
  FOR EACH ROW WHEN (OLD.decision IS NOT NULL) EXECUTE FUNCTION reconciliation.contract_is_decided_once();

-- A provider may keep days of its own; without a provider a row is everybody's.
ALTER TABLE reconciliation.holiday ADD COLUMN provider text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE reconciliation.holiday DROP CONSTRAINT holiday_pkey;
ALTER TABLE reconciliation.holiday ADD PRIMARY KEY (country, provider, day);
