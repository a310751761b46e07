-- Which line of credentials a key belongs to, and who gave it; webhook secrets that outlive two rotations.

ALTER TABLE gateway.api_key
  ADD COLUMN lineage text COLLATE "C",
  ADD COLUMN origin text COLLATE "C";
COMMENT ON COLUMN gateway.api_key.lineage IS 'the first of the keys this one replaces, one after the other; null: itself';
COMMENT ON COLUMN gateway.api_key.origin IS 'the credential the operator issued, under which this one was made; null: itself';

ALTER TABLE gateway.oauth_client ADD COLUMN origin text COLLATE "C";
COMMENT ON COLUMN gateway.oauth_client.origin IS 'the credential the operator issued, under which this one was made; null: itself';

WITH RECURSIVE line AS (
  SELECT id, id AS first FROM gateway.api_key WHERE replaces IS NULL
  UNION ALL
  SELECT k.id, line.first FROM gateway.api_key k JOIN line ON k.replaces = line.id)
UPDATE gateway.api_key k SET lineage = line.first, origin = line.first
  FROM line WHERE line.id = k.id AND line.first <> k.id;

ALTER TABLE gateway.webhook_endpoint
  ADD COLUMN earlier_secret bytea,
  ADD COLUMN earlier_until timestamptz,
  ADD CONSTRAINT webhook_endpoint_earlier_check CHECK ((earlier_secret IS NULL) = (earlier_until IS NULL));
COMMENT ON COLUMN gateway.webhook_endpoint.earlier_secret IS 'the secret before the previous one, while receivers may still use it';
