"""The files of Secret, ConfigMap, downward API and projected volumes: path to content and mode. Pure."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeslice.lab.kubelet.environment import Lookup, Missing, field, resource

Object = dict[str, Any]
DEFAULT_MODE = 0o644
MANAGED = ("secret", "configMap", "downwardAPI", "projected")


@dataclass(frozen=True)
class File:
    """Content and permissions of one file."""

    content: bytes
    mode: int


@dataclass(frozen=True)
class Sources:
    """Where payloads come from; `tokens` holds service account tokens by (audience, seconds)."""

    secret: Lookup
    config_map: Lookup
    tokens: Mapping[tuple[str, int], str]


def files(volume: Object, pod: Object, sources: Sources) -> dict[str, File]:
    """Return the files of one managed volume. Raises `Missing`."""
    kind = next(kind for kind in MANAGED if kind in volume)
    body = volume[kind]
    mode = int(body.get("defaultMode") or DEFAULT_MODE)
    parts = body.get("sources") or [] if kind == "projected" else [{kind: _named(kind, body)}]
    found: dict[str, File] = {}
    for part in parts:
        found |= _part(part, pod, sources, mode)
    return found


def _named(kind: str, body: Object) -> Object:
    return body | {"name": body["secretName"]} if kind == "secret" else body


def _part(part: Object, pod: Object, sources: Sources, mode: int) -> dict[str, File]:
    if "secret" in part:
        return _data("secret", part["secret"], sources.secret, mode)
    if "configMap" in part:
        return _data("configmap", part["configMap"], sources.config_map, mode)
    if "downwardAPI" in part:
        return dict(_downward(part["downwardAPI"].get("items") or [], pod, mode))
    token = part["serviceAccountToken"]
    return {token["path"]: File(sources.tokens[token_key(token)].encode(), mode)}


def token_key(token: Object) -> tuple[str, int]:
    """Return what tells one projected token of a pod from another: audience and lifetime in seconds."""
    return str(token.get("audience") or ""), int(token.get("expirationSeconds") or 3600)


def token_requests(pod: Object) -> Iterable[tuple[str, int]]:
    """Yield the tokens a pod's projected volumes need."""
    for volume in pod["spec"].get("volumes") or []:
        for part in (volume.get("projected") or {}).get("sources") or []:
            if "serviceAccountToken" in part:
                yield token_key(part["serviceAccountToken"])


def _data(kind: str, reference: Object, lookup: Lookup, mode: int) -> dict[str, File]:
    obj = lookup(reference["name"])
    if obj is None:
        if reference.get("optional"):
            return {}
        raise Missing(f'{kind} "{reference["name"]}" not found')
    data = content(obj)
    if not reference.get("items"):
        return {key: File(value, mode) for key, value in data.items()}
    found = {}
    for item in reference["items"]:
        if item["key"] in data:
            found[item["path"]] = File(data[item["key"]], int(item.get("mode") or mode))
        elif not reference.get("optional"):
            raise Missing(f'{kind} "{reference["name"]}" references non-existent key: {item["key"]}')
    return found


def content(obj: Object) -> dict[str, bytes]:
    """Return the data of a ConfigMap or Secret as bytes."""
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
    plain = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}


def _downward(items: list[Object], pod: Object, mode: int) -> Iterable[tuple[str, File]]:
    for item in items:
        if "fieldRef" in item:
            text = field(pod, item["fieldRef"]["fieldPath"])
        else:
            reference = item["resourceFieldRef"]
            text = resource(_container(pod, reference["containerName"]), reference)
        yield item["path"], File(text.encode(), int(item.get("mode") or mode))


def _container(pod: Object, name: str) -> Object:
    return next(container for container in pod["spec"]["containers"] if container["name"] == name)


def references(pod: Object) -> set[tuple[str, str]]:
    """Return the (kind, name) of every ConfigMap and Secret a pod's volumes or environment name."""
    found = set()
    for volume in pod["spec"].get("volumes") or []:
        body = volume.get("projected") or {"sources": [_single(volume)]}
        for part in body.get("sources") or []:
            if part.get("secret"):
                found.add(("Secret", part["secret"].get("name") or part["secret"].get("secretName")))
            if part.get("configMap"):
                found.add(("ConfigMap", part["configMap"]["name"]))
    for container in (pod["spec"].get("initContainers") or []) + pod["spec"]["containers"]:
        found |= _environment_references(container)
    return found


def _single(volume: Object) -> Object:
    return {kind: volume[kind] for kind in ("secret", "configMap") if kind in volume}


def _environment_references(container: Object) -> set[tuple[str, str]]:
    origins = [entry.get("valueFrom") or {} for entry in container.get("env") or []]
    origins += container.get("envFrom") or []
    return {(kind, origin[key]["name"]) for origin in origins for key, kind in _KINDS.items() if origin.get(key)}


_KINDS = {
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
}
