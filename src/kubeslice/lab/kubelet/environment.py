"""A container's environment: values, references to Secrets, ConfigMaps and the pod's own fields, `$(NAME)`. Pure."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from kubeslice.lab.topology import KUBERNETES_SERVICE

Object = dict[str, Any]
Lookup = Callable[[str], Object | None]
_REFERENCE = re.compile(r"\$(\$)?\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)|\$\$")
_SUBSCRIPT = re.compile(r"^(metadata\.(?:labels|annotations))\['([^']+)'\]$")


class Missing(Exception):
    """A Secret, ConfigMap or key that the container needs is not there; the sentence goes to its status."""


def service_variables() -> dict[str, str]:
    """Return how a container finds its API server."""
    host = KUBERNETES_SERVICE
    return {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBERNETES_SERVICE_PORT_HTTPS": "443",
        "KUBERNETES_PORT": f"tcp://{host}:443",
        "KUBERNETES_PORT_443_TCP": f"tcp://{host}:443",
        "KUBERNETES_PORT_443_TCP_ADDR": host,
        "KUBERNETES_PORT_443_TCP_PORT": "443",
        "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
    }


def variables(
    container: Object, pod: Object, secret: Lookup, config_map: Lookup, base: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a container: `base`, then envFrom, then env. Raises `Missing`."""
    found = dict(base)
    for source in container.get("envFrom") or []:
        found |= _all_of(source, secret, config_map)
    for entry in container.get("env") or []:
        value = _value(entry, container, pod, secret, config_map)
        if value is not None:
            found[entry["name"]] = expand(value, found) if "value" in entry else value
    return found


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value; unknown names stay, `$$(NAME)` is an escaped `$(NAME)`."""

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[1]:
            return match[0][1:]
        return values.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)


def _all_of(source: Object, secret: Lookup, config_map: Lookup) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for kind, reference, lookup in (
        ("configmap", source.get("configMapRef"), config_map),
        ("secret", source.get("secretRef"), secret),
    ):
        if reference:
            obj = lookup(reference["name"])
            if obj is None:
                if reference.get("optional"):
                    return {}
                raise Missing(f'{kind} "{reference["name"]}" not found')
            return {f"{prefix}{key}": value for key, value in texts(obj).items()}
    return {}


def _value(entry: Object, container: Object, pod: Object, secret: Lookup, config_map: Lookup) -> str | None:
    origin = entry.get("valueFrom")
    if not origin:
        return str(entry.get("value") or "")
    if "fieldRef" in origin:
        return field(pod, origin["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in origin:
        return resource(container, origin["resourceFieldRef"])
    if "secretKeyRef" in origin:
        return _key("secret", origin["secretKeyRef"], secret)
    return _key("configmap", origin["configMapKeyRef"], config_map)


def _key(kind: str, reference: Object, lookup: Lookup) -> str | None:
    obj = lookup(reference["name"])
    value = texts(obj).get(reference["key"]) if obj else None
    if value is None and not reference.get("optional"):
        what = f"key {reference['key']!r} in {kind}" if obj else kind
        raise Missing(f'{what} "{reference["name"]}" not found')
    return value


def texts(obj: Object) -> dict[str, str]:
    """Return the data of a ConfigMap or Secret as text."""
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in (obj.get("data") or {}).items()}
    return dict(obj.get("data") or {})


def field(pod: Object, path: str) -> str:
    """Return what the downward API says for a field path of a pod."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    subscript = _SUBSCRIPT.match(path)
    if subscript:
        return str((metadata.get(subscript[1].partition(".")[2]) or {}).get(subscript[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        entries = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted(entries.items()))
    simple = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName"),
        "spec.serviceAccountName": spec.get("serviceAccountName"),
        "status.hostIP": status.get("hostIP"),
        "status.hostIPs": status.get("hostIP"),
        "status.podIP": status.get("podIP"),
        "status.podIPs": status.get("podIP"),
    }
    if path not in simple:
        raise Missing(f"unsupported fieldPath: {path}")
    return str(simple[path] or "")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource(container: Object, reference: Object) -> str:
    """Return a resource request or limit in units of its divisor, rounded up; "0" where none is set."""
    kind, _, name = str(reference["resource"]).partition(".")
    found = ((container.get("resources") or {}).get(kind) or {}).get(name, "0")
    divisor = quantity(str(reference.get("divisor") or "1")) or 1
    return str(int(-(-quantity(str(found)) // divisor)))


_UNITS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: str) -> float:
    """Read a Kubernetes quantity (`100m`, `64Mi`)."""
    digits = text.rstrip("mkKMGTi")
    return float(digits) * _UNITS.get(text[len(digits) :], 1)
