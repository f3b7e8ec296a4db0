"""What a disruption budget says to an eviction."""

from typing import Any

from kubeslice.lab.apiserver.rest import evictions


def budget(allowed: int = 0, seen: int = 2, **status: int) -> dict[str, Any]:
    counted = {"disruptionsAllowed": allowed, "observedGeneration": seen, "currentHealthy": 2, "desiredHealthy": 2}
    return {"metadata": {"name": "b", "generation": 2}, "spec": {}, "status": counted | status}


def pod(ready: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": ready}]}}


def test_a_budget_lets_go_what_it_allows_and_counts_it() -> None:
    open_budget = budget(1)
    assert not evictions.refusal(open_budget)
    evictions.count(open_budget, "p", "2026-01-01T00:00:00Z")
    assert open_budget["status"]["disruptedPods"] == {"p": "2026-01-01T00:00:00Z"}
    assert evictions.refusal(open_budget) == "The disruption budget b needs 2 healthy pods and has 2 currently"


def test_a_budget_that_changed_lets_nobody_go_until_it_was_looked_at() -> None:
    assert "still being processed" in evictions.refusal(budget(1, seen=1))
    assert evictions.patience(budget(1, seen=1)) > evictions.patience(budget(1)) == 0


def test_pods_that_are_not_ready_go_when_enough_others_are() -> None:
    assert evictions.is_free(budget(), pod("False"))
    assert not evictions.is_free(budget(currentHealthy=1), pod("False"))
    assert not evictions.is_free(budget(), pod("True"))
    always = budget(currentHealthy=0) | {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}
    assert evictions.is_free(always, pod("False"))
