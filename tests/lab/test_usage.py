"""What pods count for under a ResourceQuota."""

from typing import Any

import pytest

from kubeslice.lab import usage


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), phase: str = "Running") -> dict[str, Any]:
    def named(found: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        return [{"name": f"c{number}", "resources": each} for number, each in enumerate(found)]

    return {"spec": {"containers": named(containers), "initContainers": named(init)}, "status": {"phase": phase}}


def quota(**hard: Any) -> dict[str, Any]:
    return {"metadata": {"name": "q"}, "spec": {"hard": {name.replace("_", "."): text for name, text in hard.items()}}}


HALF = {"requests": {"cpu": "500m"}, "limits": {"cpu": "1", "memory": "64Mi"}}


def test_a_pod_counts_for_its_containers_or_its_greediest_beginning() -> None:
    assert usage.of_pod(pod(HALF, HALF, init=({"requests": {"cpu": "3"}},)))["requests.cpu"] == 3000
    counted = usage.of_pod(pod(HALF, HALF))
    assert (counted["requests.cpu"], counted["limits.cpu"], counted["pods"]) == (1000, 2000, 1)
    assert counted["requests.memory"] == 2 * 64 * 2**20, "what says only its limit requests it"
    assert usage.of_pod(pod(HALF, phase="Succeeded")) == {}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (quota(pods=2), "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"),
        (
            quota(requests_cpu="1200m"),
            "requested: requests.cpu=500m, used: requests.cpu=1, limited: requests.cpu=1200m",
        ),
        (quota(limits_memory="192Mi"), ""),
        (quota(pods=3), ""),
        (quota(services=0), ""),
        ({"metadata": {"name": "q"}, "spec": {"hard": {"pods": 0}, "scopes": ["BestEffort"]}}, ""),
    ],
)
def test_what_is_too_much_is_refused_in_the_words_of_kubernetes(limits: dict[str, Any], words: str) -> None:
    used = usage.of_all([pod(HALF), pod(HALF), pod(HALF, phase="Failed")])
    complaint = usage.complaint(limits, used, pod(HALF))
    assert words in complaint
    assert bool(words) == bool(complaint)


def test_who_does_not_say_is_refused_where_it_counts() -> None:
    silent = pod({}, HALF, init=({},))
    assert (
        usage.complaint(quota(requests_cpu="9"), {}, silent) == "failed quota: q: must specify requests.cpu for: c0,c0"
    )


def test_a_status_tells_limits_and_use() -> None:
    found = usage.status(quota(pods=3, requests_memory="1Gi"), [pod(HALF)])
    assert found == {"hard": {"pods": "3", "requests.memory": "1Gi"}, "used": {"pods": "1", "requests.memory": "64Mi"}}
