-- Callers: OAuth 2.0 clients beside API keys, a rate of their own for either, and queues no department can fill alone.

-- A client proves who it is by signing (RFC 7523): we hold its public keys, or the address where it publishes them.
CREATE TABLE gateway.oauth_client (
  id                  text COLLATE "C" PRIMARY KEY,
  department          text COLLATE "C" NOT NULL REFERENCES gateway.department (code),
  label               text NOT NULL,
  scopes              text[] NOT NULL,
  jwks                jsonb,
  jwks_url            text,
  live                boolean NOT NULL,
  requests_per_minute integer CHECK (requests_per_minute > 0),  -- NULL: the installation's own limit
  created_at          timestamptz NOT NULL,
  updated_at          timestamptz NOT NULL,
  disabled_at         timestamptz,
  last_used_at        timestamptz,
  CHECK ((jwks IS NULL) <> (jwks_url IS NULL))
);
CREATE INDEX oauth_client_department ON gateway.oauth_client (department, id);

-- Assertions that were taken, until they would be too old anyway: each is good for one token.
CREATE TABLE gateway.client_assertion (
  client     text COLLATE "C" NOT NULL,
  jti_sha256 bytea NOT NULL CHECK (length(jti_sha256) = 32),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (client, jti_sha256)
);
CREATE INDEX client_assertion_expiry ON gateway.client_assertion (expires_at);

ALTER TABLE gateway.api_key
  ADD COLUMN requests_per_minute integer CHECK (requests_per_minute > 0),
  ADD COLUMN replaces text COLLATE "C";      -- the key this one was rotated from

-- The queue is taken from department by department, so that is how it is kept. It is short: this takes no time.
ALTER TABLE gateway.outbox DROP CONSTRAINT outbox_pkey, ADD PRIMARY KEY (department, event);

-- Due deliveries of one endpoint, so that each endpoint's turn is found without walking over another's backlog.
CREATE INDEX webhook_delivery_due ON gateway.webhook_delivery (endpoint, next_try_at) WHERE status = 'waiting';

GRANT SELECT, INSERT, UPDATE ON gateway.oauth_client TO mizan_service;
GRANT SELECT, INSERT, DELETE ON gateway.client_assertion TO mizan_service;
