-- Jobs, the truth about them; the queue itself is Procrastinate's.
CREATE TABLE wortlaut_jobs (
    id text PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    media_key text NOT NULL,
    media_bytes bigint NOT NULL,
    options jsonb NOT NULL,
    work text NOT NULL,
    priority integer NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempt integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    lease text,
    beaten timestamptz,
    stage text,
    stage_done double precision,
    stage_total double precision,
    is_cancel_requested boolean NOT NULL DEFAULT false,
    error jsonb,
    reasons jsonb NOT NULL DEFAULT '[]',
    result_key text,
    duration double precision,
    idempotency_key text,
    webhook text,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    started timestamptz,
    finished timestamptz,
    CHECK ((state = 'done') = (result_key IS NOT NULL)),
    UNIQUE (owner, idempotency_key)
);
CREATE INDEX wortlaut_jobs_by_owner ON wortlaut_jobs (owner, created DESC, id);
CREATE INDEX wortlaut_jobs_unfinished ON wortlaut_jobs (state) WHERE state IN ('queued', 'running');
CREATE INDEX wortlaut_jobs_by_end ON wortlaut_jobs (finished) WHERE finished IS NOT NULL;
-- Recovery asks which jobs the queue has forgotten.
CREATE INDEX wortlaut_queue_by_job ON procrastinate_jobs ((args ->> 'job_id'));

CREATE FUNCTION wortlaut_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wortlaut_jobs', COALESCE(NEW.id, OLD.id));
    RETURN NULL;
END;
$$;
CREATE TRIGGER wortlaut_jobs_tell AFTER UPDATE OR DELETE ON wortlaut_jobs
    FOR EACH ROW EXECUTE FUNCTION wortlaut_tell();

-- Who may. The key itself is shown once and never stored.
CREATE TABLE wortlaut_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked timestamptz
);
