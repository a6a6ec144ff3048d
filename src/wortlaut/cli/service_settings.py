"""The settings of the service, as its commands take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wortlaut.errors import ExtraMissing

if TYPE_CHECKING:
    from wortlaut.server.settings import ServiceSettings

EXTRA_HINT = "Install it with `pip install 'wortlaut[server]'`."


def service_settings(given: Mapping[str, object]) -> ServiceSettings:
    """What was said on the command line beats environment and file."""
    try:
        import procrastinate  # noqa: F401, PLC0415 one of the extra's packages stands for all

        from wortlaut.server.settings import ServiceSettings  # noqa: PLC0415 part of an extra
    except ModuleNotFoundError as error:
        raise ExtraMissing("The service needs the extra `server`.", hint=EXTRA_HINT) from error
    return ServiceSettings.model_validate({name: value for name, value in given.items() if value is not None})
