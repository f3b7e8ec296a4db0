"""`kubeslice lab`: whole clusters on this machine, to try things on and to break them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from kubeslice.cli.target import fail

app = typer.Typer(
    help="Whole clusters on this Linux machine, without Docker; gone without a trace when taken down.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
LabName = Annotated[
    str, typer.Option("--lab", envvar="KUBESLICE_LAB", help="Name of the lab, where several run on one machine.")
]
End = Annotated[str, typer.Argument(help="A cluster (worker-1) or a node (worker-1-node-1).")]
OptionalEnd = Annotated[str, typer.Argument(help="The other end; * for everything.")]


@app.command()
def up(
    workers: Annotated[int, typer.Option(help="How many worker clusters.")] = 3,
    nodes: Annotated[
        list[int] | None,
        typer.Option(help="Nodes of worker-1, worker-2 …: once for all or once for each; default 2, 1, 1 …"),
    ] = None,
    mtu: Annotated[int, typer.Option(help="Largest packet of all links: LANs, WAN and pods.")] = 1500,
    node_grace: Annotated[int, typer.Option(help="Seconds of silence after which a node counts as unreachable.")] = 40,
    lab: LabName = "",
) -> None:
    """Bring up a hub and worker clusters, and wait until every node is ready."""
    from kubeslice.lab import commands
    from kubeslice.lab.topology import lab_topology

    with _answering():
        topology = lab_topology(workers, nodes or (), lab, mtu=mtu, grace=node_grace)
        took = commands.up(topology, lambda line: typer.echo(f"  {line}", err=True))
    typer.echo(f"{len(topology.clusters)} clusters are up after {took:.1f} s")
    typer.echo("next: kubeslice lab kubeconfig > lab.kubeconfig && export KUBECONFIG=$PWD/lab.kubeconfig")


@app.command()
def down(lab: LabName = "") -> None:
    """Take the lab down; nothing of it is left."""
    from kubeslice.lab import commands

    with _answering():
        commands.down(lab)
    typer.echo("the lab is down")


@app.command()
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole status as JSON.")] = False,
    lab: LabName = "",
) -> None:
    """Show clusters, processes with their pids and restarts, and faults that were injected."""
    from kubeslice.lab import commands

    with _answering():
        answer = commands.status(lab)
    if as_json:
        import json

        typer.echo(json.dumps(answer, indent=2))
        return
    from rich.console import Console

    from kubeslice.cli.labtables import status_tables

    Console(highlight=False).print(status_tables(answer))


@app.command()
def kubeconfig(
    cluster: Annotated[str, typer.Argument(help="Only this cluster; all, the hub being current, when left out.")] = "",
    lab: LabName = "",
) -> None:
    """Print an administrator's kubeconfig with one context for each cluster."""
    import yaml

    from kubeslice.cli.labtables import merged_kubeconfig
    from kubeslice.lab import commands

    with _answering():
        connections = commands.connections(lab)
    if cluster and cluster not in connections:
        fail(f"no cluster {cluster!r} in the lab; there are {', '.join(connections)}")
    chosen = {cluster: connections[cluster]} if cluster else connections
    typer.echo(yaml.safe_dump(merged_kubeconfig(chosen), sort_keys=False), nl=False)


@app.command(
    "exec",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)
def execute(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="wan, a node, or CLUSTER/NAMESPACE/POD[/CONTAINER].")],
    lab: LabName = "",
) -> None:
    """Run a command on the WAN, on a node or in a pod: kubeslice lab exec worker-1-node-1 -- ip route."""
    from kubeslice.lab import commands

    command = [argument for position, argument in enumerate(context.args) if (position, argument) != (0, "--")]
    with _answering():
        code = commands.execute(target, command or ["sh"], lab)
    raise typer.Exit(code)


@app.command()
def logs(
    process: Annotated[str, typer.Argument(help="A process of the lab, such as worker-1/apiserver or parent.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as the log grows.")] = False,
    lab: LabName = "",
) -> None:
    """Print the log of one of the lab's own processes; pods have kubectl logs."""
    import sys

    from kubeslice.lab import commands

    with _answering():
        for chunk in commands.logs(process, lab, follow=follow):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()


@app.command()
def cut(
    first: End,
    second: OptionalEnd = "*",
    *,
    one_way: Annotated[bool, typer.Option("--one-way", help="Only packets from the first to the second.")] = False,
    port: Annotated[str, typer.Option(help="Only UDP and TCP packets from or to these ports: 30001,30002.")] = "",
    lab: LabName = "",
) -> None:
    """Let every packet between two ends vanish, or only those of some ports: one plane's path."""
    from kubeslice.lab import commands

    with _answering():
        ports = [int(number) for number in port.split(",") if number]
        commands.cut(first, second, lab, one_way=one_way, ports=ports)
    what = f" (ports {port})" if port else ""
    typer.echo(f"cut: {first} {'→' if one_way else '↔'} {second}{what}; undo with: kubeslice lab heal {first} {second}")


@app.command()
def heal(first: OptionalEnd = "*", second: OptionalEnd = "*", lab: LabName = "") -> None:
    """Undo what was done between two ends; every fault there is when no ends are named."""
    from kubeslice.lab import commands

    with _answering():
        commands.heal(first, second, lab)
    typer.echo("healed")


@app.command()
def limit(
    first: End,
    second: OptionalEnd = "*",
    *,
    mbit: Annotated[float | None, typer.Option(help="Mbit/s that the first end has; 0 lifts the limit.")] = None,
    mtu: Annotated[int | None, typer.Option(help="Largest packet between the ends; 0 lifts the limit.")] = None,
    icmp: Annotated[bool, typer.Option(help="Whether senders are told that a packet was too large.")] = True,
    lab: LabName = "",
) -> None:
    """Limit how much an end can send and receive, or how large packets between two ends can be."""
    from kubeslice.lab import commands

    if mbit is None and mtu is None:
        fail("say what to limit: --mbit or --mtu")
    with _answering():
        if mbit is not None:
            commands.limit(first, mbit, lab)
            typer.echo(f"{first} has {mbit:g} Mbit/s" if mbit else f"{first} has no limit")
        if mtu is not None:
            commands.narrow(first, second, mtu, lab, icmp=icmp)
            silently = ", and nobody is told" if mtu and not icmp else ""
            takes = f"packets of {mtu} bytes{silently}" if mtu else "what its links take"
            typer.echo(f"{first} ↔ {second} takes {takes}")


@app.command()
def stop(node: Annotated[str, typer.Argument(help="A node.")], lab: LabName = "") -> None:
    """Switch a node off: its processes, pods and links are gone at once."""
    from kubeslice.lab import commands

    with _answering():
        commands.stop(node, lab)
    typer.echo(f"{node} is off; boot it with: kubeslice lab start {node}")


@app.command()
def start(node: Annotated[str, typer.Argument(help="A node that is off.")], lab: LabName = "") -> None:
    """Boot a node that was switched off."""
    from kubeslice.lab import commands

    with _answering():
        commands.start(node, lab)
    typer.echo(f"{node} boots")


@app.command()
def nat(
    cluster: Annotated[str, typer.Argument(help="A cluster.")],
    *,
    off: Annotated[bool, typer.Option("--off", help="Take it out again.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Only drop its mappings: flows get new ports.")] = False,
    lab: LabName = "",
) -> None:
    """Put a cluster behind NAT: it can dial everybody, and nobody can dial it."""
    from kubeslice.lab import commands

    with _answering():
        if forget:
            commands.forget(cluster, lab)
            typer.echo(f"the mappings of {cluster} are forgotten")
            return
        commands.nat(cluster, lab, on=not off)
    typer.echo(f"{cluster} is {'no longer ' if off else ''}behind NAT")


@contextmanager
def _answering() -> Iterator[None]:
    """Print one clear line and exit 1 when the lab says no."""
    from kubeslice.lab.client import LabRefused, NoLab
    from kubeslice.lab.commands import LabFailed

    try:
        yield
    except (NoLab, LabRefused, LabFailed, ValueError) as error:
        fail(str(error))
