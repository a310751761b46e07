-- Which provider takes a payment: the routing table, providers out of service, and circuits that are not closed.

-- Each change of the routing is a new version of the whole table. Nothing is edited, so who changed it, when and to
-- what stays readable; the highest version is in force.
CREATE TABLE gateway.routing (
  version integer PRIMARY KEY CHECK (version > 0),
  rules   jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'array'),
  made_by text NOT NULL CHECK (length(made_by) BETWEEN 1 AND 100),
  made_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON gateway.routing TO mizan_service;

-- A provider that is drained gets no new payments; what it was given before is still followed to its end.
CREATE TABLE gateway.provider_drain (
  provider   text COLLATE "C" PRIMARY KEY,
  drained    boolean NOT NULL,
  until      timestamptz,                    -- NULL: until somebody resumes it
  changed_by text NOT NULL CHECK (length(changed_by) BETWEEN 1 AND 100),
  changed_at timestamptz NOT NULL,
  CHECK (drained OR until IS NULL)
);
GRANT SELECT, INSERT, UPDATE ON gateway.provider_drain TO mizan_service;

-- One row an operation of a provider that has ever failed; see gateway/domain/circuit.py. All processes share it:
-- what one has learnt the hard way the others need not learn again, and only one of them probes.
CREATE TABLE gateway.circuit (
  provider    text COLLATE "C" NOT NULL,
  operation   text COLLATE "C" NOT NULL,
  failures    integer NOT NULL CHECK (failures >= 0),
  failed_at   timestamptz,
  openings    integer NOT NULL CHECK (openings >= 0),
  retry_at    timestamptz,
  probe_until timestamptz,
  changed_at  timestamptz NOT NULL,
  PRIMARY KEY (provider, operation),
  CHECK (probe_until IS NULL OR retry_at IS NOT NULL)
);
GRANT SELECT, INSERT, UPDATE ON gateway.circuit TO mizan_service;
