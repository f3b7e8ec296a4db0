"""What the Secrets with the pre-shared keys of a pair of clusters hold. Called by `hub.presharedkeys`.

Both ends of a pair have a Secret of their own with equal entries, one for each plane and generation in force. A key
that is in force is never changed: with two keys for one tunnel its ends would not understand each other.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import SECRETS
from kubeslice.plan.hub import slices
from kubeslice.plan.tenants.tenancy import Member

Object = dict[str, Any]
Entries = dict[str, str]

KEY_LENGTH = 32


def entries(generations: Mapping[int, Iterable[int]]) -> list[str]:
    """Return the names of the entries for these generations of each plane."""
    return [names.pre_shared_key(plane, number) for plane in sorted(generations) for number in generations[plane]]


def agreed(
    wanted: Iterable[str], first: Mapping[str, str], second: Mapping[str, str], make: Callable[[], str]
) -> Entries:
    """Return the value of each wanted entry: what the first end has, else the second, else a new one.

    Values are as a Secret's `data` holds them. An end that lost a key gets it back from the other.
    """
    return {name: first.get(name) or second.get(name) or make() for name in wanted}


def encoded(random: bytes) -> str:
    """Return 32 random bytes as an entry: the base64 text that WireGuard takes, encoded once more for the Secret."""
    return base64.b64encode(base64.b64encode(random)).decode()


def secret(slice_name: str, end: Member, remote: str, data: Entries) -> Object:
    """Return the Secret of one end of a pair."""
    labels = slices.slice_labels(end, slice_name) | {names.REMOTE_CLUSTER_LABEL: remote}
    name = names.slice_gateway(slice_name, end.name, remote)
    return {
        "apiVersion": SECRETS.api_version,
        "kind": SECRETS.kind,
        "metadata": {"name": name, "namespace": end.namespace, "labels": labels},
        "type": names.TUNNEL_SECRET_TYPE,
        "data": data,
    }


def change(seen: Object, wanted: Entries) -> Object:
    """Return the merge patch that brings a Secret to these entries, {} when it has them.

    It carries the resource version: who wrote the Secret meanwhile is not overwritten, the API server refuses.
    """
    before: Entries = seen.get("data") or {}
    data: dict[str, str | None] = {name: value for name, value in wanted.items() if before.get(name) != value}
    data |= {name: None for name in before if name not in wanted}
    if not data:
        return {}
    return {"metadata": {"resourceVersion": seen["metadata"]["resourceVersion"]}, "data": data}
