-- The catalogue as citizens know it, bundles of several departments, and tariffs: what a service costs from which day,
-- by which law, proposed by one person and approved by another.

-- The catalogue ---------------------------------------------------------------------------------------------------

ALTER TABLE gateway.service
  ADD COLUMN description_ar text NOT NULL DEFAULT '',
  ADD COLUMN description_en text NOT NULL DEFAULT '',
  ADD COLUMN audience       text[] NOT NULL DEFAULT '{}'
    CHECK (audience <@ ARRAY['citizens', 'residents', 'business', 'visitors']),
  ADD COLUMN channels       text[] NOT NULL DEFAULT '{}'
    CHECK (channels <@ ARRAY['web', 'app', 'counter', 'kiosk', 'phone']),
  ADD COLUMN documents      jsonb NOT NULL DEFAULT '[]',      -- what an applicant brings: [{"ar": …, "en": …}]
  ADD COLUMN depends_on     text[] COLLATE "C" NOT NULL DEFAULT '{}';  -- services to be had first

-- Several services of several departments, paid at once. The owner alone may ask for it.
CREATE TABLE gateway.bundle (
  code           text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  department     text COLLATE "C" NOT NULL REFERENCES gateway.department (code),
  name_ar        text NOT NULL,
  name_en        text NOT NULL,
  description_ar text NOT NULL,
  description_en text NOT NULL,
  active         boolean NOT NULL,
  updated_at     timestamptz NOT NULL
);

CREATE TABLE gateway.bundle_item (
  bundle   text COLLATE "C" NOT NULL REFERENCES gateway.bundle (code),
  number   smallint NOT NULL CHECK (number BETWEEN 1 AND 50),
  service  text COLLATE "C" NOT NULL REFERENCES gateway.service (code),
  quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
  PRIMARY KEY (bundle, number),
  UNIQUE (bundle, service)
);

-- Tariffs ---------------------------------------------------------------------------------------------------------

-- A version is in force from its first instant until that of the next approved version: an end is written nowhere, so
-- versions cannot leave a gap, and overlap they could only by beginning on one day, which tariff_start refuses.
CREATE TABLE gateway.tariff (
  id           text COLLATE "C" PRIMARY KEY,
  service      text COLLATE "C" NOT NULL REFERENCES gateway.service (code),
  version      integer NOT NULL CHECK (version > 0),
  effective_on date NOT NULL,                -- the day the law names
  effective_at timestamptz NOT NULL,         -- its midnight in the government's time zone, as it was when proposed
  terms        jsonb NOT NULL,               -- see gateway/domain/tariff.py
  legal_basis  text NOT NULL CHECK (btrim(legal_basis) <> ''),
  reason       text NOT NULL CHECK (btrim(reason) <> ''),
  maker        text NOT NULL CHECK (btrim(maker) <> ''),
  made_at      timestamptz NOT NULL,
  checker      text CHECK (btrim(checker) <> ''),
  checked_at   timestamptz CHECK (checked_at >= made_at),
  decision     text CHECK (decision IN ('approved', 'refused')),
  UNIQUE (service, version),
  CONSTRAINT tariff_maker_is_not_checker CHECK (lower(btrim(checker)) <> lower(btrim(maker))),
  CHECK ((decision IS NULL) = (checker IS NULL)),
  CHECK ((decision IS NULL) = (checked_at IS NULL))
);
CREATE UNIQUE INDEX tariff_start ON gateway.tariff (service, effective_at) WHERE decision = 'approved';
CREATE INDEX tariff_undecided ON gateway.tariff (id) WHERE decision IS NULL;

-- A decision is made once, and what was decided about never changes: receipts cite it.
CREATE FUNCTION gateway.tariff_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.decision IS NOT NULL
     OR (NEW.id, NEW.service, NEW.version, NEW.effective_on, NEW.effective_at, NEW.terms, NEW.legal_basis, NEW.reason,
         NEW.maker, NEW.made_at)
        IS DISTINCT FROM
        (OLD.id, OLD.service, OLD.version, OLD.effective_on, OLD.effective_at, OLD.terms, OLD.legal_basis, OLD.reason,
         OLD.maker, OLD.made_at) THEN
    RAISE EXCEPTION 'a tariff is decided once and never changed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tariff_is_decided_once BEFORE UPDATE OR DELETE ON gateway.tariff
  FOR EACH ROW EXECUTE FUNCTION gateway.tariff_is_decided_once();

-- People's decisions about the gateway's own matters; only ever added to.
CREATE TABLE gateway.audit (
  id      text COLLATE "C" PRIMARY KEY,
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  action  text NOT NULL,
  subject text COLLATE "C" NOT NULL,
  before  jsonb,
  after   jsonb
);
CREATE INDEX audit_subject ON gateway.audit (subject, at);

-- Lines -----------------------------------------------------------------------------------------------------------

ALTER TABLE gateway.intent ADD COLUMN bundle text COLLATE "C";

ALTER TABLE gateway.intent_line
  ADD COLUMN tariff         text COLLATE "C",          -- the version that priced it; it never changes afterwards
  ADD COLUMN base_minor     bigint CHECK (base_minor BETWEEN 1 AND 1000000000000),  -- what a percentage was taken of
  ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0 CHECK (discount_minor BETWEEN 0 AND 1000000000000),
  ADD COLUMN concession     text COLLATE "C",          -- the tariff's discount or waiver that was granted
  ADD COLUMN shared         boolean NOT NULL DEFAULT false,  -- a part of another department's intent
  DROP CONSTRAINT intent_line_amount_minor_check,
  -- A fee that is waived stays on the bill, at nothing.
  ADD CONSTRAINT intent_line_amount_minor_check CHECK (amount_minor BETWEEN 0 AND 1000000000000);

-- How a department finds its parts of others' bundles; lines of its own intents are not in it.
CREATE INDEX intent_line_shared ON gateway.intent_line (department, intent) WHERE shared;

GRANT SELECT, INSERT, UPDATE ON gateway.bundle TO mizan_service;
GRANT SELECT, INSERT, DELETE ON gateway.bundle_item TO mizan_service;
GRANT SELECT ON gateway.tariff TO mizan_service;
-- A tariff comes into the world undecided, and only its decision is ever written.
GRANT INSERT (id, service, version, effective_on, effective_at, terms, legal_basis, reason, maker, made_at)
  ON gateway.tariff TO mizan_service;
GRANT UPDATE (checker, checked_at, decision) ON gateway.tariff TO mizan_service;
GRANT SELECT, INSERT ON gateway.audit TO mizan_service;
