"""What kubectl shows: durations, JSON paths, the state of pods and services."""

from typing import Any

import pytest

from kubeslice.lab.apiserver.tables.column import duration
from kubeslice.lab.apiserver.tables.jsonpath import finder
from kubeslice.lab.apiserver.tables.network import SERVICES
from kubeslice.lab.apiserver.tables.pods import PODS


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"), (119, "119s"), (120, "2m"), (150, "2m30s"), (600, "10m"), (10799, "179m"), (10800, "3h"),
        (11100, "3h5m"), (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"), (691200, "8d"),
        (63072000, "2y"), (63158400, "2y1d"), (252288000, "8y"), (-5, "<invalid>"),
    ],
)  # fmt: skip
def test_durations_are_written_as_kubectl_writes_them(seconds: int, words: str) -> None:
    assert duration(seconds) == words


OBJECT = {
    "spec": {"list": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "on": True},
    "metadata": {"annotations": {"example.com/x": "y"}},
    "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".spec.on", True),
        ("{.spec.on}", True),
        (".spec.list[1].name", "b"),
        (".spec.list[*].v", 1),
        (".spec.list[-1].v", 2),
        ('.status.conditions[?(@.type=="Other")].status', "True"),
        (".status.conditions[?(@.type=='Ready')].status", "False"),
        (".metadata.annotations.example\\.com/x", "y"),
        (".metadata.annotations['example.com/x']", "y"),
        (".spec.missing.deeper", None),
        (".spec.list[7]", None),
    ],
)
def test_json_paths_find_the_first_value(path: str, value: Any) -> None:
    assert finder(path)(OBJECT) == value


def pod(status: dict[str, Any], *, deleted: bool = False, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "p"} | ({"deletionTimestamp": "2025-01-01T00:00:00Z"} if deleted else {})
    return {"metadata": metadata, "spec": {"containers": [{"name": "a"}]} | spec, "status": status}


def container(state: str, ready: bool = False, **details: Any) -> dict[str, Any]:
    return {"name": "a", "ready": ready, "restartCount": 0, "state": {state: details}}


@pytest.mark.parametrize(
    ("shown", "given"),
    [
        ("Pending", pod({"phase": "Pending"})),
        ("Running", pod({"phase": "Running", "containerStatuses": [container("running", True)]})),
        (
            "CrashLoopBackOff",
            pod({"phase": "Running", "containerStatuses": [container("waiting", reason="CrashLoopBackOff")]}),
        ),
        ("Error", pod({"phase": "Failed", "containerStatuses": [container("terminated", reason="Error", exitCode=1)]})),
        ("ExitCode:3", pod({"phase": "Running", "containerStatuses": [container("terminated", exitCode=3)]})),
        (
            "Completed",
            pod({"phase": "Succeeded", "containerStatuses": [container("terminated", reason="Completed", exitCode=0)]}),
        ),
        (
            "Init:0/1",
            pod(
                {"phase": "Pending", "initContainerStatuses": [container("running") | {"name": "i"}]},
                initContainers=[{"name": "i"}],
            ),
        ),
        (
            "Init:ImagePullBackOff",
            pod(
                {
                    "phase": "Pending",
                    "initContainerStatuses": [container("waiting", reason="ImagePullBackOff") | {"name": "i"}],
                },
                initContainers=[{"name": "i"}],
            ),
        ),
        ("Terminating", pod({"phase": "Running", "containerStatuses": [container("running", True)]}, deleted=True)),
        ("Evicted", pod({"phase": "Failed", "reason": "Evicted"})),
    ],
)
def test_the_state_of_a_pod_in_a_word(shown: str, given: dict[str, Any]) -> None:
    assert PODS[2].cell(given) == shown


def test_ports_and_addresses_of_services() -> None:
    spec = {"type": "LoadBalancer", "clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30080}]}
    service = {"metadata": {"name": "s"}, "spec": spec}
    cells = {column.name: column.cell(service) for column in SERVICES if column.name != "Age"}
    assert cells["Port(s)"] == "80:30080/TCP"
    assert cells["External-IP"] == "<pending>"
    assert cells["Cluster-IP"] == "10.0.0.1"
