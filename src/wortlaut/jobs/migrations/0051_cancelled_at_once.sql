-- Whoever cancels a job has it cancelled at once; an attempt that runs loses its lease, and is told.
DROP TRIGGER wortlaut_jobs_cancelled ON wortlaut_jobs;
UPDATE wortlaut_jobs SET state = 'cancelled', finished = clock_timestamp(), lease = NULL
    WHERE is_cancel_requested AND state IN ('queued', 'running');
ALTER TABLE wortlaut_jobs DROP COLUMN is_cancel_requested;
CREATE TRIGGER wortlaut_jobs_cancelled AFTER UPDATE OF state ON wortlaut_jobs
    FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state = 'cancelled') EXECUTE FUNCTION wortlaut_tell_unwanted();
