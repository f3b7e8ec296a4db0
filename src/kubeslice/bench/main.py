"""Runs a benchmark, prints its report, and says by the exit status whether the budgets hold."""

import json
import sys
from collections.abc import Coroutine
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from kubeslice.stage.play import play, reason

MISSED = 1
COULD_NOT_MEASURE = 2
TIMEOUT = 900.0
# Of a table in a log file.
WIDTH = 130


class Report(Protocol):
    """What a benchmark returns."""

    @property
    def is_ok(self) -> bool:
        """Tell whether every budget holds."""

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""

    def table(self) -> Table:
        """Return the table for people."""


def run(measured: Coroutine[Any, Any, Report], name: str, *, as_json: bool, seconds: float = TIMEOUT) -> int:
    """Run one benchmark; return 0, 1 when a budget is missed, 2 when it could not be measured in time."""
    try:
        report = play(measured, seconds)
    except Exception as failure:  # noqa: BLE001 - whatever went wrong, it was not measured
        Console(stderr=True, highlight=False).print(f"error: {name} could not be measured: {reason(failure)}")
        return COULD_NOT_MEASURE
    if as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(report.wire()), markup=False)
    else:
        width = None if sys.stdout.isatty() else WIDTH
        Console(highlight=False, width=width).print(report.table())
    return 0 if report.is_ok else MISSED
