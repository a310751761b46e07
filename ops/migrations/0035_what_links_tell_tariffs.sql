-- What a payment link's line tells its tariff is kept with the link: each payment is priced by it, as the quote was.

ALTER TABLE gateway.payment_link
  ADD COLUMN base_minor bigint CHECK (base_minor BETWEEN 1 AND 1000000000000),
  ADD COLUMN answers    jsonb NOT NULL DEFAULT '{}';
