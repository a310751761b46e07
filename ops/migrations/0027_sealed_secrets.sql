-- Webhook secrets are sealed by the service; those written before are sealed by its housekeeping.
ALTER TABLE gateway.webhook_endpoint
  DROP CONSTRAINT webhook_endpoint_secret_check,
  ADD CONSTRAINT webhook_endpoint_secret_check CHECK (length(secret) BETWEEN 24 AND 128);
