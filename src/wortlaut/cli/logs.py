"""What the service logs, as lines for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
import time


class JsonLines(logging.Formatter):
    """One JSON object a line, with everything that was said in `extra`."""

    _usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in self._usual}
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extra,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class PlainLines(logging.Formatter):
    """For people: the job stands in front of what is said about it."""

    def format(self, record: logging.LogRecord) -> str:
        job = getattr(record, "job_id", None)
        prefix = f"{record.levelname.lower()} {record.name}" + (f" [{job}]" if job else "")
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{prefix}: {record.getMessage()}{trace}"


def log_to_stderr(*, is_json: bool) -> None:
    """Log what the service does, for as long as the process lives."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JsonLines() if is_json else PlainLines())
    logging.basicConfig(level=logging.WARNING, handlers=[output], force=True)
    logging.getLogger("wortlaut").setLevel(logging.INFO)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each try while the database is away; we say that once
