"""Chooses a benchmark by name, runs it, prints its report, and says by the exit status whether the budgets hold."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from rich.console import Console

from kubeslice.bench import attach, export, lab_up, slice_ready, throughput
from kubeslice.bench.report import Report
from kubeslice.bench.table import show
from kubeslice.stage.probes import NotMeasured

MISSED = 1
COULD_NOT_MEASURE = 2
TIMEOUT = 900.0
BENCHES: Mapping[str, Callable[[], Awaitable[Report]]] = {
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
        report = asyncio.run(_bounded(BENCHES[name]))
    except Exception as failure:  # noqa: BLE001 - whatever went wrong, it was not measured
        errors.print(f"error: {name} could not be measured: {_reason(failure)}")
        return COULD_NOT_MEASURE
    if as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(report.wire()), markup=False)
    else:
        show(report, Console(highlight=False))
    return 0 if report.is_ok else MISSED


async def _bounded(measure: Callable[[], Awaitable[Report]]) -> Report:
    async with asyncio.timeout(TIMEOUT):
        return await measure()


def _reason(failure: BaseException) -> str:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return str(failure) if isinstance(failure, NotMeasured) else f"{type(failure).__name__}: {failure}"
