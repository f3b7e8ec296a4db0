"""Files that give a pod its name and name servers: /etc/hosts, /etc/hostname, /etc/resolv.conf. Pure."""

from typing import Any

from kubeslice.lab.topology import DNS_DOMAIN, DNS_SERVICE

Object = dict[str, Any]


def identity_files(pod: Object, address: str, node_files: dict[str, str]) -> dict[str, str]:
    """Return the content of `hosts`, `hostname` and `resolv.conf`; `node_files` are the node's own."""
    resolver = resolver_file(pod, node_files["resolv.conf"])
    if pod["spec"].get("hostNetwork"):
        return node_files | {"resolv.conf": resolver}
    host = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return {"hosts": hosts_file(pod, host, address), "hostname": f"{host}\n", "resolv.conf": resolver}


def hosts_file(pod: Object, host: str, address: str) -> str:
    """Return /etc/hosts as the kubelet writes it."""
    subdomain = pod["spec"].get("subdomain")
    full = f"{host}.{subdomain}.{pod['metadata']['namespace']}.svc.{DNS_DOMAIN}\t" if subdomain else ""
    lines = ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", f"{address}\t{full}{host}"]
    aliases = pod["spec"].get("hostAliases") or []
    lines += [f"{alias['ip']}\t{' '.join(alias.get('hostnames') or [])}" for alias in aliases]
    return "\n".join(lines) + "\n"


def resolver_file(pod: Object, node_resolver: str) -> str:
    """Return /etc/resolv.conf for the pod's dnsPolicy and dnsConfig."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    if policy == "Default" and not spec.get("dnsConfig"):
        return node_resolver
    servers, search, options = _read(node_resolver) if policy == "Default" else ([], [], [])
    if policy in {"ClusterFirst", "ClusterFirstWithHostNet"}:
        namespace = pod["metadata"]["namespace"]
        servers = [DNS_SERVICE]
        search = [f"{namespace}.svc.{DNS_DOMAIN}", f"svc.{DNS_DOMAIN}", DNS_DOMAIN]
        options = ["ndots:5"]
    own = spec.get("dnsConfig") or {}
    servers = list(dict.fromkeys([*servers, *(own.get("nameservers") or [])]))
    search = list(dict.fromkeys([*search, *(own.get("searches") or [])]))
    overriding = {entry["name"]: entry.get("value") for entry in own.get("options") or []}
    options = [option for option in options if option.partition(":")[0] not in overriding]
    options += [f"{name}:{value}" if value else name for name, value in overriding.items()]
    lines = [f"nameserver {server}" for server in servers]
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(options)}"] if options else []
    return "\n".join(lines) + "\n"


def _read(text: str) -> tuple[list[str], list[str], list[str]]:
    words = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return (
        [line[1] for line in words if line[0] == "nameserver"],
        [name for line in words if line[0] == "search" for name in line[1:]],
        [option for line in words if line[0] == "options" for option in line[1:]],
    )
