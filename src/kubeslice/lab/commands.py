"""What `kubeslice lab` does: up, down, status, kubeconfig, exec, logs, cut, heal, limit, nat. Blocking.

The command line, the demo, the benchmarks and the tests call these functions; all that reaches a running lab goes
through its control socket.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import kubeslice
from kubeslice.lab import entering
from kubeslice.lab.client import LabRefused, NoLab, ask
from kubeslice.lab.topology import Topology, from_dict

Progress = Callable[[str], None]
UP_SECONDS = 120.0
DOWN_SECONDS = 20.0


class LabFailed(Exception):
    """The lab could not be brought up or down; the message says what happened."""


def up(topology: Topology, progress: Progress = lambda _: None) -> float:
    """Bring a lab up; return the seconds until every node of every cluster was ready. Raises `LabFailed`."""
    from kubeslice.lab import readiness  # noqa: PLC0415 - it loads a client of the API, and most commands need none

    if os.geteuid() != 0:
        raise LabFailed("a lab needs root: it makes network namespaces, mounts and control groups")
    if is_running(topology.name):
        raise LabFailed("a lab is running already: take it down with `kubeslice lab down`")
    started = time.monotonic()
    _start(topology)
    progress("networks and nodes are there")
    try:
        readiness.wait(connections(topology.name), topology, progress, UP_SECONDS - (time.monotonic() - started))
    except BaseException:
        down(topology.name)
        raise
    return time.monotonic() - started


def _start(topology: Topology) -> None:
    import compileall  # noqa: PLC0415 - it loads pools of processes, and only new labs need it

    # Containers see the machine's files without being able to change them: what is not compiled now, every one of them
    # would compile for itself at each start.
    compileall.compile_dir(kubeslice.__path__[0], quiet=2)
    command = [sys.executable, "-m", "kubeslice.lab.birth", json.dumps(topology.to_dict())]
    process = subprocess.Popen(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr
    with process.stderr:
        # The lab closes its standard error when it is on its feet.
        complaints = process.stderr.read().decode(errors="replace").strip()
    if complaints or process.poll() is not None:
        process.kill()
        process.wait()
        raise LabFailed(f"the lab did not start: {complaints.splitlines()[-1] if complaints else 'it ended at once'}")
    # The lab outlives whoever started it: nobody here waits for it any more.
    process.returncode = 0


def is_running(name: str = "") -> bool:
    """Tell whether a lab of that name runs."""
    try:
        ask(name, "status")
    except NoLab:
        return False
    return True


def down(name: str = "") -> None:
    """Take the lab down and wait until nothing of it is left; nothing happens when none runs. Raises `LabFailed`."""
    try:
        _, (outer,) = ask(name, "down")
    except NoLab:
        return
    try:
        poller = select.poll()
        poller.register(outer, select.POLLIN)
        if not poller.poll(DOWN_SECONDS * 1000):
            raise LabFailed(f"the lab is still ending after {DOWN_SECONDS:g} s")
    finally:
        os.close(outer)


def status(name: str = "") -> dict[str, Any]:
    """Return the running lab as JSON: clusters with nodes and pods, processes with their pids here, faults."""
    from kubeslice.lab import readiness  # noqa: PLC0415 - as above

    answer, _ = ask(name, "status")
    answer.pop("credentials")
    pids = entering.host_pids(name)
    for process in answer["processes"]:
        process["hostPid"] = pids.get(process["pid"], 0)
    answer["clusters"] = readiness.summaries(connections(name), from_dict(answer["topology"]))
    return answer


def kubeconfig(cluster: str, name: str = "") -> str:
    """Return the administrator's kubeconfig of a cluster (JSON, which is YAML). Raises `LabRefused`."""
    credentials = ask(name, "status")[0]["credentials"]
    if cluster not in credentials:
        raise LabRefused(f"no cluster {cluster!r}; there are {', '.join(credentials)}")
    if not credentials[cluster]:
        raise LabRefused(f"the API server of {cluster} has not started yet")
    return str(credentials[cluster])


def connections(name: str = "") -> dict[str, dict[str, Any]]:
    """Return the administrator's kubeconfig of every cluster whose API server has started."""
    credentials = ask(name, "status")[0]["credentials"]
    return {cluster: json.loads(text) for cluster, text in credentials.items() if text}


def execute(target: str, command: Sequence[str], name: str = "") -> int:
    """Run a command on `wan`, a node, or in CLUSTER/NAMESPACE/POD[/CONTAINER], on this terminal; return its status."""
    answer, descriptors = ask(name, "enter", target=target)
    return entering.run(entering.Place(answer, descriptors), command)


def logs(process: str, name: str = "", *, follow: bool = False) -> Iterator[bytes]:
    """Yield the log of one of the lab's processes (`worker-1/apiserver`, `parent`), as it grows with `follow`."""
    _, (descriptor,) = ask(name, "log", process=process)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        while True:
            data = file.read(65536)
            if data:
                yield data
            elif not follow or not is_running(name):
                return
            else:
                time.sleep(0.5)


def send_signal(process: str, number: int, name: str = "") -> None:
    """Send a signal to one of the lab's processes, to see how the rest takes it."""
    ask(name, "signal", process=process, signal=number)


def cut(
    first: str, second: str = "*", name: str = "", *, one_way: bool = False, ports: Sequence[int] = ()
) -> dict[str, Any]:
    """Let packets between two ends vanish, or only those from the first to the second; return all faults.

    With `ports` only UDP and TCP packets from or to one of them vanish.
    """
    return ask(name, "faults", action="cut", a=first, b=second, oneWay=one_way, ports=list(ports))[0]


def heal(first: str = "*", second: str = "*", name: str = "") -> dict[str, Any]:
    """Undo what was done between two ends, or with no ends every fault there is; return the faults that remain."""
    return ask(name, "faults", action="heal", a=first, b=second)[0]


def limit(end: str, mbit: float, name: str = "") -> dict[str, Any]:
    """Limit what a cluster or node can send and receive, in Mbit/s; 0 lifts the limit. Return all faults."""
    return ask(name, "faults", action="limit", a=end, mbit=mbit)[0]


def narrow(first: str, second: str, mtu: int, name: str = "", *, icmp: bool = True) -> dict[str, Any]:
    """Let the path between two ends take packets of at most `mtu` bytes, 0 lifts that; return all faults.

    Without `icmp` nobody is told that a packet was too large.
    """
    return ask(name, "faults", action="narrow", a=first, b=second, mtu=mtu, icmp=icmp)[0]


def nat(cluster: str, name: str = "", *, on: bool = True) -> dict[str, Any]:
    """Put a cluster behind NAT, or take it out: it dials out to everybody and nobody dials in. Return all faults."""
    return ask(name, "faults", action="nat", a=cluster, on=on)[0]


def forget(cluster: str, name: str = "") -> None:
    """Drop the NAT mappings of a cluster: its flows go on from other ports, as if its router had restarted."""
    ask(name, "forget", cluster=cluster)


def stop(node: str, name: str = "") -> dict[str, Any]:
    """Switch a node off: its processes, pods and links are gone at once, its disk stays. Return all faults."""
    return ask(name, "power", node=node, on=False)[0]


def start(node: str, name: str = "") -> dict[str, Any]:
    """Switch a node on again, as a machine that boots. Return all faults."""
    return ask(name, "power", node=node, on=True)[0]
