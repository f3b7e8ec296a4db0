"""What the hub's API server is told to keep workers from: in force, narrow, and about every word that is the hub's."""

import re
from pathlib import Path

from kubeslice.manifests import HubValues, Image, hub, hubbounds
from kubeslice.model import names
from kubeslice.plan.tenants import tenancy

HUB = hub(HubValues("https://192.0.2.1:6443", Image("kubeslice/kubeslice:0.0.0"), credential_seconds=259_200))
POLICIES = {obj["metadata"]["name"]: obj["spec"] for obj in HUB if obj["kind"] == "ValidatingAdmissionPolicy"}
CONDITIONS = Path(__file__).parents[2] / "docs/reference/conditions.md"
# What a worker says of its Cluster, and the hub only in the place of one that cannot.
OF_WORKERS = {"Registered", "ComponentsHealthy", "CredentialRenewed"}


def test_every_bound_is_in_force_and_asks_about_workers_alone() -> None:
    bindings = [obj["spec"] for obj in HUB if obj["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert [(spec["policyName"], spec["validationActions"]) for spec in bindings] == [
        (name, ["Deny"]) for name in POLICIES
    ]
    for spec in POLICIES.values():
        assert spec["failurePolicy"] == "Fail"
        assert "*" not in str(spec["matchConstraints"])
        (condition,) = spec["matchConditions"]
        assert "kubeslice-rbac-worker-" in condition["expression"]
        assert (
            "'kubeslice-" in condition["expression"] or "'system:serviceaccount:kubeslice-" in condition["expression"]
        )


def test_objects_that_workers_may_patch_are_kept() -> None:
    patched = {
        resource
        for rule in tenancy.worker_rules()
        if "patch" in rule["verbs"]
        for resource in rule["resources"]
        if "/" not in resource
    }
    held = {
        resource for spec in POLICIES.values() for resource in spec["matchConstraints"]["resourceRules"][0]["resources"]
    }
    assert patched <= held


def test_the_life_of_tokens_is_that_which_the_hub_was_given() -> None:
    (validation,) = POLICIES[names.WORKER_TOKENS_POLICY]["validations"]
    assert validation["expression"].endswith("<= 259200")


def test_of_every_condition_of_a_cluster_it_is_known_whose_word_it_is() -> None:
    """A new one is either the hub's, so that no worker can say it, or it is listed here as a worker's."""
    chapters = [chapter.partition("\n") for chapter in CONDITIONS.read_text().split("\n## ")]
    about_clusters = [table for kinds, _, table in chapters if "Cluster" in kinds.split(", ")]
    said = {type_ for table in about_clusters for type_ in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)}
    assert said == OF_WORKERS | set(hubbounds.HUBS_CONDITIONS)
