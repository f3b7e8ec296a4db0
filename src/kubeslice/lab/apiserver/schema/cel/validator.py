"""All rules of a schema, run over an object: a tree of the places that have rules, so that nothing else is visited.

Transition rules run only where an old value corresponds; other rules are silent about values that did not change.
Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go and KEP-4008.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError
from kubeslice.lab.apiserver.schema import lists
from kubeslice.lab.apiserver.schema.complaints import child, key
from kubeslice.lab.apiserver.schema.node import Node


@dataclass(frozen=True, slots=True)
class Validator:
    """The rules at one place and below."""

    node: Node
    rules: tuple[Any, ...] = ()
    properties: Mapping[str, "Validator"] = field(default_factory=dict)
    additional: "Validator | None" = None
    items: "Validator | None" = None
    is_whole: bool = False

    def check(self, value: Any, path: str = "", old: Any = None) -> Iterator[FieldError]:
        """Yield what the rules have against `value`; `old` is the stored value, None where there is none."""
        if value is None:
            return
        if self.rules:
            yield from self._check_here(value, path, old)
        if isinstance(value, dict):
            yield from self._check_object(value, path, old if isinstance(old, dict) else {})
        elif isinstance(value, list) and self.items is not None:
            before = old if isinstance(old, list) else None
            for index, item in enumerate(value):
                counterpart = lists.counterpart(self.node, item, before)
                yield from self.items.check(item, f"{path}[{index}]", counterpart)

    def _check_object(self, value: dict[str, Any], path: str, old: dict[str, Any]) -> Iterator[FieldError]:
        for name, each in value.items():
            known = self.properties.get(name)
            if known is not None:
                yield from known.check(each, child(path, name), old.get(name))
            elif self.additional is not None:
                yield from self.additional.check(each, key(path, name), old.get(name))

    def _check_here(self, value: Any, path: str, old: Any) -> Iterator[FieldError]:
        from kubeslice.lab.apiserver.schema.cel import rules, terms  # noqa: PLC0415 - loads the engine

        has_old = old is not None
        is_same = has_old and old == value
        variables: dict[str, Any] = {"self": terms.term(self.node, value, whole=self.is_whole)}
        if has_old:
            variables["oldSelf"] = terms.term(self.node, old, whole=self.is_whole)
        variables["oldSelves"] = [variables["oldSelf"]] if has_old else []
        for rule in self.rules:
            if rule.uses_old and not has_old and not rule.old_is_optional:
                continue
            if is_same and not rule.uses_old:
                continue
            error = rules.evaluate(rule, self.node, path, variables)
            if error is not None:
                yield error


def compile_validator(root: Node) -> Validator | None:
    """Compile the rules of a schema, or return None when it has none. Rules that do not compile are left out."""
    return _compile(root, is_whole=True)


def _compile(node: Node, *, is_whole: bool = False) -> Validator | None:
    properties = {name: sub for name, each in node.properties.items() if (sub := _compile(each)) is not None}
    additional = _compile(node.additional) if node.additional is not None else None
    items = _compile(node.items) if node.items is not None else None
    rules = _compile_rules(node)
    if not (rules or properties or additional or items):
        return None
    return Validator(node, rules, properties, additional, items, is_whole or node.embedded)


def _compile_rules(node: Node) -> tuple[Any, ...]:
    sources = [*node.rules, *(rule for part in node.all_of for rule in part.rules)]
    if not sources:
        return ()
    from kubeslice.lab.apiserver.schema.cel import rules  # noqa: PLC0415 - loads the engine
    from kubeslice.lab.apiserver.schema.cel.program import CompileError  # noqa: PLC0415

    compiled = []
    for source in sources:
        try:
            compiled.append(rules.compile_rule(node, source))
        except CompileError:
            continue
    return tuple(compiled)
