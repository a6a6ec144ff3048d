-- Uploads that can be resumed (tus): what has arrived lies in the storage, in pieces.
CREATE TABLE wortlaut_uploads (
    id text PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    metadata text NOT NULL,
    length_bytes bigint NOT NULL CHECK (length_bytes >= 0),
    offset_bytes bigint NOT NULL DEFAULT 0 CHECK (offset_bytes BETWEEN 0 AND length_bytes),
    pieces text[] NOT NULL DEFAULT '{}',
    job_id text,
    touched timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX wortlaut_uploads_by_age ON wortlaut_uploads (touched);

-- Limits of single keys; NULL: what the settings say.
ALTER TABLE wortlaut_keys ADD COLUMN requests_per_minute integer, ADD COLUMN minutes_per_day integer;

CREATE TABLE wortlaut_requests (
    owner text NOT NULL,
    minute timestamptz NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (owner, minute)
);

-- Seconds of sound by job: at first what the recording says of itself, in the end what was worked on. It outlives the
-- job, because those that somebody waited for are forgotten at once.
CREATE TABLE wortlaut_usage (
    job_id text PRIMARY KEY,
    owner text NOT NULL,
    accepted timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds double precision NOT NULL
);
CREATE INDEX wortlaut_usage_by_owner ON wortlaut_usage (owner, accepted);

CREATE FUNCTION wortlaut_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE wortlaut_usage SET seconds = CASE NEW.state WHEN 'done' THEN COALESCE(NEW.duration, 0) ELSE 0 END
    WHERE job_id = NEW.id;
    RETURN NULL;
END;
$$;
-- A job that failed costs nothing; one that was cancelled has been worked on, and keeps what was put down for it.
CREATE TRIGGER wortlaut_jobs_account AFTER UPDATE OF state ON wortlaut_jobs
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND NEW.state IN ('done', 'failed'))
    EXECUTE FUNCTION wortlaut_account();
