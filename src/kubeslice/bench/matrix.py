"""What traffic noticed of each fault, over all its trials, against what was promised; false alarms when nothing was.

Pure: `failover` makes the trials, `table` and the JSON form show this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.markup import escape
from rich.table import Table

from kubeslice.bench.faults import Promise
from kubeslice.bench.report import percentile
from kubeslice.stage.observer import Observed
from kubeslice.stage.sightings import Sight

FAILOVER = 1.0
# TCP's shortest time-out (RFC 6298 as Linux has it): with a shorter gap nothing was ever sent twice. On a machine that
# is busy with other things there are longer ones all the time: what is there without a fault, nobody noticed.
NOTICED = 0.2


@dataclass(frozen=True)
class Trial:
    """One fault, once: whom it met, what traffic noticed until all was as before, and what else went wrong."""

    victim: str
    sight: Sight
    failure: str = ""

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "victim": self.victim,
            "gap": self.sight.gap,
            "datagramGap": self.sight.datagram_gap,
            "worstFlow": self.sight.worst,
            "packets": self.sight.packets,
            "packetsLost": self.sight.lost,
            "reordered": self.sight.reordered,
            "flowsLost": list(self.sight.died),
            "meterLate": self.sight.late,
            "failure": self.failure,
        }


@dataclass(frozen=True)
class Outcome:
    """All trials of one fault; `noise` is the longest gap while nothing was broken."""

    fault: str
    promise: Promise
    trials: Sequence[Trial]
    noise: float = 0.0

    @property
    def gaps(self) -> list[float]:
        """Return the longest gap of any flow in each trial, in seconds."""
        return [trial.sight.gap for trial in self.trials]

    @property
    def packets_lost(self) -> int:
        """Return how many packets were lost in all trials."""
        return sum(trial.sight.lost for trial in self.trials)

    @property
    def flows_lost(self) -> int:
        """Return how many flows did not survive, in all trials."""
        return sum(len(trial.sight.died) for trial in self.trials)

    @property
    def failures(self) -> list[str]:
        """Return what went wrong beside the traffic."""
        return [trial.failure for trial in self.trials if trial.failure]

    @property
    def missed(self) -> str:
        """Return what was promised and not kept; nothing when all was."""
        if self.failures:
            return self.failures[0]
        if self.flows_lost:
            return f"{self.flows_lost} flows lost"
        if self.promise in (Promise.NOTHING, Promise.NO_LOSS) and self.packets_lost:
            return "packets lost"
        limits = {Promise.NOTHING: max(NOTICED, self.noise), Promise.COMES_BACK: None}
        limit = limits.get(self.promise, FAILOVER)
        if limit is not None and percentile(self.gaps, 99) > limit:
            return f"p99 > {limit:g} s"
        return ""

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        figures = {f"p{percent}": percentile(self.gaps, percent) for percent in (50, 99)}
        return {
            "promise": self.promise.value,
            "trials": [trial.wire() for trial in self.trials],
            "gap": figures | {"max": max(self.gaps)},
            "flowsLost": self.flows_lost,
            "packetsLost": self.packets_lost,
            "missed": self.missed,
            "ok": not self.missed,
        }


@dataclass(frozen=True)
class Quiet:
    """Some time in which nothing was broken: whatever was alarmed, was alarmed falsely."""

    seconds: float
    alarms: Sequence[str]
    sight: Sight

    @property
    def missed(self) -> str:
        """Return what should not have been."""
        return self.alarms[0] if self.alarms else "packets lost" if self.sight.lost else ""

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "seconds": self.seconds,
            "alarms": list(self.alarms),
            "traffic": Trial("", self.sight).wire(),
            "ok": not self.missed,
        }


@dataclass(frozen=True)
class Matrix:
    """The report of `failover`."""

    bench: str
    outcomes: Sequence[Outcome]
    quiet: Quiet | None
    observed: Observed
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Tell whether every promise was kept, nothing alarmed falsely, and nothing was seen on the WAN."""
        missed = [*(outcome.missed for outcome in self.outcomes), self.quiet.missed if self.quiet else ""]
        return not any(missed) and not self.observed.findings

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        faults = {outcome.fault: outcome.wire() for outcome in self.outcomes}
        return {
            "bench": self.bench,
            "ok": self.is_ok,
            **self.about,
            "faults": faults,
            "quiet": self.quiet.wire() if self.quiet else None,
            "observer": self.observed.wire(),
        }

    def table(self) -> Table:
        """Return the table for people."""
        table = Table(title=f"kubeslice bench {self.bench}: longest gap of any flow", title_justify="left")
        for heading in (
            "fault",
            "promised",
            "trials",
            "p50",
            "p99",
            "max",
            "UDP max",
            "flows lost",
            "packets lost",
            "",
        ):
            table.add_column(heading, justify="left" if heading in ("fault", "promised", "") else "right")
        for one in self.outcomes:
            gaps = [f"{percentile(one.gaps, percent):.2f} s" for percent in (50, 99, 100)]
            gaps.append(f"{max(trial.sight.datagram_gap for trial in one.trials):.2f} s")
            counts = f"{one.flows_lost:,}", f"{one.packets_lost:,}"
            table.add_row(one.fault, one.promise.value, str(len(one.trials)), *gaps, *counts, verdict(one.missed))
        if self.quiet:
            seen = self.quiet.sight
            gaps = ["", "", f"{seen.gap:.2f} s", f"{seen.datagram_gap:.2f} s"]
            what = f"nothing, for {self.quiet.seconds / 60:g} minutes"
            counts = f"{len(seen.died)}", f"{seen.lost:,}"
            table.add_row(what, "no alarm", "1", *gaps, *counts, verdict(self.quiet.missed))
        looked = f"{self.observed.packets:,} packets seen on the WAN"
        table.add_row(looked, "tunnels only", *[""] * 7, verdict("".join(self.observed.findings[:1])))
        return table


def verdict(missed: str) -> str:
    """Return a verdict for a table."""
    return f"[red]missed[/]: {escape(missed)}" if missed else "[green]kept[/]"
