"""Request paths of the Kubernetes API taken apart; pure. Source: apiserver/pkg/endpoints/request/requestinfo.go."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """A path that names a resource, one of its objects, or a part of one."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class DiscoveryPath:
    """A path below which resources are found: `/api`, `/apis`, a group, or a version of one."""

    root: Literal["api", "apis"]
    group: str = ""
    version: str = ""


def parse(path: str) -> ResourcePath | DiscoveryPath | None:
    """Take a path apart; None for paths outside `/api` and `/apis`."""
    parts = [unquote(part) for part in path.split("/") if part]
    if not parts or parts[0] not in ("api", "apis"):
        return None
    if parts[0] == "api":
        return (
            DiscoveryPath("api", "", parts[1] if len(parts) > 1 else "") if len(parts) < 3 else _resource("", parts[1:])
        )
    if len(parts) < 4:
        group, version = ([*parts[1:], "", ""])[:2]
        return DiscoveryPath("apis", group, version)
    return _resource(parts[1], parts[2:])


def _resource(group: str, parts: list[str]) -> ResourcePath:
    version, *rest = parts
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not _is_part_of_namespace(group, rest):
        namespace, rest = rest[1], rest[2:]
    elif rest[0] == "namespaces" and len(rest) > 1 and not group:
        namespace = rest[1]
    plural, name, subresource = ([*rest, "", ""])[:3]
    return ResourcePath(group, version, plural, namespace, name, subresource, "/".join(rest[3:]))


def _is_part_of_namespace(group: str, rest: list[str]) -> bool:
    return not group and len(rest) == 3 and rest[2] in ("status", "finalize")


def verb_of(method: str, path: ResourcePath, *, watch: bool) -> str:
    """Return the verb that authorizers and audit know a request by."""
    if method in ("GET", "HEAD"):
        if watch and not path.subresource:
            return "watch"
        return "get" if path.name else "list"
    if method == "DELETE":
        return "delete" if path.name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, "")
