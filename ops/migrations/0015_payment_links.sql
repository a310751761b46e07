-- Payment links: an address a department prints, mails or draws as a square code; whoever opens it pays.

CREATE TABLE gateway.payment_link (
  id               text COLLATE "C" PRIMARY KEY,
  department       text COLLATE "C" NOT NULL REFERENCES gateway.department (code),
  reference        text NOT NULL,
  service          text COLLATE "C",
  name_ar          text NOT NULL,
  name_en          text NOT NULL,
  revenue_code     text NOT NULL,
  quantity         integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
  currency         char(3) NOT NULL,
  amount_minor     bigint CHECK (amount_minor BETWEEN 1 AND 1000000000000),      -- fixed; NULL: by tariff or by payer
  amount_min_minor bigint CHECK (amount_min_minor BETWEEN 1 AND 1000000000000),  -- the payer names the amount
  amount_max_minor bigint CHECK (amount_max_minor BETWEEN amount_min_minor AND 1000000000000),
  single_use       boolean NOT NULL,
  language         text NOT NULL CHECK (language IN ('ar', 'en')),
  return_url       text,
  metadata         jsonb NOT NULL,
  live             boolean NOT NULL,
  created_at       timestamptz NOT NULL,
  expires_at       timestamptz,
  disabled_at      timestamptz,
  CHECK ((amount_min_minor IS NULL) = (amount_max_minor IS NULL)),
  CHECK (amount_minor IS NULL OR amount_min_minor IS NULL)
);
CREATE INDEX payment_link_department ON gateway.payment_link (department, id);

-- The intents a link has made. Those of a link for one use are numbered: the last is the one that counts.
CREATE TABLE gateway.payment_link_use (
  link   text COLLATE "C" NOT NULL,
  intent text COLLATE "C" NOT NULL,
  number integer CHECK (number >= 1),
  PRIMARY KEY (link, intent),
  UNIQUE (link, number)
);

GRANT SELECT, INSERT, UPDATE ON gateway.payment_link TO mizan_service;
GRANT SELECT, INSERT ON gateway.payment_link_use TO mizan_service;
