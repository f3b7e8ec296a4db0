"""Compiles CEL expressions once and evaluates them often; validation rules and webhook conditions run through here.

The engine is loaded when the first expression is compiled: servers without rules never pay for it.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_math, ext_optional

from kubeslice.lab.apiserver.schema.cel import collections, network, texts

_STATUS = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_STRUCT = re.compile(r" not found in struct '[\w.]+'")
_MISSING_KEY = re.compile(r'^Key not found in map : "(.*)"$', re.DOTALL)
_BAD_INDEX = re.compile(r"^Index error: index=(-?\d+)")


class CompileError(ValueError):
    """An expression does not compile; says why, in the words of the engine's checker."""


class EvaluationError(Exception):
    """An expression has no value, for instance because it selects an absent field."""


@cache
def _functions() -> tuple[Any, ...]:
    return (*network.declarations(), *texts.declarations(), *collections.declarations())


@cache
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    return cel.NewEnv(
        variables={name: _type(kind) for name, kind in variables},
        functions=list(_functions()),
        extensions=_extensions(),
    )


def _extensions() -> list[Any]:
    return [ext_optional.ExtOptional(), ext_bindings.ExtBindings(), ext_math.ExtMath()]


def _type(kind: str) -> Any:
    named = {
        "bool": cel.Type.BOOL,
        "int": cel.Type.INT,
        "double": cel.Type.DOUBLE,
        "string": cel.Type.STRING,
        "bytes": cel.Type.BYTES,
        "timestamp": cel.Type.TIMESTAMP,
        "duration": cel.Type.DURATION,
        "list": cel.Type.List(cel.Type.DYN),
        "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    }
    return named.get(kind, cel.Type.DYN)


class Program:
    """A compiled expression."""

    def __init__(self, expression: Any) -> None:
        self._expression = expression

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Return the expression's value. Raises `EvaluationError`."""
        return _plain(self._expression.eval(data=variables))

    def evaluate_given(self, values: Any) -> Any:
        """Return the expression's value over what `given` made. Raises `EvaluationError`."""
        return _plain(self._expression.eval(values))


def given(values: Mapping[str, Any], variables: Mapping[str, str]) -> Any:
    """Return values for several expressions over the same variables: what one has looked at is not converted again."""
    return _environment(tuple(sorted(variables.items()))).Activation(values)


def compile_program(source: str, variables: Mapping[str, str], *, returns: str = "bool") -> Program:
    """Compile an expression over variables of the given types (`int`, `string`, `list`, `map`, `dyn` …).

    `returns` is `bool` or `string`. Raises `CompileError`.
    """
    return Program(_compile(_environment(tuple(sorted(variables.items()))), source, returns))


def check_types(source: str, variables: Mapping[str, Any], pool: Any, *, returns: str = "bool") -> None:
    """Check an expression over variables of message types out of a descriptor pool. Raises `CompileError`."""
    environment = cel.NewEnv(
        descriptor_pool=pool, variables=dict(variables), functions=list(_functions()), extensions=_extensions()
    )
    _compile(environment, source, returns)


def _compile(environment: Any, source: str, returns: str) -> Any:
    try:
        expression = environment.compile(source)
    except (RuntimeError, ValueError) as error:
        text = _STRUCT.sub("", _STATUS.sub("", str(error)))
        raise CompileError(f"compilation failed: {text}") from error
    if expression.return_type() not in (_type(returns), cel.Type.DYN):
        subject = "cel expression " if returns == "bool" else ""
        raise CompileError(f"{subject}must evaluate to a {returns}")
    return expression


def _plain(value: Any) -> Any:
    if value.type() == cel.Type.ERROR:
        raise EvaluationError(_explained(str(value.value())))
    return value.plain_value()


def _explained(text: str) -> str:
    """Say what went wrong as cel-go does."""
    plain = _STATUS.sub("", text)
    key, index = _MISSING_KEY.match(plain), _BAD_INDEX.match(plain)
    if key:
        return f"no such key: {key[1]}"
    if index:
        return f"index out of bounds: {index[1]}"
    if plain.startswith(("No matching overload", "Applying SELECT")):
        return "no such overload"
    return {"divide by zero": "division by zero"}.get(plain, plain)
