"""What a Corefile asks for, typed and checked. Pure.

Plugins that CoreDNS has and this server has not are named in `Site.without_effect`; words that are no plugin at all
are refused, as CoreDNS refuses them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kubeslice.lab.coredns.corefile import Block, CorefileError, Directive

EFFECTIVE = frozenset({
    "kubernetes", "forward", "cache", "errors", "health", "ready", "reload", "hosts", "loop", "loadbalance", "log",
})  # fmt: skip
ELSEWHERE = frozenset({
    "acl", "any", "auto", "autopath", "bind", "bufsize", "cancel", "chaos", "clouddns", "debug", "dns64", "dnssec",
    "dnstap", "erratic", "etcd", "file", "geoip", "grpc", "header", "k8s_external", "local", "metadata", "metrics",
    "minimal", "multisocket", "nsid", "pprof", "prometheus", "quic", "rewrite", "root", "route53", "secondary", "sign",
    "template", "timeouts", "tls", "trace", "transfer", "tsig", "view", "whoami",
})  # fmt: skip
DEFAULT_PORT = 53
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Kubernetes:
    """Answer for Services in `zones`; names not found in a zone of `fallthrough` go on to the next plugin."""

    zones: tuple[str, ...]
    ttl: int = 5
    pods: str = "disabled"
    fallthrough: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forward:
    """Ask other servers about names below `zone`."""

    zone: str
    targets: tuple[str, ...]
    excepted: tuple[str, ...] = ()
    policy: str = "random"
    force_tcp: bool = False


@dataclass(frozen=True)
class Cache:
    """Keep answers for at most these seconds, but none of the zones where that is switched off."""

    success: int = 3600
    denial: int = 1800
    no_success: tuple[str, ...] = ()
    no_denial: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hosts:
    """Addresses of names, written in the Corefile itself."""

    entries: tuple[tuple[str, str], ...]
    ttl: int = 3600
    fallthrough: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """One zone on one port and the plugins that answer for it, in CoreDNS' own order."""

    zone: str
    port: int
    hosts: Hosts | None = None
    kubernetes: Kubernetes | None = None
    forwards: tuple[Forward, ...] = ()
    cache: Cache | None = None
    is_shuffled: bool = False
    is_logged: bool = False
    without_effect: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Configuration:
    """All sites, and the ports of the health and readiness answers (0: none)."""

    sites: tuple[Site, ...]
    health_port: int = 0
    ready_port: int = 0
    lame_duck: float = 0.0
    reloads: bool = False


def configure(blocks: Sequence[Block]) -> Configuration:
    """Type what was parsed. Raises `CorefileError`."""
    if not blocks:
        raise CorefileError("the Corefile has no server block")
    sites: list[Site] = []
    for block in blocks:
        for key in block.keys:
            site = _site(block, *_address(key, block.line))
            if any((other.zone, other.port) == (site.zone, site.port) for other in sites):
                raise CorefileError(
                    f"line {block.line}: cannot serve {site.zone or '.'}:{site.port}, it is served already"
                )
            sites.append(site)
    everything = [directive for block in blocks for directive in block.directives]
    health = _first(everything, "health")
    ready = _first(everything, "ready")
    return Configuration(
        sites=tuple(sites),
        health_port=_port(health, 8080),
        ready_port=_port(ready, 8181),
        lame_duck=_seconds(_option(health, "lameduck")) if health else 0.0,
        reloads=_first(everything, "reload") is not None,
    )


def normalized(zone: str) -> str:
    """Return a zone in lower case without its last dot; the root is ""."""
    return zone.lower().rstrip(".")


def is_below(name: str, zone: str) -> bool:
    """Tell whether a normalized name is `zone` or below it."""
    return not zone or name == zone or name.endswith(f".{zone}")


def _site(block: Block, zone: str, port: int) -> Site:
    known = {directive.name: directive for directive in block.directives}
    for name, directive in known.items():
        if name not in EFFECTIVE and name not in ELSEWHERE:
            raise CorefileError(f"line {directive.line}: Unknown directive '{name}'")
    kubernetes, cache, hosts = known.get("kubernetes"), known.get("cache"), known.get("hosts")
    return Site(
        zone=zone,
        port=port,
        hosts=_hosts(hosts) if hosts else None,
        kubernetes=_kubernetes(kubernetes, zone) if kubernetes else None,
        forwards=tuple(_forward(each) for each in block.directives if each.name == "forward"),
        cache=_cache(cache) if cache else None,
        is_shuffled="loadbalance" in known,
        is_logged="log" in known,
        without_effect=tuple(sorted(known.keys() & ELSEWHERE)),
    )


def _kubernetes(directive: Directive, zone: str) -> Kubernetes:
    zones = tuple(map(normalized, directive.arguments)) or (zone,)
    pods = _option(directive, "pods") or "disabled"
    if pods not in {"disabled", "insecure", "verified"}:
        raise CorefileError(f"line {directive.line}: pods must be disabled, insecure or verified, not {pods}")
    return Kubernetes(zones, int(_option(directive, "ttl") or 5), pods, _fallthrough(directive, zones))


def _forward(directive: Directive) -> Forward:
    if len(directive.arguments) < 2:
        raise CorefileError(f"line {directive.line}: forward needs a zone and at least one server")
    zone, *targets = directive.arguments
    for target in targets:
        if "://" in target and not target.startswith("dns://"):
            raise CorefileError(f"line {directive.line}: {target} is not reachable from here, only plain DNS is")
    excepted = [name for each in directive.body if each.name == "except" for name in each.arguments]
    return Forward(
        zone=normalized(zone),
        targets=tuple(target.removeprefix("dns://") for target in targets),
        excepted=tuple(map(normalized, excepted)),
        policy=_option(directive, "policy") or "random",
        force_tcp=any(each.name == "force_tcp" for each in directive.body),
    )


def _cache(directive: Directive) -> Cache:
    arguments = directive.arguments
    limit = int(arguments[0]) if arguments and arguments[0].isdecimal() else None
    success, denial = limit or 3600, min(limit or 1800, 1800)
    off: dict[str, tuple[str, ...]] = {}
    for each in directive.body:
        if each.name == "disable" and each.arguments:
            off[each.arguments[0]] = tuple(map(normalized, each.arguments[1:])) or ("",)
        elif each.name in {"success", "denial"} and len(each.arguments) > 1:
            seconds = int(each.arguments[1])
            success, denial = (seconds, denial) if each.name == "success" else (success, seconds)
    return Cache(success, denial, off.get("success", ()), off.get("denial", ()))


def _hosts(directive: Directive) -> Hosts:
    entries = [
        (normalized(name), each.name)
        for each in directive.body
        if re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", each.name)
        for name in each.arguments
    ]
    return Hosts(tuple(entries), int(_option(directive, "ttl") or 3600), _fallthrough(directive, ("",)))


def _fallthrough(directive: Directive, zones: tuple[str, ...]) -> tuple[str, ...]:
    found = next((each for each in directive.body if each.name == "fallthrough"), None)
    if found is None:
        return ()
    return tuple(map(normalized, found.arguments)) or zones


def _address(key: str, line: int) -> tuple[str, int]:
    bare = key.removeprefix("dns://")
    if "://" in bare:
        raise CorefileError(f"line {line}: {key} is not plain DNS")
    zone, colon, port = bare.rpartition(":")
    if not colon:
        return normalized(bare), DEFAULT_PORT
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise CorefileError(f"line {line}: {key} has no usable port")
    return normalized(zone), int(port)


def _first(directives: Sequence[Directive], name: str) -> Directive | None:
    return next((each for each in directives if each.name == name), None)


def _option(directive: Directive | None, name: str) -> str:
    if directive is None:
        return ""
    return next((each.arguments[0] for each in directive.body if each.name == name and each.arguments), "")


def _port(directive: Directive | None, default: int) -> int:
    if directive is None:
        return 0
    text = directive.arguments[0].rpartition(":")[2] if directive.arguments else ""
    return int(text) if text.isdecimal() else default


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)(ms|s|m|h)", text)
    return int(found[1]) * UNITS[found[2]] if found else 0.0
