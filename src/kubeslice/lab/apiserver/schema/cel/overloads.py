"""Declares functions to the CEL engine: a name, its overloads, and the Python that each runs.

An implementation that raises `ValueError` makes the expression an error with that sentence.
"""

from collections.abc import Callable, Sequence
from typing import Any

from cel_expr_python import cel

Implementation = Callable[..., Any]


def _overload(name: str, returns: Any, parameters: Sequence[Any], run: Implementation, *, is_member: bool) -> Any:
    kinds = "_".join(parameter.name() for parameter in parameters)
    style = "method" if is_member else "function"
    return cel.Overload(
        f"{name}_{style}_{kinds}", return_type=returns, parameters=list(parameters), is_member=is_member, impl=run
    )


def function(name: str, returns: Any, parameters: Sequence[Any], run: Implementation) -> Any:
    """Make an overload that is called as `name(...)`."""
    return _overload(name, returns, parameters, run, is_member=False)


def method(name: str, returns: Any, parameters: Sequence[Any], run: Implementation) -> Any:
    """Make an overload that is called on its first parameter."""
    return _overload(name, returns, parameters, run, is_member=True)


def declare(name: str, *overloads: Any) -> Any:
    """Declare a function with all its overloads."""
    return cel.FunctionDecl(name, list(overloads))


def single(
    overload: Callable[..., Any], name: str, returns: Any, parameters: Sequence[Any], run: Implementation
) -> Any:
    """Declare a function or method that has one overload."""
    return declare(name, overload(name, returns, parameters, run))
