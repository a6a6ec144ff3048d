-- Workers hear at once of jobs that nobody wants any more, and of no other change.
CREATE FUNCTION wortlaut_tell_unwanted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wortlaut_unwanted', OLD.id);
    RETURN NULL;
END;
$$;
CREATE TRIGGER wortlaut_jobs_cancelled AFTER UPDATE OF is_cancel_requested ON wortlaut_jobs
    FOR EACH ROW WHEN (NEW.is_cancel_requested) EXECUTE FUNCTION wortlaut_tell_unwanted();
CREATE TRIGGER wortlaut_jobs_deleted AFTER DELETE ON wortlaut_jobs
    FOR EACH ROW EXECUTE FUNCTION wortlaut_tell_unwanted();
