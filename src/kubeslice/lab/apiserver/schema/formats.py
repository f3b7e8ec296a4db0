"""The string formats that structural schemas may name; unknown formats accept every string, as in kube-apiserver.

Source: k8s.io/kube-openapi/pkg/validation/strfmt and the list of supported formats of apiextensions-apiserver.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from urllib.parse import urlsplit

_DATE_TIME = re.compile(r"^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})([.,]\d+)?([Zz]|[+-]\d{2}:\d{2})$", re.ASCII)
_AMOUNT = r"(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ns|us|µs|μs|ms|hours?|minutes?|seconds?|days?|weeks?|[smhdw])"
_DURATION = re.compile(rf"^[+-]?(?:0|{_AMOUNT}(?:\s*{_AMOUNT})*)$")
_HOST_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = re.compile(rf"^(?=.{{1,255}}$){_HOST_LABEL}(\.{_HOST_LABEL})*\.?$")
_UUID = re.compile(r"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$", re.IGNORECASE)
_MAC = re.compile(
    r"^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$|^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$", re.IGNORECASE
)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")


def is_date_time(text: str) -> bool:
    """Tell whether `text` is a date and time of RFC 3339."""
    match = _DATE_TIME.match(text)
    if match is None:
        return False
    try:
        datetime.fromisoformat(f"{match[1]}T{match[2].replace(':60', ':59')}+00:00")
    except ValueError:
        return False
    return True


def is_ipv4(text: str) -> bool:
    """Tell whether `text` is an IPv4 address."""
    return _accepts(ipaddress.IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """Tell whether `text` is an IPv6 address."""
    return "%" not in text and _accepts(ipaddress.IPv6Address, text)


def is_cidr(text: str) -> bool:
    """Tell whether `text` is an address with a prefix length; host bits may be set."""
    _, slash, length = text.partition("/")
    return bool(slash) and length.isascii() and length.isdigit() and _accepts(ipaddress.ip_interface, text)


def is_uri(text: str) -> bool:
    """Tell whether `text` is an absolute URI or an absolute path."""
    parts = urlsplit(text)
    return bool(parts.scheme) or text.startswith("/")


def is_byte(text: str) -> bool:
    """Tell whether `text` is base64."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def is_date(text: str) -> bool:
    """Tell whether `text` is a day, `2006-01-02`."""
    return len(text) == len("2006-01-02") and _accepts(date.fromisoformat, text)


def _accepts(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


_CHECKS: Mapping[str, Callable[[str], object]] = {
    "byte": is_byte,
    "cidr": is_cidr,
    "date": is_date,
    "date-time": is_date_time,
    "datetime": is_date_time,
    "duration": _DURATION.match,
    "email": _EMAIL.match,
    "hostname": _HOST.match,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "mac": _MAC.match,
    "uri": is_uri,
    "uuid": _UUID.match,
}


def is_valid(name: str, text: str) -> bool:
    """Tell whether `text` has the named format."""
    check = _CHECKS.get(name)
    return check is None or bool(check(text))
