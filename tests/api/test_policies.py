"""Policies in the server: what the bundles of a project, as they are printed, do to who writes into its namespaces."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubeslice.plan.tenants import policy_forms
from kubeslice.plan.tenants.policy_forms import Tenant
from tests.api.client import MERGE_PATCH, Client

pytestmark = pytest.mark.api

PLACES = {
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}
FULL = {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "1Mi"}}


def pod(name: str, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "example.com/app:1", "resources": FULL, **(container or {})}
    return {"metadata": {"name": name}, "spec": {"containers": [main], **spec}}


def off_the_slice() -> dict[str, Any]:
    return {"metadata": {"labels": {"kubeslice.io/slice": None}}}


@pytest.fixture
async def bound(api: Client, namespace: str, name: str) -> AsyncIterator[None]:
    """The test's namespace is on a slice of a project that lives under every bundle."""
    labels = {"metadata": {"labels": {"kubeslice.io/slice": name}}}
    (await api.patch(f"/api/v1/namespaces/{namespace}", MERGE_PATCH, labels)).expect(200)
    bundles = ("network", "storage", "resources", "security")
    made = []
    for obj in policy_forms.admission_policies(Tenant(name, [name], bundles, ["fast"])):
        (await api.create(PLACES[obj["kind"]], obj)).expect(201)
        made.append(f"{PLACES[obj['kind']]}/{obj['metadata']['name']}")
    pods, probe = f"/api/v1/namespaces/{namespace}/pods", pod("probe", hostNetwork=True)
    async with asyncio.timeout(10):
        while (await api.create(pods, probe, dryRun="All")).code == 201:
            await asyncio.sleep(0.1)  # kube-apiserver heeds a policy a moment after it was made
    yield
    for path in made:
        await api.delete(path)


@pytest.mark.usefixtures("bound")
async def test_a_tenant_is_held_to_the_bundles(api: Client, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    refused = [
        (f"{core}/pods", pod("a", hostNetwork=True), "stay in their own network"),
        (f"{core}/pods", pod("a", {"securityContext": {"privileged": True}}), "owns its node"),
        (f"{core}/pods", pod("a", {"resources": {}}), "does not say what it needs"),
        (f"{core}/pods", pod("a", volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "files of nodes"),
        (
            f"{core}/services",
            {"metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}},
            "not reached from outside",
        ),
    ]
    for path, obj, words in refused:
        refusal = (await api.create(path, obj)).expect(403)
        assert words in refusal["message"]
        assert "denied request" in refusal["message"]
        (cause,) = refusal["details"]["causes"]
        assert cause.keys() == {"message"}
        assert refusal["message"].endswith(cause["message"])
    assert (await api.create(f"{core}/pods", pod("good"))).code == 201
    fine = {"metadata": {"name": "good"}, "spec": {"ports": [{"port": 80}]}}
    assert (await api.create(f"{core}/services", fine)).code == 201
    ours = {"metadata": {"name": "a", "labels": {"app.kubernetes.io/managed-by": "kubeslice-worker"}}}
    network_policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    (await api.create(network_policies, {**ours, "spec": {"podSelector": {}}})).expect(201)
    assert "isolates a slice" in (await api.delete(f"{network_policies}/a")).expect(403)["message"]
    (await api.patch(f"/api/v1/namespaces/{namespace}", MERGE_PATCH, off_the_slice())).expect(200)
    (await api.delete(f"{network_policies}/a")).expect(200)
    assert (await api.create(f"{core}/pods", pod("free", hostNetwork=True))).code == 201
