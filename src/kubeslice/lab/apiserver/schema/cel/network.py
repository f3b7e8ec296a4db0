"""The CEL functions of Kubernetes on IP addresses, CIDRs and URLs.

Addresses and networks are maps with one marked key, because the engine carries no values of our own types.
Source: k8s.io/apiserver/pkg/cel/library/ip.go, cidr.go and urls.go.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from cel_expr_python import cel

from kubeslice.lab.apiserver.schema.cel.overloads import declare, function, method, single

_IP, _CIDR, _URL = "kubernetes.io/ip", "kubernetes.io/cidr", "kubernetes.io/url"
_BOOL, _INT, _STRING = cel.Type.BOOL, cel.Type.INT, cel.Type.STRING
_MAP = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_LISTS = cel.Type.Map(cel.Type.STRING, cel.Type.List(cel.Type.STRING))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def _address(text: str) -> Address:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise ValueError(f"IP Address {text!r} parse error during conversion from string")
    return address


def _interface(text: str) -> Interface:
    _, slash, length = text.partition("/")
    if not slash or not length.isdigit():
        raise ValueError(f"network address parse error during conversion from string: {text!r}")
    return ipaddress.ip_interface(text)


def _accepts(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _of(value: Any, mark: str) -> str:
    if isinstance(value, dict) and mark in value:
        return str(value[mark])
    raise ValueError("no such overload")


def _ip(value: Any) -> Address:
    return ipaddress.ip_address(_of(value, _IP))


def _cidr(value: Any) -> Interface:
    return ipaddress.ip_interface(_of(value, _CIDR))


def _shown_ip(address: Address) -> dict[str, str]:
    return {_IP: str(address)}


def _contains_ip(network: Any, address: Address) -> bool:
    return address in _cidr(network).network


def _contains_cidr(network: Any, other: Interface) -> bool:
    outer, inner = _cidr(network).network, other.network
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _is_global_unicast(address: Address) -> bool:
    is_broadcast = str(address) == "255.255.255.255"
    return not (
        address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local or is_broadcast
    )


def _is_link_local_multicast(address: Address) -> bool:
    groups = ("224.0.0.0/24", "ff02::/16")
    return any(address in ipaddress.ip_network(group) for group in groups)


_PROPERTIES: Mapping[str, Callable[[Address], bool]] = {
    "isUnspecified": lambda address: address.is_unspecified,
    "isLoopback": lambda address: address.is_loopback,
    "isLinkLocalMulticast": _is_link_local_multicast,
    "isLinkLocalUnicast": lambda address: address.is_link_local,
    "isGlobalUnicast": _is_global_unicast,
}


def _url(text: str) -> dict[str, str]:
    parts = urlsplit(text)
    if not (parts.scheme or text.startswith("/")):
        raise ValueError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    return {_URL: text}


def _split(value: Any) -> SplitResult:
    return urlsplit(_of(value, _URL))


def _host(value: Any) -> str:
    return _split(value).netloc.rpartition("@")[2]


def _port(value: Any) -> str:
    port = _split(value).port
    return "" if port is None else str(port)


def declarations() -> Iterable[Any]:
    """Return the declarations of these functions, with what they do."""
    yield single(function, "isIP", _BOOL, [_STRING], lambda text: _accepts(_address, text))
    yield declare(
        "ip",
        function("ip", _MAP, [_STRING], lambda text: _shown_ip(_address(text))),
        method("ip", _MAP, [_MAP], lambda network: _shown_ip(_cidr(network).ip)),
    )
    yield single(function, "ip.isCanonical", _BOOL, [_STRING], lambda text: str(_address(text)) == text)
    yield single(method, "family", _INT, [_MAP], lambda value: _ip(value).version)
    for name, holds in _PROPERTIES.items():
        yield single(method, name, _BOOL, [_MAP], lambda value, holds=holds: holds(_ip(value)))
    yield from _network_declarations()
    yield from _url_declarations()


def _network_declarations() -> Iterable[Any]:
    yield single(function, "isCIDR", _BOOL, [_STRING], lambda text: _accepts(_interface, text))
    yield single(function, "cidr", _MAP, [_STRING], lambda text: {_CIDR: str(_interface(text))})
    yield single(method, "prefixLength", _INT, [_MAP], lambda value: _cidr(value).network.prefixlen)
    yield single(method, "masked", _MAP, [_MAP], lambda value: {_CIDR: str(_cidr(value).network)})
    yield declare(
        "containsIP",
        method("containsIP", _BOOL, [_MAP, _STRING], lambda value, text: _contains_ip(value, _address(text))),
        method("containsIP", _BOOL, [_MAP, _MAP], lambda value, other: _contains_ip(value, _ip(other))),
    )
    yield declare(
        "containsCIDR",
        method("containsCIDR", _BOOL, [_MAP, _STRING], lambda value, text: _contains_cidr(value, _interface(text))),
        method("containsCIDR", _BOOL, [_MAP, _MAP], lambda value, other: _contains_cidr(value, _cidr(other))),
    )


def _url_declarations() -> Iterable[Any]:
    yield single(function, "isURL", _BOOL, [_STRING], lambda text: _accepts(_url, text))
    yield single(function, "url", _MAP, [_STRING], _url)
    yield single(method, "getScheme", _STRING, [_MAP], lambda value: _split(value).scheme)
    yield single(method, "getHost", _STRING, [_MAP], _host)
    yield single(method, "getHostname", _STRING, [_MAP], lambda value: _split(value).hostname or "")
    yield single(method, "getPort", _STRING, [_MAP], _port)
    yield single(method, "getEscapedPath", _STRING, [_MAP], lambda value: _split(value).path)
    yield single(
        method, "getQuery", _LISTS, [_MAP], lambda value: parse_qs(_split(value).query, keep_blank_values=True)
    )
