-- An Idempotency-Key is its caller's own. Answers stored for a whole department stay good for each of its callers, so
-- that no request sent before and repeated after is done a second time; the rows they are copied from end with their time.
INSERT INTO gateway.idempotency (caller, route, key, body_sha256, resource, status, answer, created_at, expires_at)
SELECT line.id, i.route, i.key, i.body_sha256, i.resource, i.status, i.answer, i.created_at, i.expires_at
  FROM gateway.idempotency i
  JOIN (SELECT department, coalesce(lineage, id) AS id FROM gateway.api_key WHERE revoked_at IS NULL
        UNION
        SELECT department, id FROM gateway.oauth_client WHERE disabled_at IS NULL) line ON line.department = i.caller
 WHERE i.route LIKE 'POST /v1/%'
ON CONFLICT DO NOTHING;
