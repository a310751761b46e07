-- Service centres: people who take money at a counter. An agent is a person with a credential of their own.
CREATE TABLE gateway.centre (
  code              text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9_-]{0,30}$'),
  department        text COLLATE "C" NOT NULL REFERENCES gateway.department,
  name_ar           text NOT NULL,
  name_en           text NOT NULL,
  terminal_provider text COLLATE "C",        -- whose card terminals stand there; NULL: cash only
  created_at        timestamptz NOT NULL
);
GRANT SELECT, INSERT ON gateway.centre TO mizan_service;

-- Proposed by one person and let in by another; until then there is no password and nobody can sign in.
CREATE TABLE gateway.centre_agent (
  code         text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9.-]{1,30}$'),
  centre       text COLLATE "C" NOT NULL REFERENCES gateway.centre,
  name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  role         text NOT NULL CHECK (role IN ('agent', 'supervisor')),
  password     text COLLATE "C",              -- scrypt, with its salt and cost
  failures     integer NOT NULL DEFAULT 0,
  locked_until timestamptz,
  maker        text NOT NULL,
  made_at      timestamptz NOT NULL,
  checker      text,
  checked_at   timestamptz,
  disabled_at  timestamptz,
  CONSTRAINT centre_agent_maker_is_not_checker CHECK (checker <> maker),
  CHECK ((checker IS NULL) = (checked_at IS NULL)),
  CHECK (password IS NULL OR checker IS NOT NULL)
);
GRANT SELECT, INSERT ON gateway.centre_agent TO mizan_service;
GRANT UPDATE (password, failures, locked_until, checker, checked_at, disabled_at) ON gateway.centre_agent TO mizan_service;

-- Who is signed in. The cookie's value is 256 random bits; only its hash is here.
CREATE TABLE gateway.centre_session (
  token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
  agent        text COLLATE "C" NOT NULL REFERENCES gateway.centre_agent,
  began_at     timestamptz NOT NULL,
  seen_at      timestamptz NOT NULL,
  ended_at     timestamptz
);
GRANT SELECT, INSERT ON gateway.centre_session TO mizan_service;
GRANT UPDATE (seen_at, ended_at) ON gateway.centre_session TO mizan_service;

-- open -> counted -> closed. Cash that is not what the books say closes by a second person only.
CREATE TABLE gateway.shift (
  id                text COLLATE "C" PRIMARY KEY,
  centre            text COLLATE "C" NOT NULL REFERENCES gateway.centre,
  agent             text COLLATE "C" NOT NULL REFERENCES gateway.centre_agent,
  currency          char(3) NOT NULL,
  float_minor       bigint NOT NULL CHECK (float_minor BETWEEN 0 AND 1000000000),
  opened_at         timestamptz NOT NULL,
  expected_minor    bigint CHECK (expected_minor >= 0),
  counted_minor     bigint CHECK (counted_minor >= 0),
  counted_at        timestamptz,
  deposit_reference text COLLATE "C",
  checker           text COLLATE "C" REFERENCES gateway.centre_agent,
  closed_at         timestamptz,
  CONSTRAINT shift_agent_is_not_checker CHECK (checker <> agent),
  CONSTRAINT shift_difference_takes_a_second_person
    CHECK (closed_at IS NULL OR counted_minor = expected_minor OR checker IS NOT NULL),
  CHECK ((counted_at IS NULL) = (counted_minor IS NULL)),
  CHECK ((counted_at IS NULL) = (expected_minor IS NULL)),
  CHECK (closed_at IS NULL OR counted_at IS NOT NULL)
);
CREATE UNIQUE INDEX shift_open ON gateway.shift (agent) WHERE counted_at IS NULL;
CREATE INDEX shift_waiting ON gateway.shift (centre, counted_at) WHERE counted_at IS NOT NULL AND closed_at IS NULL;
GRANT SELECT, INSERT ON gateway.shift TO mizan_service;
GRANT UPDATE (expected_minor, counted_minor, counted_at, deposit_reference, checker, closed_at) ON gateway.shift
  TO mizan_service;

-- What was taken at a counter, by whom. One slip of a terminal pays one bill.
CREATE TABLE gateway.counter_payment (
  attempt            text COLLATE "C" PRIMARY KEY REFERENCES gateway.attempt,
  shift              text COLLATE "C" NOT NULL REFERENCES gateway.shift,
  agent              text COLLATE "C" NOT NULL REFERENCES gateway.centre_agent,
  provider           text COLLATE "C" NOT NULL,
  terminal_reference text COLLATE "C",
  taken_at           timestamptz NOT NULL
);
CREATE INDEX counter_payment_shift ON gateway.counter_payment (shift);
CREATE UNIQUE INDEX counter_payment_slip ON gateway.counter_payment (provider, terminal_reference)
  WHERE terminal_reference IS NOT NULL;
GRANT SELECT, INSERT ON gateway.counter_payment TO mizan_service;

-- Whose identity card was shown: a keyed hash that finds it again, and its last digits for people.
CREATE TABLE gateway.counter_payer (
  intent      text COLLATE "C" PRIMARY KEY,
  id_digest   bytea NOT NULL CHECK (length(id_digest) = 32),
  id_ending   text COLLATE "C" NOT NULL CHECK (length(id_ending) = 4),
  agent       text COLLATE "C" NOT NULL REFERENCES gateway.centre_agent,
  recorded_at timestamptz NOT NULL
);
CREATE INDEX counter_payer_digest ON gateway.counter_payer (id_digest);
GRANT SELECT, INSERT ON gateway.counter_payer TO mizan_service;
