"""Kernel tests of this package share one fixture."""

from tests.kernel import kernel

__all__ = ["kernel"]
