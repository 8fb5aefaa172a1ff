-- Views for people who ask with SQL, made of what 001 has; PostgreSQL 12 or later. Run as the owner of
-- the tables. Whoever asks needs SELECT on them, given anew: earlier grants do not reach them.

-- A row for each request: what it was, what was decided and what became of it, as `audit query` tells it.
CREATE OR REPLACE VIEW gatehouse.requests AS
SELECT
  f.gateway_id, f.sequence, f.request_id, f.time, f.tenant, f.access_key_id, f.actor,
  r.merged ->> 'sourceIp' AS source_ip,
  r.merged ->> 'userAgent' AS user_agent,
  f.operation, f.app_instance_arn, f.user_id,
  coalesce(e.user_arn, o.user_arn, f.user_arn) AS user_arn,
  r.merged ->> 'resourceArn' AS resource_arn,
  r.merged ->> 'name' AS name,
  r.merged ->> 'metadata' AS metadata,
  -- The tags and days that were decided about: as they came, with what policies changed.
  CASE jsonb_typeof(f.record -> 'tags') WHEN 'object' THEN f.record -> 'tags' ELSE '{}' END || coalesce((
    SELECT jsonb_object_agg(substr(change ->> 'field', 6), change -> 'to')
    FROM jsonb_path_query(f.record, '$.changes[*]') AS change
    WHERE change ->> 'field' LIKE 'Tags.%' AND change -> 'to' IS NOT NULL
  ), '{}') AS tags,
  coalesce((
    SELECT max((change ->> 'to')::integer) FROM jsonb_path_query(f.record, '$.changes[*]') AS change
    WHERE change ->> 'field' = 'ExpirationSettings.ExpirationDays'
  ), (r.merged ->> 'expirationDays')::integer) AS expiration_days,
  r.merged -> 'tagKeys' AS tag_keys,
  coalesce(e.decision, o.decision, f.decision) AS decision,
  coalesce(e.outcome, o.outcome, f.outcome, 'unknown') AS outcome,
  (r.merged ->> 'status')::integer AS status,
  r.merged ->> 'errorType' AS error_type,
  r.merged ->> 'reason' AS reason,
  (r.merged ->> 'upstreamStatus')::integer AS upstream_status,
  r.merged ->> 'upstreamRequestId' AS upstream_request_id,
  (r.merged ->> 'attempts')::integer AS attempts,
  (r.merged ->> 'durationMs')::double precision AS duration_ms,
  coalesce(r.merged -> 'violations', '[]') AS violations,
  coalesce(r.merged -> 'warnings', '[]') AS warnings,
  coalesce(r.merged -> 'changes', '[]') AS changes,
  coalesce(r.merged -> 'wouldChange', '[]') AS would_change,
  coalesce(r.merged -> 'exceptions', '[]') AS exceptions,
  r.merged ->> 'policyRevision' AS policy_revision,
  r.merged ->> 'repeatOf' AS repeat_of,
  e.reconciled_at,
  -- False where jsonb cannot hold a record: then `audit query --from postgres` tells more.
  f.record IS NOT NULL AND (o.sequence IS NULL OR o.record IS NOT NULL) AS is_whole
FROM gatehouse.journal AS f
LEFT JOIN LATERAL (
  SELECT j.sequence, j.user_arn, j.decision, j.outcome, j.record FROM gatehouse.journal AS j
  WHERE j.gateway_id = f.gateway_id AND j.request_id = f.request_id AND j.sequence > f.sequence AND j.kind = 'outcome'
  ORDER BY j.sequence LIMIT 1
) AS o ON f.kind = 'intent'
-- What was found out afterwards.
LEFT JOIN LATERAL (
  SELECT j.user_arn, j.decision, j.outcome, j.record, CASE j.kind WHEN 'reconciled' THEN j.time END AS reconciled_at
  FROM gatehouse.journal AS j
  WHERE j.gateway_id = f.gateway_id AND j.request_id = f.request_id AND j.sequence > coalesce(o.sequence, f.sequence)
    AND j.kind IN ('outcome', 'reconciled')
  ORDER BY j.sequence DESC LIMIT 1
) AS e ON f.kind = 'intent'
CROSS JOIN LATERAL (
  SELECT coalesce(f.record, '{}') || coalesce(o.record, '{}') || coalesce(e.record - 'durationMs', '{}') AS merged
) AS r
WHERE f.kind = 'intent' OR f.kind = 'outcome' AND CASE
  WHEN f.record IS NOT NULL THEN f.record -> 'intent' IS NULL
  ELSE NOT EXISTS (
    SELECT FROM gatehouse.journal AS j
    WHERE j.gateway_id = f.gateway_id AND j.request_id = f.request_id AND j.kind = 'intent'
  )
END;

-- Who created which user, when and with what: a row for each creation.
CREATE OR REPLACE VIEW gatehouse.users_created AS
SELECT
  gateway_id, request_id, time, tenant, access_key_id, actor, source_ip, app_instance_arn, user_id, user_arn, name,
  metadata, tags, expiration_days, changes, warnings, exceptions, policy_revision, upstream_request_id, reconciled_at
FROM gatehouse.requests
WHERE operation = 'CreateAppInstanceUser' AND outcome = 'created';

-- A row for each rule that a request broke: enforced, or only warned of.
CREATE OR REPLACE VIEW gatehouse.findings AS
SELECT
  q.gateway_id, q.request_id, q.time, q.tenant, q.access_key_id, q.actor, q.operation, q.app_instance_arn, q.user_id,
  q.decision, q.outcome, l.enforced,
  finding ->> 'policy' AS policy,
  finding ->> 'rule' AS rule,
  finding ->> 'field' AS field,
  finding ->> 'message' AS message,
  finding ->> 'severity' AS severity,
  finding ->> 'owner' AS owner,
  finding ->> 'exception' AS exception
FROM gatehouse.requests AS q
CROSS JOIN LATERAL (VALUES (true, q.violations), (false, q.warnings)) AS l (enforced, findings)
CROSS JOIN LATERAL jsonb_path_query(l.findings, '$[*]') AS finding;

-- A row for each change that policies made to a request.
CREATE OR REPLACE VIEW gatehouse.changes AS
SELECT
  q.gateway_id, q.request_id, q.time, q.tenant, q.access_key_id, q.actor, q.operation, q.app_instance_arn, q.user_id,
  q.decision, q.outcome,
  change ->> 'field' AS field,
  change ->> 'from' AS from_value,
  change ->> 'to' AS to_value
FROM gatehouse.requests AS q
CROSS JOIN LATERAL jsonb_path_query(q.changes, '$[*]') AS change;

-- How many refused requests have no record of their own, a row for each second that had any.
CREATE OR REPLACE VIEW gatehouse.suppressed AS
SELECT
  gateway_id, sequence, time,
  (record ->> 'since')::timestamptz AS since,
  (record ->> 'count')::bigint AS requests,
  record -> 'byDecision' AS by_decision,
  record -> 'sources' AS sources
FROM gatehouse.journal
WHERE kind = 'suppressed';

INSERT INTO gatehouse.journal_migrations (version) VALUES (2) ON CONFLICT DO NOTHING;
