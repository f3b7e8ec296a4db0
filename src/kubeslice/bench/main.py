"""Chooses a benchmark by name, runs it, prints its report, and says by the exit status whether the budgets hold."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from rich.console import Console

from kubeslice.bench import attach, export, lab_up, slice_ready, throughput
from kubeslice.bench.report import Report
from kubeslice.bench.table import show
from kubeslice.stage.play import play, reason

MISSED = 1
COULD_NOT_MEASURE = 2
TIMEOUT = 900.0
BENCHES: Mapping[str, Callable[[], Coroutine[Any, Any, Report]]] = {
    "slice-ready": slice_ready.measure,
    "attach": attach.measure,
    "export": export.measure,
    "throughput": throughput.measure,
    "lab-up": lab_up.measure,
}


def run(name: str, *, as_json: bool) -> int:
    """Run one benchmark; return 0, 1 when a budget is missed, 2 when it could not be measured."""
    errors = Console(stderr=True, highlight=False)
    if name not in BENCHES:
        errors.print(f"error: no benchmark {name!r}; there are {', '.join(BENCHES)}")
        return COULD_NOT_MEASURE
    try:
        report = play(BENCHES[name](), TIMEOUT)
    except Exception as failure:  # noqa: BLE001 - whatever went wrong, it was not measured
        errors.print(f"error: {name} could not be measured: {reason(failure)}")
        return COULD_NOT_MEASURE
    if as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(report.wire()), markup=False)
    else:
        show(report, Console(highlight=False))
    return 0 if report.is_ok else MISSED
