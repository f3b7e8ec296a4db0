"""The key of one object in one cluster: what reconcilers are called with and work queues hold."""

from typing import NamedTuple

OWN = ""
HUB = "hub"


class Key(NamedTuple):
    """Which object: `cluster` is `OWN` for the cluster the process runs in and `HUB` for the hub."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in self if part)
