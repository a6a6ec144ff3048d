-- What may be reused. `scope` says with whom results of stages are shared: the recording's SHA-256, or the job alone.
ALTER TABLE wortlaut_jobs
    ADD COLUMN scope text,
    ADD COLUMN made_by text,
    ADD COLUMN reused jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN is_cached boolean NOT NULL DEFAULT false,
    ADD COLUMN rerun_of text,
    -- Attempts that get further than all before are not what a job is given up for.
    ADD COLUMN furthest double precision NOT NULL DEFAULT 0,
    ADD COLUMN starts_in_vain integer NOT NULL DEFAULT 0;
UPDATE wortlaut_jobs SET scope = id;
ALTER TABLE wortlaut_jobs ALTER COLUMN scope SET NOT NULL;
CREATE INDEX wortlaut_jobs_by_scope ON wortlaut_jobs (scope);
-- Several jobs may share a recording; the last one to go takes it along.
CREATE INDEX wortlaut_jobs_by_media ON wortlaut_jobs (media_key);
