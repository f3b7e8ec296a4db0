"""`kubeslice policies render` prints what a project asks for, or says in one line why there is nothing to print."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from kubeslice.cli import policies
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import AlreadyExists
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.crd import crd
from kubeslice.model.project import Project
from kubeslice.model.sliceconfig import SliceConfig
from tests.conftest import ApiServer
from tests.webhook.running import served, until

pytestmark = pytest.mark.api


@pytest.fixture
async def project(api_server: ApiServer) -> AsyncIterator[str]:
    """A project with the bundle storage and no slice."""
    name = f"p{secrets.token_hex(3)}"
    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as api:
        for kind in (Project, SliceConfig):
            await api.apply(r.CRDS, crd(kind), manager="test")
            await until(lambda kind=kind: served(api, kind.resource))  # type: ignore[misc]
        for namespace in (names.HUB_NAMESPACE, names.project_namespace(name)):
            with suppress(AlreadyExists):
                await api.create(r.NAMESPACES, {"metadata": {"name": namespace}})
        spec = {"policyBundles": ["storage"], "allowedStorageClasses": ["fast"]}
        await api.create(r.PROJECTS, {"metadata": {"name": name, "namespace": names.HUB_NAMESPACE}, "spec": spec})
        yield name
        await api.delete(r.PROJECTS, name, names.HUB_NAMESPACE)
        await api.delete(r.NAMESPACES, names.project_namespace(name))


async def test_what_is_printed_can_be_applied(api_server: ApiServer, project: str) -> None:
    async def render(*options: str) -> Any:
        command = [project, "--kubeconfig", str(api_server.kubeconfig), *options]
        return await asyncio.to_thread(lambda: CliRunner().invoke(policies.app, ["render", *command]))

    without_slices = await render()
    assert without_slices.exit_code == 1
    assert f"project {project} has no slice yet" in without_slices.output
    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as api:
        metadata = {"name": "red", "namespace": names.project_namespace(project)}
        spec: Any = {"overlayNetworkDeploymentMode": "no-network"}
        await api.create(r.SLICECONFIGS, {"metadata": metadata, "spec": spec})
        policy, binding = yaml.safe_load_all((await render()).output)
        template, constraint = yaml.safe_load_all((await render("--format", "gatekeeper")).output)
        await api.delete(r.SLICECONFIGS, "red", metadata["namespace"])
    assert policy["metadata"]["name"] == binding["spec"]["policyName"]
    assert constraint["kind"] == template["spec"]["crd"]["spec"]["names"]["kind"]
    assert constraint["spec"]["parameters"] == {"storageClasses": ["fast"]}
    wrong = await render("--format", "rego")
    assert (wrong.exit_code, "use vap or gatekeeper" in wrong.output) == (1, True)
