"""The label selector language of the API (`a=b,c in (d,e),!f`) and `metav1.LabelSelector`; pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]

_TOKEN = re.compile(r"\s*(==|!=|=|!|>|<|,|\(|\)|[^\s=!<>,()]+)")
_NAME = re.compile(r"([A-Za-z0-9.\-]+/)?[A-Za-z0-9]([A-Za-z0-9._\-]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._\-]{0,61}[A-Za-z0-9])?)?")


class SelectorError(ValueError):
    """The selector cannot be parsed."""


def parse(text: str) -> list[Requirement]:
    """Parse a selector into requirements that must all hold."""
    tokens = [match.group(1) for match in _TOKEN.finditer(text)]
    requirements: list[Requirement] = []
    while tokens:
        requirements.append(_requirement(tokens, text))
        if tokens and tokens.pop(0) != ",":
            raise SelectorError(f"unable to parse requirement: found '{text}', expected: ',' or 'end of string'")
    return requirements


def matches(requirements: list[Requirement], labels: Labels) -> bool:
    """Whether labels fulfil all requirements."""
    return all(requirement(labels) for requirement in requirements)


def _requirement(tokens: list[str], text: str) -> Requirement:
    first = tokens.pop(0)
    if first.startswith("!"):
        absent = _key(tokens.pop(0) if tokens else "")
        return lambda labels: absent not in labels
    key = _key(first)
    if not tokens or tokens[0].startswith(","):
        return lambda labels: key in labels
    return _operation(key, tokens.pop(0), tokens, text)


def _operation(key: str, operator: str, tokens: list[str], text: str) -> Requirement:
    if operator in ("in", "notin"):
        values = _values(tokens, text)
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    value = tokens.pop(0) if tokens and tokens[0] != "," else ""
    if operator in ("=", "=="):
        _check_value(value)
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        _check_value(value)
        return lambda labels: labels.get(key) != value
    if operator in (">", "<"):
        return _comparison(key, operator, value)
    raise SelectorError(f"unable to parse requirement: found '{operator}', expected: in, notin, =, ==, !=, gt, lt")


def _comparison(key: str, operator: str, value: str) -> Requirement:
    try:
        bound = int(value)
    except ValueError as wrong:
        raise SelectorError(f"for 'Gt', 'Lt' operators, the value must be an integer: {value!r}") from wrong

    def holds(labels: Labels) -> bool:
        text = labels.get(key, "")
        if not text.lstrip("-").isdigit():
            return False
        return int(text) > bound if operator == ">" else int(text) < bound

    return holds


def _values(tokens: list[str], text: str) -> frozenset[str]:
    if not tokens or tokens.pop(0) != "(":
        raise SelectorError(f"unable to parse requirement: found '{text}', expected: '('")
    values: set[str] = set()
    while tokens and tokens[0] != ")":
        value = tokens.pop(0)
        if value != ",":
            _check_value(value)
            values.add(value)
    if not tokens:
        raise SelectorError("unable to parse requirement: found '', expected: ',' or ')'")
    tokens.pop(0)
    return frozenset(values or {""})


def _key(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise SelectorError(
            f'unable to parse requirement: <nil>: Invalid value: "{text}": name part must consist of alphanumeric'
            " characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        )
    return text


def _check_value(value: str) -> None:
    if not _VALUE.fullmatch(value):
        raise SelectorError(
            f'unable to parse requirement: <nil>: Invalid value: "{value}": a valid label must be an empty string or'
            " consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
            " character"
        )


def selects(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether a `metav1.LabelSelector` selects labels; an absent selector selects nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(name) != value for name, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression_holds(one, labels) for one in selector.get("matchExpressions") or [])


def _expression_holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def written(selector: Mapping[str, Any] | None) -> str:
    """Write a `metav1.LabelSelector` in the query language, as `scale.status.selector` has it."""
    if not selector:
        return ""
    parts = [f"{name}={value}" for name, value in sorted((selector.get("matchLabels") or {}).items())]
    return ",".join(parts + [_written(one) for one in selector.get("matchExpressions") or []])


def _written(expression: Mapping[str, Any]) -> str:
    key = expression["key"]
    match expression["operator"]:
        case "Exists":
            return str(key)
        case "DoesNotExist":
            return f"!{key}"
        case operator:
            return f"{key} {operator.lower()} ({','.join(sorted(expression.get('values') or []))})"
