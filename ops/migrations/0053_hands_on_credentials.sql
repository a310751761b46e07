-- Whose hand a credential went through, what made it, and that a client may end; a number that grows when one is ended.

ALTER TABLE gateway.api_key
  ADD COLUMN made_by text COLLATE "C",
  ADD COLUMN hands text[] COLLATE "C" NOT NULL DEFAULT '{}';
COMMENT ON COLUMN gateway.api_key.made_by IS 'the credential that made it or rotated another into it; null: the operator';
COMMENT ON COLUMN gateway.api_key.hands IS 'origins of others that rotated it or one before it in its line: they are one pair of eyes with it';

ALTER TABLE gateway.oauth_client
  ADD COLUMN made_by text COLLATE "C",
  ADD COLUMN keys_by text COLLATE "C",
  ADD COLUMN hands text[] COLLATE "C" NOT NULL DEFAULT '{}',
  ADD COLUMN expires_at timestamptz;
COMMENT ON COLUMN gateway.oauth_client.made_by IS 'the credential that registered it; null: the operator';
COMMENT ON COLUMN gateway.oauth_client.keys_by IS 'the other credential that put its keys in place, unless the operator has since';
COMMENT ON COLUMN gateway.oauth_client.hands IS 'origins of others that put keys in place: they are one pair of eyes with it';
COMMENT ON COLUMN gateway.oauth_client.expires_at IS 'when whatever registered it would have ended';

CREATE TABLE gateway.caller_change (
  the_row boolean PRIMARY KEY CHECK (the_row),
  number  bigint NOT NULL
);
COMMENT ON TABLE gateway.caller_change IS 'one row: grows when a credential is ended, and every web process then forgets whom it knew';
INSERT INTO gateway.caller_change (the_row, number) VALUES (true, 0);
GRANT SELECT ON gateway.caller_change TO mizan_service;
GRANT UPDATE (number) ON gateway.caller_change TO mizan_service;

-- Endpoints that were disabled cost the deliveries nothing, however many there are.
CREATE INDEX webhook_endpoint_enabled ON gateway.webhook_endpoint (department, id) WHERE disabled_at IS NULL;
