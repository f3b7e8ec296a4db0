"""`failover`: whatever can die between two clusters dies, again and again, while traffic runs both ways at once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from kubeslice.bench.faults import Fault, faults
from kubeslice.bench.matrix import Matrix, Outcome, Trial
from kubeslice.bench.quiet import keep_quiet
from kubeslice.bench.scene import Scene, scene
from kubeslice.stage.observer import observer
from kubeslice.stage.probes import NotMeasured

QUICK_TRIALS = 2
QUICK_MINUTES = 1.0
# Before a trial: a gap that belongs to the trial before must not be counted again.
REST = 0.5
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What is measured: how often each fault, which faults (all when none is named), how long nothing."""

    trials: int = 20
    quiet_minutes: float = 10.0
    only: Sequence[str] = ()


def chosen(only: Sequence[str]) -> list[Fault]:
    """Return the faults of these names, all without any. Raises ValueError."""
    known = {fault.name: fault for fault in faults()}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise ValueError(f"no fault {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in only] or list(known.values())


async def measure(options: Options) -> Matrix:
    """Bring everything up once, break one thing after the other, and wait after each until all is as before."""
    console = Console(stderr=True, highlight=False)
    progress: Progress = lambda line: console.print(f"  {line}", soft_wrap=True, markup=False)  # noqa: E731
    wanted = chosen(options.only)
    async with scene() as running:
        progress(f"traffic runs through {running.planes} planes")
        async with observer(running.stage, running.traffic.marker) as observed:
            quiet = None
            if options.quiet_minutes:
                quiet = await keep_quiet(running, options.quiet_minutes, progress)
            noise = quiet.sight.gap if quiet else 0.0
            outcomes = [
                Outcome(fault.name, fault.promise, await _trials(running, fault, options.trials, progress), noise)
                for fault in wanted
            ]
        return Matrix("failover", outcomes, quiet, observed, {"planes": running.planes})


async def _trials(running: Scene, fault: Fault, trials: int, progress: Progress) -> list[Trial]:
    done: list[Trial] = []
    for number in range(trials):
        trial = await once(running, fault, number)
        done.append(trial)
        seen = trial.sight
        lost = f"{len(seen.died)} flows and {seen.lost} packets lost"
        gap = f"gap {seen.gap:.2f} s ({seen.worst}), of datagrams {seen.datagram_gap:.2f} s"
        progress(f"{fault.name} {number + 1}/{trials}: {trial.victim}: {gap}, {lost}")
        if trial.failure:
            progress(f"{fault.name}: {trial.failure}")
            break
    return done


async def once(running: Scene, fault: Fault, number: int) -> Trial:
    """Break something once and wait until all is as before; return what the traffic noticed."""
    await asyncio.sleep(REST)
    victim, failure, started = "", "", time.monotonic()
    try:
        async with fault.inject(running, number) as victim:
            pass
        await running.recovered()
    except NotMeasured as error:
        failure = str(error)
    return Trial(victim, await running.traffic.since(started), failure)
