"""The refusals of kube-apiserver in its own words: each function makes the `ApiError` for one reason.

Source: k8s.io/apimachinery/pkg/api/errors. Every module that refuses a request uses these.
"""

from collections.abc import Sequence
from dataclasses import replace

from kubeslice.lab.apiserver.interfaces import ApiError, FieldError, Object


def qualified(group: str, resource: str) -> str:
    """Write a resource or kind with its group, as messages do (`deployments.apps`, `pods`)."""
    return f"{resource}.{group}" if group else resource


def _details(group: str, kind: str, name: str) -> Object:
    pairs = (("name", name), ("group", group), ("kind", kind))
    return {key: value for key, value in pairs if value}


def not_found(group: str, resource: str, name: str) -> ApiError:
    """404: the object does not exist."""
    return ApiError(
        404, "NotFound", f'{qualified(group, resource)} "{name}" not found', _details(group, resource, name)
    )


def no_such_path() -> ApiError:
    """404: nothing is served at this path."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(group: str, resource: str, name: str) -> ApiError:
    """409: an object of that name exists."""
    message = f'{qualified(group, resource)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(group, resource, name))


def conflict(group: str, resource: str, name: str, why: str) -> ApiError:
    """409: the object changed since it was read, or a precondition does not hold."""
    message = f'Operation cannot be fulfilled on {qualified(group, resource)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(group, resource, name))


def modified(group: str, resource: str, name: str) -> ApiError:
    """409: the resourceVersion of the write is not the stored one."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(group, resource, name, why)


def apply_conflict(causes: Sequence[Object], message: str) -> ApiError:
    """409: an applied field belongs to another field manager."""
    return ApiError(409, "Conflict", message, {"causes": list(causes)})


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422: fields of the object are wrong; one cause for each."""
    errors = [replace(error, path=error.path or "<nil>") for error in errors]
    sentences = [f"{error.path}: {error.message}" for error in errors]
    listed = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    causes = [{"reason": error.reason, "message": error.message, "field": error.path} for error in errors]
    message = f'{qualified(group, kind)} "{name}" is invalid: {listed}'
    return ApiError(422, "Invalid", message, _details(group, kind, name) | {"causes": causes})


def forbidden(group: str, resource: str, name: str, why: str) -> ApiError:
    """403: the request may not go on, by authorization or admission."""
    shown = f' "{name}"' if name else ""
    message = f"{qualified(group, resource)}{shown} is forbidden: {why}" if resource else f"forbidden: {why}"
    return ApiError(403, "Forbidden", message, _details(group, resource, name))


def unauthorized() -> ApiError:
    """401: nobody vouches for whoever asks."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def bad_request(why: str) -> ApiError:
    """400: the request cannot be read."""
    return ApiError(400, "BadRequest", why)


def method_not_allowed() -> ApiError:
    """405: the path has no such method."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """415: the body is in a form this request cannot have."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message)


def not_acceptable(accepted: Sequence[str]) -> ApiError:
    """406: none of the forms the client accepts is offered."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(accepted)}"
    return ApiError(406, "NotAcceptable", message, {})


def expired(why: str) -> ApiError:
    """410: the resourceVersion is older than the history that is kept."""
    return ApiError(410, "Expired", why)


def too_large_resource_version(asked: int, current: int) -> ApiError:
    """504: the resourceVersion is from the future; clients wait a second and ask again."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", message, details, {"Retry-After": "1"})


def too_many_requests(why: str, seconds: int, causes: Sequence[Object] = ()) -> ApiError:
    """429: not now, for instance because a disruption budget says so."""
    details: Object = {"causes": list(causes)} if causes else {}
    if seconds:
        details["retryAfterSeconds"] = seconds
    return ApiError(429, "TooManyRequests", why, details, {"Retry-After": str(seconds)} if seconds else None)


def internal(why: str) -> ApiError:
    """500: something this server depends on failed."""
    details = {"causes": [{"message": why}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {why}", details)


def too_large(limit: int) -> ApiError:
    """413: the body is larger than the server takes."""
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def terminating(group: str, resource: str, name: str, namespace: str) -> ApiError:
    """403: nothing new in a namespace that is being deleted."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    refusal = forbidden(group, resource, name, why)
    refusal.details = (refusal.details or {}) | {"causes": [cause]}
    return refusal
