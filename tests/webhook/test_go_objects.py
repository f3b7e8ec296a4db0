"""Objects written for the Go implementation are accepted by CRDs, CEL and webhooks, and stored as they were written."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeslice.kube import objects
from kubeslice.kube.errors import ApiError
from kubeslice.kube.http import HttpApi
from kubeslice.model import names, resources
from kubeslice.model import resources as r
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.tenancy import Member
from tests.webhook.running import webhook

pytestmark = pytest.mark.api

Obj = dict[str, Any]
PROJECT = "go"
HOME = names.project_namespace(PROJECT)
MEMBERS = ("worker-1", "worker-2", "worker-3")


def written(file: str) -> list[Obj]:
    text = (Path(__file__).parent / file).read_text()
    return [obj for obj in yaml.safe_load_all(text) if obj]


HUB, WORKER = written("go_hub_objects.yaml"), written("go_worker_objects.yaml")


def lost(given: Any, stored: Any, path: str = "") -> Iterator[str]:
    """Yield where something that was written is not what is stored; what was added by defaults does not matter."""
    if isinstance(given, dict) and isinstance(stored, dict):
        for key, value in given.items():
            yield from lost(value, stored.get(key), f"{path}.{key}")
    elif isinstance(given, list) and isinstance(stored, list) and len(given) == len(stored):
        for number, (one, other) in enumerate(zip(given, stored, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif given != stored:
        yield f"{path}: {given!r} became {stored!r}"


async def accepted(api: HttpApi, obj: Obj) -> list[str]:
    """Create an object with its status, and take it away; return what was wrong."""
    resource, name = resources.of(obj["apiVersion"], obj["kind"]), objects.name(obj)
    try:
        await api.create(resource, {key: value for key, value in obj.items() if key != "status"})
        if "status" in obj:
            await api.apply(resource, _status_of(obj), manager="go", subresource="status")
        stored = await api.get(resource, name, objects.namespace(obj))
        await api.delete(resource, name, objects.namespace(obj))
    except ApiError as refusal:
        return [f"{obj['kind']} {name}: {refusal}"]
    return [f"{obj['kind']} {name}{where}" for where in lost(obj, stored)]


def _status_of(obj: Obj) -> Obj:
    return {"metadata": {key: obj["metadata"][key] for key in ("name", "namespace")}, "status": obj["status"]}


async def provide_a_project(admin: HttpApi) -> None:
    """Make what the samples refer to: a project with three registered clusters."""
    await admin.apply(r.NAMESPACES, _namespace(HOME, tenancy.project_labels(PROJECT)), manager="go")
    for cluster in MEMBERS:
        member = Member(PROJECT, cluster)
        await admin.apply(r.NAMESPACES, _namespace(member.namespace, tenancy.cluster_labels(member)), manager="go")
        metadata = {"name": cluster, "namespace": HOME}
        await admin.apply(r.CLUSTERS, {"metadata": metadata, "spec": {}}, manager="go")
        status = {
            "registrationStatus": "Registered",
            "networkPresent": True,
            "nodeIPs": ["192.0.2.10"],
            "cniSubnet": ["10.244.0.0/16"],
            "clusterHealth": {"clusterHealthStatus": "Normal"},
        }
        await admin.apply(r.CLUSTERS, {"metadata": metadata, "status": status}, manager="go", subresource="status")
    await admin.apply(r.SLICEQOSCONFIGS, tenancy.default_qos(PROJECT), manager="go")


def _namespace(name: str, labels: dict[str, str]) -> Obj:
    return {"metadata": {"name": name, "labels": labels}}


def test_there_is_an_object_of_every_kind_of_theirs() -> None:
    fields = Path(__file__).parents[1] / "model" / "go_fields.tsv"
    kinds = {line.partition("\t")[0] for line in fields.read_text().splitlines()}
    assert {obj["kind"] for obj in (*HUB, *WORKER)} == kinds


async def test_objects_for_the_hub_are_accepted_unchanged(
    admin: HttpApi, loopback_cluster: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with webhook(admin, loopback_cluster, "hub"):
        await provide_a_project(admin)
        assert [problem for obj in HUB for problem in await accepted(admin, obj)] == []
    assert unchecked(caplog) == []


async def test_objects_for_workers_are_accepted_unchanged(
    admin: HttpApi, loopback_cluster: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with webhook(admin, loopback_cluster, "worker"):
        await admin.apply(r.NAMESPACES, _namespace("go-apps", {}), manager="go")
        assert [problem for obj in WORKER for problem in await accepted(admin, obj)] == []
    assert unchecked(caplog) == []


def unchecked(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the webhook let pass because it failed."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
