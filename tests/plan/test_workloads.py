from kubeslice.plan import workloads
from kubeslice.plan.workloads import Build, Owner

OWNER = Owner("red", "u1")
BUILD = Build("kubeslice/kubeslice:1")


def test_a_slice_has_two_routers_and_a_drain_takes_one() -> None:
    routers = workloads.routers(OWNER, BUILD)
    assert [obj["metadata"]["name"] for obj in routers] == ["slice-router-red-0", "slice-router-red-1"]
    budget = workloads.budgets(OWNER)[0]
    assert budget["spec"]["minAvailable"] == 1
    chosen = budget["spec"]["selector"]["matchLabels"].items()
    assert all(chosen <= router["spec"]["template"]["metadata"]["labels"].items() for router in routers)


def test_everything_belongs_to_its_slice() -> None:
    for obj in [*workloads.routers(OWNER, BUILD), *workloads.budgets(OWNER)]:
        assert obj["metadata"]["ownerReferences"][0]["uid"] == "u1"
        assert obj["metadata"]["labels"]["kubeslice.io/slice"] == "red"
        assert obj["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kubeslice-worker"
