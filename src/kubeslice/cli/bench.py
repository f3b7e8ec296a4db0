"""`kubeslice bench`: measuring against the budgets, on clusters of a lab that each benchmark brings up itself."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from kubeslice.cli.target import fail

app = typer.Typer(
    help=(
        "Measure KubeSlice against its budgets, in a lab that comes up and goes down with each benchmark.\n\n"
        "Exits 1 when a budget is missed, 2 when it could not be measured. Figures are taken beside a baseline in the "
        "same run where there is one: trust ratios. The machine should have nothing else to do."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object with the raw samples.")]
Quick = Annotated[bool, typer.Option("--quick", help="Few trials, to see that it works; figures vary.")]
HOURS = 3600.0


@app.command()
def lab_up(*, as_json: AsJson = False) -> None:
    """Measure the time until three clusters are up, and what twenty cost."""
    from kubeslice.bench import lab_up

    _run(lab_up.measure(), "lab-up", as_json=as_json)


@app.command()
def slice_ready(*, as_json: AsJson = False) -> None:
    """Measure the time from a SliceConfig to the first answer across clusters, for 2, 3 and 10 workers."""
    from kubeslice.bench import slice_ready

    _run(slice_ready.measure(), "slice-ready", as_json=as_json)


@app.command()
def attach(*, as_json: AsJson = False) -> None:
    """Measure what the overlay adds to the start of a pod."""
    from kubeslice.bench import attach

    _run(attach.measure(), "attach", as_json=as_json)


@app.command()
def export(*, as_json: AsJson = False) -> None:
    """Measure the time from a ServiceExport until its name resolves in every cluster."""
    from kubeslice.bench import export

    _run(export.measure(), "export", as_json=as_json)


@app.command()
def throughput(*, quick: Quick = False, as_json: AsJson = False) -> None:
    """Measure what gets through the slice beside the raw path and bare tunnels, and what it costs in processor time."""
    from kubeslice.bench import throughput

    _run(throughput.measure(1 if quick else throughput.ROUNDS), "throughput", as_json=as_json)


@app.command()
def failover(
    *,
    trials: Annotated[int, typer.Option(min=1, help="How often each thing dies.")] = 20,
    quiet_minutes: Annotated[float, typer.Option(min=0, help="How long to wait for false alarms.")] = 10.0,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this fault; repeat for more. A wrong name lists them.")
    ] = None,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Let everything die that can, with traffic running: the longest gap, and flows and packets lost."""
    from kubeslice.bench import failover

    options = failover.Options(
        failover.QUICK_TRIALS if quick else trials,
        failover.QUICK_MINUTES if quick else quiet_minutes,
        only or (),
    )
    _run(failover.measure(options), "failover", as_json=as_json, seconds=6 * HOURS)


@app.command()
def rotation(
    *,
    minutes: Annotated[float, typer.Option(min=1.5, help="How long, on each engine.")] = 10.0,
    engine: Annotated[str, typer.Option(help="wireguard, openvpn or both.")] = "both",
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Renew keys every minute, with traffic running: rotations done, and flows and packets lost."""
    from kubeslice.bench import rotation

    engines = tuple(rotation.ENGINES) if engine == "both" else (engine,)
    if not set(engines) <= set(rotation.ENGINES):
        fail(f"no engine {engine!r}; there are {', '.join(rotation.ENGINES)} and both")
    options = rotation.Options(rotation.QUICK_MINUTES if quick else minutes, engines)
    _run(rotation.measure(options), "rotation", as_json=as_json, seconds=HOURS)


@app.command()
def eviction(
    *,
    trials: Annotated[int, typer.Option(min=1, help="How often a cluster is evicted.")] = 5,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Measure the time from evicting a cluster that does not help until no gateway accepts a packet of it."""
    from kubeslice.bench import eviction

    _run(eviction.measure(eviction.QUICK_TRIALS if quick else trials), "eviction", as_json=as_json, seconds=HOURS)


@app.command()
def admission(
    *,
    reviews: Annotated[int, typer.Option(min=100, help="How many verdicts beside each number of slices.")] = 2000,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Measure how long the hub's webhook takes to judge a SliceConfig beside up to 100 slices of 100 clusters."""
    from kubeslice.bench import admission

    _run(admission.measure(admission.QUICK_REVIEWS if quick else reviews), "admission", as_json=as_json)


@app.command()
def hub_scale(
    *,
    clusters: Annotated[
        int, typer.Option(min=3, help="The most clusters; 10, 30 and 100 are measured on the way.")
    ] = 100,
    slices: Annotated[int, typer.Option(min=1, help="How many slices; the first has all clusters.")] = 20,
    members: Annotated[int, typer.Option(min=2, help="How many clusters each of the other slices has.")] = 10,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="A Kubernetes cluster to use, which should be empty; else one is started.")
    ] = None,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Load the hub with many clusters and slices: write rate beside a bare loop, changes, memory, cost per worker."""
    from kubeslice.bench import hub_scale

    options = hub_scale.Options(clusters, slices, members, kubeconfig=kubeconfig)
    if quick:
        options = hub_scale.quick(options)
    _run(hub_scale.measure(options, _tell), "hub-scale", as_json=as_json, seconds=2 * HOURS)


def _tell(words: str) -> None:
    typer.echo(words, err=True)


def _run(measured: Coroutine[Any, Any, Any], name: str, *, as_json: bool, seconds: float = HOURS / 4) -> None:
    from kubeslice.bench.main import run

    raise typer.Exit(run(measured, name, as_json=as_json, seconds=seconds))
