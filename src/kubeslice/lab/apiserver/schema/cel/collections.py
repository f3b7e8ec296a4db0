"""The CEL functions of Kubernetes on lists and sets, and on quantities.

Source: k8s.io/apiserver/pkg/cel/library/lists.go, quantity.go and github.com/google/cel-go/ext/sets.go.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cel_expr_python import cel

from kubeslice.lab.apiserver.schema.cel import texts
from kubeslice.lab.apiserver.schema.cel.overloads import declare, function, method, single
from kubeslice.lab.apiserver.schema.rules.quantities import parse_quantity

_LIST, _BOOL, _INT, _STRING, _DYN = cel.Type.LIST, cel.Type.BOOL, cel.Type.INT, cel.Type.STRING, cel.Type.DYN
_ITEMS = (cel.Type.INT, cel.Type.UINT, cel.Type.DOUBLE, cel.Type.STRING, cel.Type.BOOL, cel.Type.MAP, cel.Type.LIST)
_MAP = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_QUANTITY = "kubernetes.io/quantity"


def _extreme(values: list[Any], choose: Any) -> Any:
    if not values:
        raise ValueError(f"{choose.__name__} called on empty list")
    return choose(values)


def _index_of(values: list[Any], wanted: Any) -> int:
    return values.index(wanted) if wanted in values else -1


def _last_index_of(values: list[Any], wanted: Any) -> int:
    return max((index for index, value in enumerate(values) if value == wanted), default=-1)


def _contains(values: list[Any], others: list[Any]) -> bool:
    return all(other in values for other in others)


def _quantity(text: str) -> dict[str, str]:
    if parse_quantity(text) is None:
        raise ValueError("quantities must match the regular expression")
    return {_QUANTITY: text}


def _amount(value: Any) -> Decimal:
    amount = parse_quantity(value.get(_QUANTITY, "")) if isinstance(value, dict) else None
    if amount is None:
        raise ValueError("no such overload")
    return amount


def _compared(one: Any, other: Any) -> int:
    a, b = _amount(one), _amount(other)
    return (a > b) - (a < b)


def _made(amount: Decimal) -> dict[str, str]:
    return {_QUANTITY: f"{amount.normalize():f}"}


def _plus(other: Any) -> Decimal:
    return _amount(other) if isinstance(other, dict) else Decimal(other)


def declarations() -> Iterable[Any]:
    """Return the declarations of these functions, with what they do."""
    yield single(method, "isSorted", _BOOL, [_LIST], lambda values: values == sorted(values))
    yield single(method, "sum", _DYN, [_LIST], sum)
    yield single(method, "min", _DYN, [_LIST], lambda values: _extreme(values, min))
    yield single(method, "max", _DYN, [_LIST], lambda values: _extreme(values, max))
    first, last = texts.index_overloads()
    yield declare("indexOf", *first, *(method("indexOf", _INT, [_LIST, item], _index_of) for item in _ITEMS))
    yield declare(
        "lastIndexOf", *last, *(method("lastIndexOf", _INT, [_LIST, item], _last_index_of) for item in _ITEMS)
    )
    yield single(function, "sets.contains", _BOOL, [_LIST, _LIST], _contains)
    yield single(
        function,
        "sets.equivalent",
        _BOOL,
        [_LIST, _LIST],
        lambda one, other: _contains(one, other) and _contains(other, one),
    )
    yield single(
        function, "sets.intersects", _BOOL, [_LIST, _LIST], lambda one, other: any(value in other for value in one)
    )
    yield from _quantity_declarations()


def _quantity_declarations() -> Iterable[Any]:
    yield single(function, "isQuantity", _BOOL, [_STRING], lambda text: parse_quantity(text) is not None)
    yield single(function, "quantity", _MAP, [_STRING], _quantity)
    yield single(method, "isGreaterThan", _BOOL, [_MAP, _MAP], lambda one, other: _compared(one, other) > 0)
    yield single(method, "isLessThan", _BOOL, [_MAP, _MAP], lambda one, other: _compared(one, other) < 0)
    yield single(method, "compareTo", _INT, [_MAP, _MAP], _compared)
    yield single(method, "asInteger", _INT, [_MAP], lambda value: int(_amount(value)))
    yield single(method, "asApproximateFloat", cel.Type.DOUBLE, [_MAP], lambda value: float(_amount(value)))
    yield single(method, "isInteger", _BOOL, [_MAP], lambda value: _amount(value) % 1 == 0)
    yield single(method, "sign", _INT, [_MAP], lambda value: _compared(value, {_QUANTITY: "0"}))
    for name, sign in (("add", 1), ("sub", -1)):
        yield declare(
            name,
            *(
                method(
                    name, _MAP, [_MAP, kind], lambda one, other, sign=sign: _made(_amount(one) + sign * _plus(other))
                )
                for kind in (_MAP, _INT)
            ),
        )
