"""The default slice of a project is in nobody's way: not of other slices, not of deletions."""

from pathlib import Path
from typing import Any

import pytest

from kubeslice.kube.errors import Invalid
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource
from kubeslice.plan.tenants import tenancy
from tests.webhook.running import until, webhook

pytestmark = pytest.mark.api

PROJECT = "fruit"
HOME = names.project_namespace(PROJECT)
DEFAULT = names.default_slice(PROJECT)
CLAIM = {"applicationNamespaces": [{"namespace": "web", "clusters": ["*"]}]}


def without_network(name: str) -> Any:
    spec = {"overlayNetworkDeploymentMode": "no-network", "clusters": ["a"], "namespaceIsolationProfile": CLAIM}
    return {"metadata": {"name": name, "namespace": HOME}, "spec": spec}


async def test_what_it_holds_can_be_taken_and_what_it_names_be_deleted(admin: HttpApi, loopback_cluster: Path) -> None:
    async with webhook(admin, loopback_cluster, "hub"):
        project = {"metadata": {"name": PROJECT, "namespace": names.HUB_NAMESPACE}, "spec": {}}
        await admin.apply(r.PROJECTS, project, manager="test")
        namespace = {"metadata": {"name": HOME, "labels": tenancy.project_labels(PROJECT)}}
        await admin.apply(r.NAMESPACES, namespace, manager="test")
        await admin.apply(r.CLUSTERS, {"metadata": {"name": "a", "namespace": HOME}, "spec": {}}, manager="test")
        await until(lambda: admin.apply(r.SLICECONFIGS, without_network(DEFAULT), manager="test"))
        await until(lambda: admin.apply(r.SLICECONFIGS, without_network("red"), manager="test"))
        await admin.apply(r.SLICECONFIGS, without_network(DEFAULT), manager="again")

        async def refused() -> bool:
            try:
                await admin.apply(r.SLICECONFIGS, without_network("blue"), manager="test")
            except Invalid as refusal:
                return "belongs to slice red" in refusal.message
            await admin.delete(r.SLICECONFIGS, "blue", HOME)
            return False

        await until(refused)
        with pytest.raises(Invalid, match=f"slices red(?!.*{DEFAULT})"):
            await admin.delete(r.CLUSTERS, "a", HOME)
        await admin.apply(r.SLICECONFIGS, _emptied(without_network("red")), manager="test")
        await until(lambda: _is_deleted(admin, r.SLICECONFIGS, "red"))
        await until(lambda: _is_deleted(admin, r.CLUSTERS, "a"))
        await admin.delete(r.SLICECONFIGS, DEFAULT, HOME)
        await admin.delete(r.PROJECTS, PROJECT, names.HUB_NAMESPACE)


def _emptied(config: Any) -> Any:
    return config | {"spec": config["spec"] | {"namespaceIsolationProfile": {"applicationNamespaces": []}}}


async def _is_deleted(admin: HttpApi, resource: Resource, name: str) -> bool:
    """Delete an object; what the webhook has not heard of yet makes it refuse, which `until` tries again."""
    await admin.delete(resource, name, HOME)
    return True
