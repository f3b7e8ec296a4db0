"""Amounts of resources: parsing quantities and comparing requests with limits.

Source: k8s.io/apimachinery/pkg/api/resource.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import child, invalid

_PARTS = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d+))?$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def parse_quantity(text: str) -> Decimal | None:
    """Return the amount a quantity stands for, or None when it is none."""
    match = _PARTS.match(str(text))
    if match is None:
        return None
    number, suffix, exponent = Decimal(match[1]), match[2], match[3]
    if exponent:
        return number.scaleb(int(exponent))
    if suffix in _BINARY:
        return number * Decimal(1024 ** _BINARY[suffix])
    return number.scaleb(_DECIMAL[suffix]) if suffix else number


def check_resources(resources: Object, path: str) -> Iterator[FieldError]:
    """Check the requests and limits of a container."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, text in amounts.items():
            if (parse_quantity(text) or 0) < 0:
                yield invalid(f"{path}.{field}[{name}]", text, "must be greater than or equal to 0")
    for name, text in requests.items():
        asked, allowed = parse_quantity(text), parse_quantity(limits.get(name, ""))
        if asked is not None and allowed is not None and asked > allowed:
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(child(path, "requests"), text, why)
