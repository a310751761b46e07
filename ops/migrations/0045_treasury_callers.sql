-- Callers of the treasury: keys and clients that belong to no department and read finance's reports, and nothing else.

ALTER TABLE gateway.api_key
  ALTER COLUMN department DROP NOT NULL,
  ADD CONSTRAINT api_key_whose_check CHECK (
    CASE WHEN department IS NULL THEN scopes = ARRAY['finance:read'] ELSE NOT scopes && ARRAY['finance:read'] END);
COMMENT ON COLUMN gateway.api_key.department IS 'null: the treasury''s own, which reads reports over all departments';

ALTER TABLE gateway.oauth_client
  ALTER COLUMN department DROP NOT NULL,
  ADD CONSTRAINT oauth_client_whose_check CHECK (
    CASE WHEN department IS NULL THEN scopes = ARRAY['finance:read'] ELSE NOT scopes && ARRAY['finance:read'] END);
COMMENT ON COLUMN gateway.oauth_client.department IS 'null: the treasury''s own, which reads reports over all departments';
