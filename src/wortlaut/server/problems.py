"""From errors to HTTP: one table, and the two shapes in which an answer says what is wrong."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from wortlaut import errors
from wortlaut.jobs import errors as job_errors
from wortlaut.localization.catalog import ENGLISH, Catalog, catalog
from wortlaut.localization.choice import accepted, language_of
from wortlaut.storage import ObjectMissing, StorageUnavailable

log = logging.getLogger(__name__)

RETRY_AFTER = 10
"""Seconds after which to try again, said with every 503."""

OPENAI_PATHS = ("/v1/audio/", "/v1/models")
"""Routes that answer errors in OpenAI's shape."""


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

TUS_PATH, TUS_VERSION = "/v1/uploads", "1.0.0"
"""Routes whose every answer names the version of the tus protocol, which is this."""


class MediaTooLarge(errors.InputError):
    """The recording is larger than this service accepts."""

    code = "media-too-large"
    default_hint = "Send the sound only, for example as Opus or MP3; WORTLAUT_MAX_UPLOAD_BYTES is the limit."


class TooManyUploads(errors.ResourceError):
    """Too many recordings are arriving at once."""

    code = "too-many-uploads"
    retryable = True
    default_hint = "Try again when Retry-After says, or raise WORTLAUT_MAX_UPLOADS."


class LimitReached(errors.ResourceError):
    """This key has used up what it may use for now."""

    code = "limit-reached"
    retryable = True
    default_hint = "Try again when Retry-After says; `wortlaut keys create` can give a key other limits."

    def __init__(self, message: str = "", *, hint: str = "", retry_after: timedelta = timedelta(minutes=1)) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class UploadNotFound(errors.InputError):
    """There is no such upload."""

    code = "upload-not-found"
    default_hint = "It was deleted, nothing was sent for a day, or it belongs to another key. Begin a new one."


class UploadConflict(errors.InputError):
    """The upload is not where this request takes it to be."""

    code = "upload-conflict"
    default_hint = "Ask with HEAD how much has arrived, and go on from there."


class ProtocolMismatch(errors.InputError):
    """This version of the tus protocol is not spoken here."""

    code = "protocol-mismatch"
    default_hint = "Send the header `Tus-Resumable: 1.0.0`."


class WrongContentType(errors.InputError):
    """The body is of a kind that this route does not take."""

    code = "wrong-content-type"
    default_hint = "Send `Content-Type: application/offset+octet-stream`."


class ModelNotListed(errors.UnknownModel):
    """There is no such model here."""

    code = "model-not-found"
    default_hint = "GET /v1/models lists them."


class MediaMissing(errors.InputError):
    """The request has no recording."""

    code = "media-missing"
    default_hint = "Send it as multipart/form-data in the field `file` (curl -F file=@talk.mp3)."


class NotAcceptable(errors.InputError):
    """The result cannot be given in any format that was asked for."""

    code = "not-acceptable"
    default_hint = "Name a format by the suffix, such as result.srt, or in ?format=."


class Unauthorized(errors.WortlautError):
    """This needs a valid key."""

    code = "unauthorized"
    default_hint = "Send `Authorization: Bearer KEY`; `wortlaut keys create` makes keys."


class Forbidden(errors.WortlautError):
    """This is not allowed."""

    code = "forbidden"
    default_hint = "Use a key with the scope that this needs."


STATUS: dict[type[errors.WortlautError], HTTPStatus] = {
    errors.WortlautError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InputError: HTTPStatus.BAD_REQUEST,
    errors.MediaInvalid: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NoAudioStream: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DecodingFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DownloadFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModelMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutOfMemory: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ExtraMissing: HTTPStatus.NOT_IMPLEMENTED,
    errors.Cancelled: HTTPStatus.CONFLICT,
    job_errors.JobNotFound: HTTPStatus.NOT_FOUND,
    job_errors.JobUnfinished: HTTPStatus.CONFLICT,
    job_errors.IdempotencyConflict: HTTPStatus.CONFLICT,
    job_errors.QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    job_errors.DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ObjectMissing: HTTPStatus.GONE,
    job_errors.MediaTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MediaTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyUploads: HTTPStatus.SERVICE_UNAVAILABLE,
    LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    UploadNotFound: HTTPStatus.NOT_FOUND,
    ModelNotListed: HTTPStatus.NOT_FOUND,
    UploadConflict: HTTPStatus.CONFLICT,
    ProtocolMismatch: HTTPStatus.PRECONDITION_FAILED,
    WrongContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
}


def status_of(error: errors.WortlautError) -> HTTPStatus:
    """Return the status of an error: that of its nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer(request: Request, error: errors.WortlautError) -> JSONResponse:
    """Say what is wrong, in the shape that the caller knows."""
    status = status_of(error)
    response = _shaped(request, error, status)
    if isinstance(error, LimitReached):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    return response


def _shaped(request: Request, error: errors.WortlautError, status: HTTPStatus) -> JSONResponse:
    if request.url.path.startswith(OPENAI_PATHS):
        return _response(status, openai_error(error, status, texts_for(request)), "application/json")
    response = _response(status, problem(error, status, texts_for(request)), "application/problem+json")
    if request.url.path.startswith(TUS_PATH):
        response.headers.update({"Tus-Resumable": TUS_VERSION, "Tus-Version": TUS_VERSION})
    return response


def _methods(request: Request) -> set[str]:
    """Return every method of this path; the framework names those of the first route only."""
    routes = request.app.routes
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    return {method for method, scope in scopes.items() if any(each.matches(scope)[0] is Match.FULL for each in routes)}


def texts_for(request: Request) -> Catalog:
    """Return messages as the caller reads them: by Accept-Language, else in the language the service was started in."""
    return catalog(accepted(request.headers.get("accept-language"), language_of()))


def problem(error: errors.WortlautError, status: int, texts: Catalog = ENGLISH) -> dict[str, object]:
    """RFC 9457, with `code` for programs and `hint` for people. FastAPI's clients find their `detail`."""
    return {
        "type": f"urn:wortlaut:error:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": texts.translate(error.message),
        "code": error.code,
        "hint": texts.translate(error.hint),
    }


def openai_error(error: errors.WortlautError, status: int, texts: Catalog = ENGLISH) -> dict[str, object]:
    """OpenAI's shape; the hint is part of the message, as there is no other place for it."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_error"
    return {
        "error": {
            "message": f"{texts.translate(error.message)} {texts.translate(error.hint)}",
            "type": kind,
            "param": None,
            "code": error.code,
        }
    }


def _response(status: HTTPStatus, content: object, media_type: str) -> JSONResponse:
    headers = {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(content, status, headers, media_type)


def install(app: FastAPI) -> None:
    """Answer every error in one of the two shapes."""
    app.add_exception_handler(errors.WortlautError, _ours)
    app.add_exception_handler(HTTPException, _starlettes)
    app.add_exception_handler(RequestValidationError, _fastapis)
    app.add_exception_handler(Exception, _unexpected)


def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.WortlautError)
    log.info("%s", error.message, extra={"action": "refused", "code": error.code, "path": request.url.path})
    return answer(request, error)


def _starlettes(request: Request, error: Exception) -> JSONResponse:
    """No such route, wrong method: the framework's own answers."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    ours = errors.WortlautError(f"{status.phrase}: {request.method} {request.url.path}", hint="/docs lists the routes.")
    response = _shaped(request, ours, status)
    response.headers.update(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return response


def _fastapis(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"][1:])
    texts = texts_for(request)
    return answer(
        request, errors.InvalidOption(f"{where}: {texts.translate(first['msg'])}.", hint="/docs lists the parameters.")
    )


def _unexpected(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 the server logs it with its traceback
    return answer(request, errors.WortlautError(hint="The service's log says more; please report it."))
