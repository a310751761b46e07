-- Payments as departments and citizens see them. Money that moved is booked in the ledger, in the same transaction.
--
-- Identifiers come from the application and sort by time. Every instant is a parameter, never now(). Tables on the
-- hot path carry no foreign keys (they double the cost of an insert); the statements that write them write both
-- sides at once, and the nightly proofs look for orphans.
CREATE SCHEMA gateway;
GRANT USAGE ON SCHEMA gateway TO mizan_service;

-- The catalogue ---------------------------------------------------------------------------------------------------

CREATE TABLE gateway.department (
  code             text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  name_ar          text NOT NULL,
  name_en          text NOT NULL,
  return_origins   text[] NOT NULL,          -- scheme://host[:port]; a citizen is sent back to these only
  vat_registration text,
  fee_bearer       text NOT NULL CHECK (fee_bearer IN ('treasury', 'department', 'payer')),
  active           boolean NOT NULL,
  updated_at       timestamptz NOT NULL
);

CREATE TABLE gateway.service (
  code             text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  department       text COLLATE "C" NOT NULL REFERENCES gateway.department (code),
  name_ar          text NOT NULL,
  name_en          text NOT NULL,
  revenue_code     text NOT NULL,
  currency         char(3) NOT NULL,
  amount_minor     bigint CHECK (amount_minor BETWEEN 1 AND 1000000000000),  -- NULL: the department names it
  vat_basis_points integer NOT NULL CHECK (vat_basis_points BETWEEN 0 AND 10000),
  active           boolean NOT NULL,
  updated_at       timestamptz NOT NULL
);
CREATE INDEX service_department ON gateway.service (department, code);

-- Callers ---------------------------------------------------------------------------------------------------------

-- The key itself is shown once and never stored; 160 random bits need no salt and no slow hash.
CREATE TABLE gateway.api_key (
  id           text COLLATE "C" PRIMARY KEY,
  sha256       bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
  department   text COLLATE "C" NOT NULL REFERENCES gateway.department (code),
  label        text NOT NULL,
  scopes       text[] NOT NULL,
  live         boolean NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
CREATE INDEX api_key_department ON gateway.api_key (department, id);

-- One row a key a caller used on a route. The row, its effect and the stored answer commit together, so a crash
-- leaves all three or none; while that transaction is open, a second request waits for it and is told to come back.
CREATE TABLE gateway.idempotency (
  caller      text COLLATE "C" NOT NULL,     -- the department: keys of others are independent
  route       text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  body_sha256 bytea NOT NULL CHECK (length(body_sha256) = 32),
  resource    text COLLATE "C" NOT NULL,     -- what the first request made
  status      smallint NOT NULL,
  answer      bytea NOT NULL,                -- the first answer, without the checkout link, which is derived anew
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_expiry ON gateway.idempotency (expires_at);

-- Intents ---------------------------------------------------------------------------------------------------------

-- The checkout link is not stored: its token is the intent's id and a keyed hash of it (see services/links.py). A
-- copy of this table opens no payment page, a junk token never reaches the database, and a replayed request gets the
-- very link of the first answer.
CREATE TABLE gateway.intent (
  id             text COLLATE "C" PRIMARY KEY,
  department     text COLLATE "C" NOT NULL,
  reference      text NOT NULL CHECK (length(reference) BETWEEN 1 AND 100),
  amount_minor   bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000),
  currency       char(3) NOT NULL,
  status         text NOT NULL CHECK (status IN ('requires_payment', 'processing', 'paid', 'cancelled', 'expired')),
  late_payment   boolean NOT NULL,           -- money came after the end, or a second time; it waits in suspense
  language       text NOT NULL CHECK (language IN ('ar', 'en')),
  payer_email    text,
  payer_mobile   text,
  return_url     text,
  metadata       jsonb NOT NULL,
  live           boolean NOT NULL,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  next_close_at  timestamptz NOT NULL,       -- when expiry is next tried; equals expires_at until a provider stalls it
  paid_at        timestamptz,
  paid_attempt   text COLLATE "C",
  receipt_number text COLLATE "C" UNIQUE,
  duplicate_of   text COLLATE "C",           -- the same bill had been paid through this intent before
  CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
  CHECK ((status = 'paid') = (paid_attempt IS NOT NULL)),
  CHECK ((status = 'paid') = (receipt_number IS NOT NULL))
);
CREATE INDEX intent_department ON gateway.intent (department, id);
CREATE INDEX intent_reference ON gateway.intent (department, reference, id);
CREATE INDEX intent_closing ON gateway.intent (next_close_at) WHERE status IN ('requires_payment', 'processing');

-- Names and amounts are copied from the catalogue: a receipt does not change when the catalogue does.
CREATE TABLE gateway.intent_line (
  intent       text COLLATE "C" NOT NULL,
  number       smallint NOT NULL CHECK (number BETWEEN 1 AND 100),
  department   text COLLATE "C" NOT NULL,
  service      text COLLATE "C",             -- NULL: a line the department worded itself
  name_ar      text NOT NULL,
  name_en      text NOT NULL,
  revenue_code text NOT NULL,
  quantity     integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
  amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000),
  vat_minor    bigint NOT NULL CHECK (vat_minor BETWEEN 0 AND amount_minor),
  PRIMARY KEY (intent, number)
);

-- Receipt numbers run without a gap per department and year. The number is taken in the transaction that marks the
-- intent paid; a sequence would leave gaps at every rollback.
CREATE TABLE gateway.receipt_counter (
  department text COLLATE "C" NOT NULL,
  year       smallint NOT NULL,
  last       integer NOT NULL CHECK (last > 0),
  PRIMARY KEY (department, year)
);

-- Attempts --------------------------------------------------------------------------------------------------------

-- starting -> pending | unknown | succeeded | declined | voided; see gateway/domain/attempt.py for the whole table.
CREATE TABLE gateway.attempt (
  id                 text COLLATE "C" PRIMARY KEY,  -- our reference and idempotency key at the provider
  intent             text COLLATE "C" NOT NULL,
  provider           text COLLATE "C" NOT NULL,
  method             text NOT NULL,
  status             text NOT NULL CHECK (status IN ('starting', 'pending', 'unknown', 'succeeded', 'declined', 'voided')),
  amount_minor       bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000),
  currency           char(3) NOT NULL,
  payer_email        text,
  payer_mobile       text,
  payer_bank         text,
  provider_reference text COLLATE "C",
  next_step          jsonb,
  decline            text,
  word               text NOT NULL,          -- the provider's own status, for people
  facts              jsonb NOT NULL,
  captured_minor     bigint CHECK (captured_minor BETWEEN 1 AND 1000000000000000),
  captured_currency  char(3),
  captured_at        timestamptz,
  late               boolean NOT NULL,       -- captured into suspense: the intent was over, or already paid
  resolution         text CHECK (resolution IN ('accepted', 'refunded')),  -- what became of late money
  review             text,                   -- why a person must look; such an attempt is no longer swept
  started_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  asked_at           timestamptz NOT NULL,   -- when the provider was last asked
  checks             integer NOT NULL,
  next_check_at      timestamptz NOT NULL,
  CHECK ((captured_minor IS NULL) = (captured_at IS NULL)),
  CHECK (status <> 'succeeded' OR captured_minor IS NOT NULL)
);
-- The wall behind "charged once": at most one attempt of an intent can still move money.
CREATE UNIQUE INDEX attempt_live ON gateway.attempt (intent) WHERE status IN ('starting', 'pending', 'unknown');
CREATE INDEX attempt_intent ON gateway.attempt (intent, id);
CREATE INDEX attempt_provider ON gateway.attempt (provider, provider_reference) WHERE provider_reference IS NOT NULL;
CREATE INDEX attempt_checks ON gateway.attempt (next_check_at)
  WHERE status IN ('starting', 'pending', 'unknown') AND review IS NULL;

-- Late money nobody has decided about yet.
CREATE INDEX attempt_undecided ON gateway.attempt (id) WHERE late AND resolution IS NULL;

-- What providers told us, once each. waiting -> applied | unmatched | given_up (to the sweep). A row is only ever applied together with its
-- effect, so a delivery that died half way is finished by the next.
CREATE TABLE gateway.inbox (
  provider           text COLLATE "C" NOT NULL,
  event              text COLLATE "C" NOT NULL,
  reference          text COLLATE "C",
  provider_reference text COLLATE "C",
  word               text NOT NULL,
  proven             bytea,                  -- the report, where the callback itself is proof; NULL: a hint to query
  status             text NOT NULL CHECK (status IN ('waiting', 'applied', 'unmatched', 'given_up')),
  tries              integer NOT NULL,
  next_try_at        timestamptz NOT NULL,
  received_at        timestamptz NOT NULL,
  PRIMARY KEY (provider, event)
);
CREATE INDEX inbox_waiting ON gateway.inbox (next_try_at) WHERE status = 'waiting';

-- Refunds ---------------------------------------------------------------------------------------------------------

-- requested -> pending | unknown | succeeded | failed; see gateway/domain/refund.py for the whole table.
CREATE TABLE gateway.refund (
  id                 text COLLATE "C" PRIMARY KEY,
  intent             text COLLATE "C" NOT NULL,
  attempt            text COLLATE "C" NOT NULL,
  department         text COLLATE "C" NOT NULL,
  provider           text COLLATE "C" NOT NULL,
  amount_minor       bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000),
  currency           char(3) NOT NULL,
  reason             text NOT NULL,
  status             text NOT NULL CHECK (status IN ('requested', 'pending', 'unknown', 'succeeded', 'failed')),
  late               boolean NOT NULL,       -- gives back money that waits in suspense; no department was owed it
  provider_reference text COLLATE "C",
  word               text NOT NULL,
  review             text,
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  booked_at          timestamptz,            -- when the journal was posted: the provider accepted it
  sent_at            timestamptz,            -- set and committed before the provider is called
  checks             integer NOT NULL,
  next_check_at      timestamptz NOT NULL
);
CREATE INDEX refund_intent ON gateway.refund (intent, id);
CREATE INDEX refund_department ON gateway.refund (department, id);
CREATE INDEX refund_checks ON gateway.refund (next_check_at)
  WHERE status IN ('requested', 'pending', 'unknown') AND review IS NULL;

CREATE TABLE gateway.refund_line (
  refund       text COLLATE "C" NOT NULL,
  number       smallint NOT NULL,            -- the intent's line
  department   text COLLATE "C" NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000),
  vat_minor    bigint NOT NULL CHECK (vat_minor BETWEEN 0 AND amount_minor),
  PRIMARY KEY (refund, number)
);

-- Telling departments and payers --------------------------------------------------------------------------------

-- Every change of state, for ever; the feed departments read and the payload webhooks carry.
CREATE TABLE gateway.event (
  id         text COLLATE "C" PRIMARY KEY,
  department text COLLATE "C" NOT NULL,
  type       text COLLATE "C" NOT NULL,
  object     text COLLATE "C" NOT NULL,      -- the intent or refund it is about
  data       jsonb NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX event_department ON gateway.event (department, id);
CREATE INDEX event_object ON gateway.event (object, id);

-- Events nobody has looked up endpoints for yet. A queue: rows leave it.
CREATE TABLE gateway.outbox (
  event      text COLLATE "C" PRIMARY KEY,
  department text COLLATE "C" NOT NULL
);

CREATE TABLE gateway.webhook_endpoint (
  id                 text COLLATE "C" PRIMARY KEY,
  department         text COLLATE "C" NOT NULL REFERENCES gateway.department (code),
  url                text NOT NULL,
  secret             bytea NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
  previous_secret    bytea,
  previous_until     timestamptz,            -- until then both secrets sign
  disabled_at        timestamptz,
  disabled_because   text,
  created_at         timestamptz NOT NULL,
  CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);
CREATE INDEX webhook_endpoint_department ON gateway.webhook_endpoint (department, id);

-- waiting -> delivered | dead. next_try_at is also the lease of whoever is delivering.
CREATE TABLE gateway.webhook_delivery (
  endpoint     text COLLATE "C" NOT NULL,
  event        text COLLATE "C" NOT NULL,
  object       text COLLATE "C" NOT NULL,
  status       text NOT NULL CHECK (status IN ('waiting', 'delivered', 'dead')),
  tries        integer NOT NULL,
  next_try_at  timestamptz NOT NULL,
  first_try_at timestamptz,
  delivered_at timestamptz,
  answer       text NOT NULL,                -- the last answer: an HTTP status or why there was none
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (endpoint, event)
);
CREATE INDEX webhook_delivery_waiting ON gateway.webhook_delivery (next_try_at) WHERE status = 'waiting';
CREATE INDEX webhook_delivery_object ON gateway.webhook_delivery (endpoint, object, event) WHERE status = 'waiting';

-- waiting -> sent | dead. One message of a kind per subject and channel, whatever happens how often.
CREATE TABLE gateway.message (
  id          text COLLATE "C" PRIMARY KEY,
  subject     text COLLATE "C" NOT NULL,     -- the intent or refund it is about
  kind        text COLLATE "C" NOT NULL,
  channel     text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'sms')),
  recipient   text NOT NULL,
  language    text NOT NULL CHECK (language IN ('ar', 'en')),
  status      text NOT NULL CHECK (status IN ('waiting', 'sent', 'dead')),
  tries       integer NOT NULL,
  next_try_at timestamptz NOT NULL,
  created_at  timestamptz NOT NULL,
  sent_at     timestamptz,
  carrier_reference text COLLATE "C",        -- the carrier's own, where it reports back
  delivery    text,                          -- its last word: DELIVRD, UNDELIV, EXPIRED …
  delivery_at timestamptz,
  UNIQUE (subject, kind, channel)
);
CREATE INDEX message_carrier ON gateway.message (carrier_reference) WHERE carrier_reference IS NOT NULL;
CREATE INDEX message_waiting ON gateway.message (next_try_at) WHERE status = 'waiting';

-- How paying went, if the payer says so: one tap, no text, nothing about the person.
CREATE TABLE gateway.rating (
  intent   text COLLATE "C" PRIMARY KEY,
  score    smallint NOT NULL CHECK (score BETWEEN 1 AND 5),
  given_at timestamptz NOT NULL
);

-- What the service may do ----------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE ON
  gateway.department, gateway.service, gateway.api_key, gateway.intent, gateway.receipt_counter, gateway.attempt,
  gateway.inbox, gateway.refund, gateway.webhook_endpoint, gateway.webhook_delivery, gateway.message,
  gateway.rating
  TO mizan_service;
GRANT SELECT, INSERT ON gateway.intent_line, gateway.refund_line, gateway.event TO mizan_service;
GRANT SELECT, INSERT, DELETE ON gateway.idempotency, gateway.outbox TO mizan_service;
