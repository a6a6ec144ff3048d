"""Telling a caller's server that its job has ended: signed, tried again, and only to addresses that are allowed.

`Wortlaut-Signature: t=SECONDS,v1=HEX` carries the HMAC-SHA256, with the secret of the installation, of the time, a dot
and the body. Who receives it compares that, and refuses what is older than a few minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from dataclasses import dataclass

import httpcore

from wortlaut.jobs.errors import JobNotFound
from wortlaut.jobs.job import Job
from wortlaut.jobs.ledger import Ledger
from wortlaut.jobs.remote import AddressFailed, AddressRefused, going_out, host_of
from wortlaut.jobs.settings import JobSettings

log = logging.getLogger(__name__)

ATTEMPTS = 6
FIRST_WAIT = 5.0
"""Seconds before the second attempt; three times as many before each further one, about half an hour in all."""
DEADLINE = 15.0
"""Seconds for one attempt."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Delivers what the queue says is due."""

    ledger: Ledger
    settings: JobSettings

    async def tell(self, job_id: str, attempt: int) -> None:
        """Tell about a job's end; if nobody takes it, put it into the queue for later."""
        secret = self.settings.webhook_secret
        try:
            job = await self.ledger.get(job_id)
        except JobNotFound:
            return
        if secret is None or job.webhook is None:
            return
        try:
            await self._post(job.webhook, message(job), secret.get_secret_value())
        except (AddressFailed, AddressRefused) as error:
            log.warning("%s", error.message, extra={"action": "webhook_failed", "job_id": job_id, "attempt": attempt})
            if attempt < ATTEMPTS and not isinstance(error, AddressRefused):
                await self.ledger.tell_later(job, attempt + 1, FIRST_WAIT * 3 ** (attempt - 1))

    async def _post(self, url: str, body: bytes, secret: str) -> None:
        headers = [
            (b"Host", host_of(url)),
            (b"User-Agent", b"wortlaut"),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
            (b"Wortlaut-Signature", sign(body, secret, int(time.time())).encode()),
        ]
        try:
            async with (
                asyncio.timeout(DEADLINE),
                going_out(allows_private=self.settings.allows_private_addresses) as pool,
            ):
                response = await pool.request("POST", url, headers=headers, content=body)
        except (TimeoutError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise AddressFailed(f"{url} takes no webhook: {str(error) or type(error).__name__}.") from error
        if not 200 <= response.status < 300:  # noqa: PLR2004 success is all of 2xx
            raise AddressFailed(f"{url} answers {response.status} to a webhook.")


def message(job: Job) -> bytes:
    """Return what is told: enough to decide, not the transcript."""
    said = {
        "event": f"job.{job.state}",
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "finished": job.finished.isoformat() if job.finished else None,
        "error": job.error.to_json() if job.error else None,
        "result": f"/v1/jobs/{job.id}/result",
    }
    return json.dumps(said).encode()


def sign(body: bytes, secret: str, moment: int) -> str:
    """Return the value of the header."""
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"
