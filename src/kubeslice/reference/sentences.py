"""Finds in the source what it says about objects: the conditions it sets and the problems it names.

Reads the syntax tree and runs nothing. A sentence is shown as it is written, with … for what is filled in.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import kubeslice

ROOT = Path(kubeslice.__file__).parent
REASON = re.compile(r"[A-Z][A-Za-z…]+")
FILLED_IN = "…"
Assigned = list[tuple[str, ast.expr]]


@dataclass(frozen=True)
class Sentence:
    """Something that an object may be told. `type` is the condition's, "" for a problem."""

    module: str
    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class Problem:
    """A complaint about a field, as checks make it."""

    module: str
    field: str
    reason: str
    message: str


def conditions(packages: Sequence[str], outcomes: dict[str, str]) -> Iterator[Sentence]:
    """Find the conditions that modules of these packages set, in the order of the source.

    `outcomes` says for modules that decide a reason and a sentence as a pair which condition they become.
    """
    known = {name: str(value) for _, tree in _trees(("model", *packages)) for name, value in constants(tree).items()}
    for module, tree in _trees(packages):
        for scope in _scopes(tree):
            assigned = _assigned(scope)
            for node in _own_nodes(scope):
                yield from _condition(node, module, known, assigned)
            if module in outcomes:
                yield from _pairs(scope, module, outcomes[module])


def problems(packages: Sequence[str]) -> Iterator[Problem]:
    """Find the problems that checks in these packages name: `Problem`s of `plan.problems`, not what others call so."""
    for module, tree in _trees(packages):
        if module != "plan.problems" and _defines(tree, "Problem"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "Problem" and len(node.args) >= 2:
                reasons = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
                reason = template(reasons[0]) if reasons else "InvalidSpec"
                yield Problem(module, template(node.args[0]), reason, template(node.args[1]))


def _defines(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in tree.body)


def constants(tree: ast.Module) -> dict[str, str | int]:
    """Return the texts and numbers that a module gives a name."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str | int)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def template(node: ast.expr) -> str:
    """Return the text that an expression makes, with … for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return _tidy("".join(template(value) for value in values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _tidy(template(left) + template(right))
        case ast.IfExp(body=body):
            return template(body)
        case _:
            return FILLED_IN


def _tidy(text: str) -> str:
    return re.sub(f"{FILLED_IN}+", FILLED_IN, text)


def _condition(node: ast.AST, module: str, known: dict[str, str], assigned: Assigned) -> Iterator[Sentence]:
    if not isinstance(node, ast.Call):
        return
    match _called(node), node.args:
        case "Finding", [kind, status, reason, message]:
            name = known.get(_last_name(kind)) or template(kind)
            found = Sentence(module, name, template(status), template(reason), _message(message, assigned))
        case ("ready" | "not_ready") as verb, [reason, message]:
            status_word = "True" if verb == "ready" else "False"
            found = Sentence(module, "Ready", status_word, template(reason), _message(message, assigned))
        case "Component", [_, message, reason]:
            # A part with a spare degrades; one without keeps the slice from being ready.
            type_, status_word = ("Degraded", "True") if node.keywords else ("Ready", "False")
            found = Sentence(module, type_, status_word, template(reason), _message(message, assigned))
        case _:
            return
    if REASON.fullmatch(found.reason) and found.type != FILLED_IN:
        yield found


def _pairs(scope: ast.AST, module: str, type_: str) -> Iterator[Sentence]:
    for node in _own_nodes(scope):
        match node:
            case ast.Return(value=ast.Tuple(elts=[reason, message])):
                pair = template(reason), template(message)
            case ast.Assign(targets=[ast.Tuple()], value=ast.Tuple(elts=[reason, message])):
                pair = template(reason), template(message)
            case _:
                continue
        if REASON.fullmatch(pair[0]):
            yield Sentence(module, type_, "False", *pair)
    for first, second in _neighbours(scope):
        match first, second:
            case ast.Assign(targets=[ast.Name("reason")], value=reason), ast.Assign(value=message):
                yield Sentence(module, type_, "False", template(reason), template(message))


def _neighbours(scope: ast.AST) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    for node in ast.walk(scope):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            yield from pairwise(body)


def _message(node: ast.expr, assigned: Assigned) -> str:
    if not isinstance(node, ast.Name):
        return template(node)
    before = [value for name, value in assigned if name == node.id and value.lineno < node.lineno]
    return template(before[-1]) if before else FILLED_IN


def _called(node: ast.Call) -> str:
    return _last_name(node.func)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _scopes(tree: ast.Module) -> list[ast.AST]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [tree, *functions]


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Walk through a scope without the functions inside it, which are scopes of their own."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own_nodes(child)


def _assigned(scope: ast.AST) -> Assigned:
    return [
        (target.id, node.value)
        for node in _own_nodes(scope)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]


def _trees(packages: Sequence[str]) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text())
