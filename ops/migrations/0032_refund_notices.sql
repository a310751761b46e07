-- What a signed callback proves of a refund, beside what one proves of a payment.
ALTER TABLE gateway.inbox ADD COLUMN refund bytea;
CREATE INDEX refund_provider_reference ON gateway.refund (provider, provider_reference)
  WHERE provider_reference IS NOT NULL;
