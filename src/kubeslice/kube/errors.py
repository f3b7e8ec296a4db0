"""What an API server can answer instead of an object, as one exception per case a caller may want to tell apart."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer that is not success. `status` is the HTTP code, or 0 when no answer came at all."""

    def __init__(self, status: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = dict(details or {})


class NotFound(ApiError):
    """404: the object, its namespace or its kind is not there."""


class Conflict(ApiError):
    """409: somebody else changed the object, or owns the field that was applied."""


class AlreadyExists(Conflict):
    """409 with reason AlreadyExists: create found the name taken."""


class Gone(ApiError):
    """410: the resource version is too old to watch from; list again."""


class Forbidden(ApiError):
    """403: the credential is good, but its roles do not allow this."""


class Unauthorized(ApiError):
    """401: the credential is missing, expired or revoked."""


class Invalid(ApiError):
    """400 or 422: schema, CEL or admission refused the object; the message says why."""


class Unavailable(ApiError):
    """429, 5xx, or no answer at all: worth trying again later."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: Unavailable,
}


def from_status(status: int, body: Mapping[str, Any]) -> ApiError:
    """Turn an HTTP code and a `Status` body (which may be empty) into the matching exception."""
    reason = str(body.get("reason") or "")
    message = str(body.get("message") or f"the API server answered {status}")
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else ApiError)
    if reason == "AlreadyExists":
        kind = AlreadyExists
    if reason in {"Expired", "ResourceExpired"} or "Too large resource version" in message:
        kind = Gone
    return kind(status, reason, message, body.get("details"))


def no_answer(error: Exception) -> Unavailable:
    """Wrap a transport failure: refused, reset, timed out, TLS not verified."""
    text = str(error) or ("it took too long" if isinstance(error, TimeoutError) else type(error).__name__)
    return Unavailable(0, "NoAnswer", f"no answer from the API server: {text}")
