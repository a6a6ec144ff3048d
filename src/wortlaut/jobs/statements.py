"""The ledger's statements. Each changes a job in one step, and only if it is in the state that the step needs."""

from __future__ import annotations

INSERT = """
INSERT INTO wortlaut_jobs
    (id, owner, name, media_key, media_bytes, options, work, priority, idempotency_key, webhook, scope, rerun_of)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (owner, idempotency_key) DO NOTHING RETURNING *
"""
ANSWER = """
UPDATE wortlaut_jobs
SET state = 'done', result_key = %s, duration = %s, made_by = %s, is_cached = true,
    started = clock_timestamp(), finished = clock_timestamp()
WHERE id = %s AND state = 'queued' RETURNING *
"""
HOLD = "SELECT id FROM wortlaut_jobs WHERE id = %s FOR SHARE"
SAME_WORK = """
SELECT * FROM wortlaut_jobs
WHERE scope = %s AND options = %s AND work = %s AND made_by = %s AND state = 'done' ORDER BY finished DESC LIMIT 1
"""
USES = """
SELECT EXISTS (SELECT FROM wortlaut_jobs WHERE media_key = %s) AS has_media,
       EXISTS (SELECT FROM wortlaut_jobs WHERE scope = %s) AS has_scope
"""
BY_IDEMPOTENCY = "SELECT * FROM wortlaut_jobs WHERE owner = %s AND idempotency_key = %s"
GET = "SELECT * FROM wortlaut_jobs WHERE id = %s AND (%s::text IS NULL OR owner = %s)"
LIST = """
SELECT * FROM wortlaut_jobs
WHERE (%s::text IS NULL OR owner = %s) AND (%s::text IS NULL OR state = %s) AND (%s::text IS NULL OR name ILIKE %s)
ORDER BY created DESC, id LIMIT %s OFFSET %s
"""
CLAIM = """
UPDATE wortlaut_jobs
SET state = 'running', attempt = attempt + 1, starts_in_vain = starts_in_vain + 1, lease = %s,
    started = clock_timestamp(), beaten = clock_timestamp(), stage = NULL, stage_done = NULL, stage_total = NULL
WHERE id = %s AND (state = 'queued' OR (state = 'running' AND beaten < clock_timestamp() - %s::interval))
RETURNING *
"""
BEAT = """
UPDATE wortlaut_jobs
SET beaten = clock_timestamp(),
    failures = CASE WHEN %(share)s > furthest + %(step)s THEN 0 ELSE failures END,
    starts_in_vain = CASE WHEN %(share)s > furthest + %(step)s THEN 0 ELSE starts_in_vain END,
    furthest = CASE WHEN %(share)s > furthest + %(step)s THEN %(share)s ELSE furthest END,
    stage = COALESCE(%(stage)s, stage), stage_done = COALESCE(%(done)s, stage_done),
    stage_total = COALESCE(%(total)s, stage_total)
WHERE id = %(id)s AND lease = %(lease)s AND state = 'running' RETURNING id
"""
FINISH = """
UPDATE wortlaut_jobs
SET state = 'done', result_key = %s, duration = %s, made_by = %s, reused = %s,
    finished = clock_timestamp(), lease = NULL
WHERE id = %s AND lease = %s AND state = 'running' RETURNING *
"""
FAIL = """
UPDATE wortlaut_jobs SET state = 'failed', error = %s, finished = clock_timestamp(), lease = NULL
WHERE id = %s AND lease = %s AND state = 'running' RETURNING *
"""
RETRY = """
UPDATE wortlaut_jobs SET state = 'queued', failures = failures + 1, lease = NULL, reasons = reasons || %s
WHERE id = %s AND lease = %s AND state = 'running' AND failures + 1 < %s RETURNING id
"""
GIVE_BACK = """
UPDATE wortlaut_jobs SET state = 'queued', lease = NULL
WHERE id = %s AND lease = %s AND state = 'running' RETURNING id
"""
CANCEL = """
UPDATE wortlaut_jobs SET state = 'cancelled', finished = clock_timestamp(), lease = NULL
WHERE id = %s AND (%s::text IS NULL OR owner = %s) AND state IN ('queued', 'running')
RETURNING *
"""
DELETE = "DELETE FROM wortlaut_jobs WHERE id = %s AND (%s::text IS NULL OR owner = %s) RETURNING *"
EXPIRED = "SELECT * FROM wortlaut_jobs WHERE finished < now() - %s::interval ORDER BY finished LIMIT 100"
FORGOTTEN = """
SELECT id, priority FROM wortlaut_jobs AS job
WHERE (state = 'queued' AND NOT EXISTS (
    SELECT FROM procrastinate_jobs AS queued
    WHERE queued.args ->> 'job_id' = job.id AND queued.status IN ('todo', 'doing')
)) OR (state = 'running' AND beaten < clock_timestamp() - %s::interval AND NOT EXISTS (
    SELECT FROM procrastinate_jobs AS queued WHERE queued.args ->> 'job_id' = job.id AND queued.status = 'todo'
))
FOR UPDATE SKIP LOCKED
"""
