"""The rules at one place of a schema (`x-kubernetes-validations`), compiled; `definition` refuses bad ones.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go.
"""

import re
from dataclasses import dataclass
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError
from kubeslice.lab.apiserver.schema import complaints
from kubeslice.lab.apiserver.schema.cel import terms
from kubeslice.lab.apiserver.schema.cel.program import (
    CompileError,
    EvaluationError,
    Program,
    check_types,
    compile_program,
)
from kubeslice.lab.apiserver.schema.node import Node

_STRINGS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_OLD = re.compile(r"\boldSelf\b")
_OPTIONAL_OLD = "cel.bind(oldSelf, size(oldSelves) == 0 ? optional.none() : optional.of(oldSelves[0]), {})"
_PATH_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_MESSAGE_LIMIT = 5 * 1024


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule."""

    source: str
    program: Program
    message: str
    message_program: Program | None
    reason: str
    field_path: str
    uses_old: bool
    old_is_optional: bool


def compile_rule(node: Node, rule: dict[str, Any]) -> Rule:
    """Compile one rule of a node. Raises `CompileError`."""
    source, optional = rule.get("rule") or "", bool(rule.get("optionalOldSelf"))
    uses_old = mentions_old(source)
    kind = terms.type_of(node)
    variables = {"self": kind} | ({"oldSelf": kind} if uses_old and not optional else {})
    if optional:
        variables["oldSelves"] = "list"
    explain = rule.get("messageExpression") or ""
    return Rule(
        source=source.strip(),
        program=compile_program(_wrapped(source, optional=optional), variables),
        message=(rule.get("message") or "").strip(),
        message_program=_compile_message(explain, variables, optional=optional),
        reason=rule.get("reason") or "FieldValueInvalid",
        field_path=_field_path(rule.get("fieldPath") or ""),
        uses_old=uses_old,
        old_is_optional=optional,
    )


def check_rule(node: Node, rule: dict[str, Any], *, is_whole: bool) -> None:
    """Check the types of one rule of a node, field by field. Raises `CompileError`."""
    from cel_expr_python import cel  # noqa: PLC0415 - with the next one, for definitions only

    from kubeslice.lab.apiserver.schema.cel.descriptors import Types  # noqa: PLC0415

    types = Types(node, is_whole=is_whole)
    source, optional = rule.get("rule") or "", bool(rule.get("optionalOldSelf"))
    old = {"oldSelves": cel.Type.List(types.self_type)} if optional else {"oldSelf": types.self_type}
    variables = {"self": types.self_type, **old}
    check_types(_wrapped(source, optional=optional), variables, types.pool)
    explain = rule.get("messageExpression") or ""
    if explain:
        try:
            check_types(_wrapped(explain, optional=optional), variables, types.pool, returns="string")
        except CompileError as error:
            raise CompileError(f"messageExpression {error}") from error


def mentions_old(source: str) -> bool:
    """Tell whether an expression uses `oldSelf`: then it judges a transition."""
    return bool(_OLD.search(_STRINGS.sub("", source)))


def _wrapped(source: str, *, optional: bool) -> str:
    return _OPTIONAL_OLD.format(f"({source})") if optional else source


def _compile_message(source: str, variables: dict[str, str], *, optional: bool) -> Program | None:
    if not source:
        return None
    known = variables if optional or "oldSelf" in variables else {**variables, "oldSelf": variables["self"]}
    try:
        return compile_program(_wrapped(source, optional=optional), known, returns="string")
    except CompileError as error:
        raise CompileError(f"messageExpression {error}") from error


def _field_path(path: str) -> str:
    """Write a JSON path (`.spec['a']`) as a field path to be appended (`.spec.a`)."""
    return "".join(f".{match[1] or match[2]}" for match in _PATH_STEP.finditer(path))


def evaluate(rule: Rule, node: Node, path: str, variables: dict[str, Any]) -> FieldError | None:
    """Return what the rule has against the values in `variables`."""
    shown_type = node.type
    try:
        if rule.program.evaluate(variables) is True:
            return None
    except EvaluationError as error:
        return complaints.invalid(path, shown_type, _failure(rule, str(error)))
    detail = _message(rule, variables)
    where = (path + rule.field_path).removeprefix(".")
    match rule.reason:
        case "FieldValueForbidden":
            return complaints.forbidden(where, detail)
        case "FieldValueRequired":
            return complaints.required(where, detail)
        case "FieldValueDuplicate":
            return complaints.duplicate(where, shown_type)
        case _:
            return complaints.invalid(where, shown_type, detail)


def _failure(rule: Rule, error: str) -> str:
    about = rule.message or rule.source
    if error.startswith("no such overload"):
        mismatch = "call arguments did not match a supported operator, function or macro signature"
        return f"'{error}': {mismatch} for rule: {about}"
    return f"{error} evaluating rule: {about}"


def _message(rule: Rule, variables: dict[str, Any]) -> str:
    fixed = rule.message or f"failed rule: {rule.source}"
    if rule.message_program is None:
        return fixed
    try:
        text = rule.message_program.evaluate(variables)
    except EvaluationError:
        return fixed
    text = text.strip() if isinstance(text, str) else ""
    return fixed if not text or "\n" in text or len(text) > _MESSAGE_LIMIT else text
