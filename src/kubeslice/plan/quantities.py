"""Amounts of resources as Kubernetes writes them, as whole numbers: processors in thousandths, memory in bytes.

Source: k8s.io/apimachinery/pkg/api/resource. Called by `plan.hub.quotas` and by the worker's report.
"""

import re
from decimal import ROUND_CEILING, Decimal

_PARTS = re.compile(r"([0-9]+(?:[.][0-9]+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_DECIMAL = {"m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def parse(resource: str, text: str) -> int | None:
    """Return the whole number that a quantity of a resource stands for, rounded up; None when it is none."""
    match = _PARTS.fullmatch(text.strip())
    if match is None:
        return None
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        number *= 1024 ** (_BINARY.index(suffix) + 1)
    elif suffix:
        number = number.scaleb(_DECIMAL[suffix])
    return int((number * _scale(resource)).to_integral_value(ROUND_CEILING))


def render(resource: str, amount: int) -> str:
    """Return a whole number as the shortest usual quantity of a resource."""
    if _scale(resource) == 1000:
        return str(amount // 1000) if amount % 1000 == 0 else f"{amount}m"
    if not resource.endswith("memory") or not amount:
        return str(amount)
    size = max((power for power in range(len(_BINARY) + 1) if amount % 1024**power == 0), default=0)
    return f"{amount // 1024**size}{_BINARY[size - 1]}" if size else str(amount)


def _scale(resource: str) -> int:
    return 1000 if resource.endswith("cpu") else 1
