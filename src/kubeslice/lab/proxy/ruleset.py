"""The nftables table of a node, as text for `nft -f -`. Pure.

Source: the nftables mode of kube-proxy (KEP-3866). Verdict maps find a Service in one step; its chain marks what must
be masqueraded and picks a backend at random, or the client's last one where the Service asks for affinity.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kubeslice.kube.api import Object
from kubeslice.lab.proxy.frontends import Backend, Frontend, frontends

TABLE = "kube-proxy"
MASQUERADE = "0x4000"
REPLACE = f"table ip {TABLE}\ndelete table ip {TABLE}\n"
AFFINITY_PREFIX = "affinity-"


@dataclass(frozen=True)
class Local:
    """The node the table is for, and the addresses that pods of the cluster have."""

    name: str
    pod_cidr: str = "10.244.0.0/16"


@dataclass(frozen=True, order=True)
class Client:
    """A client that affinity binds to a backend: address, and seconds until that ends."""

    address: str
    seconds: int


Clients = Mapping[str, Sequence[Client]]


def render(services: Iterable[Object], slices: Iterable[Object], node: Local, clients: Clients | None = None) -> str:
    """Return the whole table for these Services; `clients` are the affinities to keep, by set name."""
    return table(frontends(services, slices, node.name), node, clients or {})


def table(offered: Sequence[Frontend], node: Local, clients: Clients) -> str:
    """Return the transaction that replaces the table."""
    chains = [line for frontend in offered for line in _service_chains(frontend, node, clients)]
    lines = [f"table ip {TABLE} {{", *_maps(offered), *chains, *_base(), "}"]
    return REPLACE + "\n".join(lines) + "\n"


def affinity_set(frontend: Frontend, backend: Backend) -> str:
    """Return the name of the set of clients that stay with this backend."""
    return f"{AFFINITY_PREFIX}{_tag(frontend)}-{backend.address}-{backend.port}"


def _maps(offered: Sequence[Frontend]) -> list[str]:
    inner = [f"{each.cluster_ip} . {each.protocol} . {each.port} : goto in-{_tag(each)}" for each in offered]
    outer = [
        f"{address} . {each.protocol} . {each.port} : goto out-{_tag(each)}"
        for each in offered
        for address in each.outer_ips
    ]
    nodes = [f"{each.protocol} . {each.node_port} : goto out-{_tag(each)}" for each in offered if each.node_port]
    closed = [f"{each.protocol} . {each.node_port}" for each in offered if each.node_port and not each.external]
    local = {backend.address for each in offered for backend in each.cluster if backend.is_local}
    return [
        *_elements("map services", "type ipv4_addr . inet_proto . inet_service : verdict", _distinct([*inner, *outer])),
        *_elements("map node-ports", "type inet_proto . inet_service : verdict", _distinct(nodes)),
        *_elements("set closed-node-ports", "type inet_proto . inet_service", _distinct(closed)),
        *_elements("set cluster-ips", "type ipv4_addr", sorted({each.cluster_ip for each in offered})),
        *_elements("set hairpins", "type ipv4_addr . ipv4_addr", [f"{each} . {each}" for each in sorted(local)]),
    ]


def _base() -> list[str]:
    refuse = [
        "ct state new ip daddr @cluster-ips reject",
        "ct state new fib daddr type local meta l4proto . th dport @closed-node-ports reject",
    ]
    return [
        *_chain("find", [
            "ip daddr . meta l4proto . th dport vmap @services",
            "ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @node-ports",
        ]),
        *_chain("prerouting", ["type nat hook prerouting priority dstnat;", "jump find"]),
        *_chain("output", ["type nat hook output priority -100;", "jump find"]),
        *_chain("postrouting", [
            "type nat hook postrouting priority srcnat;",
            f"meta mark & {MASQUERADE} != 0 meta mark set meta mark ^ {MASQUERADE} masquerade",
            "ct status dnat ip saddr . ip daddr @hairpins masquerade",
        ]),
        *(line for hook in ("input", "forward", "output") for line in _chain(
            f"refuse-{hook}", [f"type filter hook {hook} priority filter;", *refuse]
        )),
    ]  # fmt: skip


def _service_chains(frontend: Frontend, node: Local, clients: Clients) -> list[str]:
    tag = _tag(frontend)
    mark = f"meta mark set meta mark | {MASQUERADE}"
    inside = [f"ip saddr != {node.pod_cidr} {mark}", f"goto {'near' if frontend.is_internal_local else 'all'}-{tag}"]
    if frontend.is_external_local:
        # Traffic from this node and its pods may go anywhere; what comes from outside keeps its source and stays here.
        outside = [
            f"ip saddr {node.pod_cidr} goto all-{tag}",
            f"fib saddr type local {mark} goto all-{tag}",
            f"goto near-{tag}",
        ]
    else:
        outside = [mark, f"goto all-{tag}"]
    chains = [*_affinities(frontend, clients), *_backends(f"all-{tag}", frontend, frontend.cluster)]
    if frontend.is_internal_local or frontend.is_external_local:
        chains += _backends(f"near-{tag}", frontend, frontend.local)
    comment = f"# {frontend.name}"
    return [comment, *chains, *_chain(f"in-{tag}", inside), *_chain(f"out-{tag}", outside)]


def _affinities(frontend: Frontend, clients: Clients) -> list[str]:
    if not frontend.affinity:
        return []
    lines = []
    for backend in sorted({*frontend.cluster, *frontend.local}):
        name = affinity_set(frontend, backend)
        kind = f"type ipv4_addr; flags dynamic,timeout; timeout {frontend.affinity}s"
        known = [
            f"{client.address} timeout {frontend.affinity}s expires {min(client.seconds, frontend.affinity)}s"
            for client in clients.get(name, ())
        ]
        lines += _elements(f"set {name}", kind, known)
        to = f"dnat to {backend.address}:{backend.port}"
        lines += _chain(f"to-{_backend_tag(frontend, backend)}", [
            f"update @{name} {{ ip saddr }}", f"meta l4proto {frontend.protocol} {to}",
        ])  # fmt: skip
    return lines


def _backends(name: str, frontend: Frontend, backends: Sequence[Backend]) -> list[str]:
    if not backends:
        # Refused later where the address is our own; a node port without local backends swallows what comes.
        return _chain(name, ["drop"] if name.startswith("near-") else [])
    if frontend.affinity:
        return _chain(name, _sticky(frontend, backends))
    choices = ", ".join(f"{number} : {each.address} . {each.port}" for number, each in enumerate(backends))
    pick = f"dnat ip to numgen random mod {len(backends)} map {{ {choices} }}"
    return _chain(name, [f"meta l4proto {frontend.protocol} {pick}"])


def _sticky(frontend: Frontend, backends: Sequence[Backend]) -> list[str]:
    known = [f"ip saddr @{affinity_set(frontend, each)} goto to-{_backend_tag(frontend, each)}" for each in backends]
    choices = ", ".join(f"{number} : goto to-{_backend_tag(frontend, each)}" for number, each in enumerate(backends))
    return [*known, f"numgen random mod {len(backends)} vmap {{ {choices} }}"]


def _chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f"  chain {name} {{", *(f"    {rule}" for rule in rules), "  }"]


def _elements(name: str, kind: str, elements: Sequence[str]) -> list[str]:
    listed = [f"    elements = {{ {', '.join(elements)} }}"] if elements else []
    return [f"  {name} {{", f"    {kind}", *listed, "  }"]


def _distinct(elements: Iterable[str]) -> list[str]:
    """Keep the first element of each key: two Services cannot have the same address and port."""
    found: dict[str, str] = {}
    for element in elements:
        found.setdefault(element.partition(" : ")[0], element)
    return list(found.values())


def _tag(frontend: Frontend) -> str:
    return hashlib.sha256(frontend.name.encode()).hexdigest()[:12]


def _backend_tag(frontend: Frontend, backend: Backend) -> str:
    return f"{_tag(frontend)}-{backend.address}-{backend.port}"
