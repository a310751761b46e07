-- What an intent asked for before its payer's bank reserved it: a reservation that dies gives it back, whatever part of
-- it was to be captured. `letting_go_at` says that its void is under way, so that no capture is accepted meanwhile.
CREATE TABLE gateway.reservation (
  intent         text COLLATE "C" PRIMARY KEY REFERENCES gateway.intent (id),
  amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
  expires_at     timestamptz NOT NULL,
  numbers        smallint[] NOT NULL,
  amounts_minor  bigint[] NOT NULL,
  vats_minor     bigint[] NOT NULL,
  letting_go_at  timestamptz,
  CHECK (cardinality(numbers) = cardinality(amounts_minor) AND cardinality(numbers) = cardinality(vats_minor))
);
GRANT SELECT, INSERT, UPDATE (letting_go_at) ON gateway.reservation TO mizan_service;

-- Until money is taken on it, the card of somebody else who pays may take the place of the one that was shown.
GRANT UPDATE (id_digest, id_ending, agent, recorded_at) ON gateway.counter_payer TO mizan_service;

-- Those that stand keep the deadline they have: the one before it was not written down.
INSERT INTO gateway.reservation (intent, amount_minor, expires_at, numbers, amounts_minor, vats_minor)
SELECT i.id, i.amount_minor, i.expires_at, array_agg(l.number ORDER BY l.number),
       array_agg(l.amount_minor ORDER BY l.number), array_agg(l.vat_minor ORDER BY l.number)
  FROM gateway.intent i
  JOIN gateway.intent_line l ON l.intent = i.id
 WHERE i.authorised_minor = i.amount_minor AND i.paid_at IS NULL
 GROUP BY i.id;
