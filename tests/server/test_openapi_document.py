"""The OpenAPI document says what the service does: requests of all sorts, made from it."""

from __future__ import annotations

import time

import httpx
import pytest
import schemathesis
from httpx import codes
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from wortlaut.server.app import create_app
from wortlaut.server.settings import ServiceSettings

BEYOND_SCHEMAS = [positive_data_acceptance]
"""What a recording is, and which languages and models there are, is more than a schema can say."""


@schemathesis.serializer("application/offset+octet-stream")
def _as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


document = schemathesis.openapi.from_dict(create_app(ServiceSettings()).openapi())
# tus answers 412 to a version that is not spoken, and 413 is what is said of a length that is too large
document.config.checks.negative_data_rejection.expected_statuses.extend(["412", "413"])


@pytest.fixture(scope="session")
def ready_url(base_url):
    """The service once it is ready: while models are loaded, `/ready` says 503, which a check takes for a fault."""
    ends = time.monotonic() + 60
    while (answer := httpx.get(f"{base_url}/ready")).status_code != codes.OK:
        assert time.monotonic() < ends, answer.text
        time.sleep(0.1)
    return base_url


@pytest.mark.slow
@document.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_happens_that_the_document_does_not_say(case, ready_url):
    case.call_and_validate(base_url=ready_url, excluded_checks=BEYOND_SCHEMAS, timeout=60)
