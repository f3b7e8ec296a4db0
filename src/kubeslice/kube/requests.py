"""What a verb looks like as an HTTP request. Pure: `http` sends what these functions return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import orjson

from kubeslice.kube.api import Object, Patch
from kubeslice.model.resources import Resource

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"
# In how many steps of a path a namespace is named before what is in it.
NAMESPACED = 2


@dataclass(frozen=True)
class Request:
    """One HTTP request: `target` is path and query, `body` is JSON text."""

    method: str
    target: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def collection(self) -> str:
        """Return the plural name of the kind that it is about, "" when it is about none."""
        steps = self.target.partition("?")[0].split("/")
        steps = steps[3:] if steps[1:2] == ["api"] else steps[4:]
        is_inside = len(steps) > NAMESPACED and steps[0] == "namespaces"
        return "".join(steps[NAMESPACED:][:1] if is_inside else steps[:1])


def path(resource: Resource, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
    """Return the REST path of a collection or of one object."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    parts = [root]
    if resource.namespaced and namespace:
        parts += ["namespaces", quote(namespace, safe="")]
    parts.append(resource.plural)
    parts += [quote(part, safe="") for part in (name, subresource) if part]
    return "/".join(parts)


def get(resource: Resource, name: str, namespace: str | None) -> Request:
    """Read one object."""
    return Request("GET", path(resource, namespace, name))


def page(resource: Resource, namespace: str | None, labels: str, fields: str, token: str, limit: int = 500) -> Request:
    """Read one page of a list; `token` continues the page before."""
    query = _query(labelSelector=labels, fieldSelector=fields, limit=str(limit), **{"continue": token})
    return Request("GET", path(resource, namespace) + query)


def watch(resource: Resource, namespace: str | None, labels: str, fields: str, since: str, seconds: int) -> Request:
    """Follow a collection for at most `seconds`."""
    query = _query(
        labelSelector=labels,
        fieldSelector=fields,
        resourceVersion=since,
        timeoutSeconds=str(seconds),
        allowWatchBookmarks="true",
        watch="true",
    )
    return Request("GET", path(resource, namespace) + query)


def create(resource: Resource, obj: Object) -> Request:
    """Create an object in the namespace that its metadata names."""
    return Request("POST", path(resource, obj["metadata"].get("namespace")), _json(obj), {"content-type": JSON})


def apply(resource: Resource, obj: Object, manager: str, subresource: str, *, force: bool) -> Request:
    """Server-side apply of `obj` as field manager `manager`."""
    meta = obj["metadata"]
    query = _query(fieldManager=manager, force="true" if force else "false")
    target = path(resource, meta.get("namespace"), meta["name"], subresource) + query
    body = _json({"apiVersion": resource.api_version, "kind": resource.kind, **obj})
    return Request("PATCH", target, body, {"content-type": APPLY})


def patch(resource: Resource, name: str, namespace: str | None, change: Patch, subresource: str) -> Request:
    """Change an object by merge patch or JSON patch, told apart by the shape of `change`."""
    content = MERGE if isinstance(change, Mapping) else JSON_PATCH
    return Request("PATCH", path(resource, namespace, name, subresource), _json(change), {"content-type": content})


def delete(resource: Resource, name: str, namespace: str | None, uid: str, grace_seconds: int | None) -> Request:
    """Delete an object in the background, under the precondition of its uid."""
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    if uid:
        options["preconditions"] = {"uid": uid}
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    return Request("DELETE", path(resource, namespace, name), _json(options), {"content-type": JSON})


def _query(**values: str) -> str:
    present = {key: value for key, value in values.items() if value}
    return "?" + urlencode(present) if present else ""


def _json(value: object) -> bytes:
    return orjson.dumps(value)
