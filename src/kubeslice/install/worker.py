"""A worker cluster: registering it on the hub, installing it with the credential that the hub made for it."""

import base64

from kubeslice.install.applying import INSTALLER, apply_all, delete_all, workloads_ready
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.manifests import HubCredentials, Image, WorkerValues, worker
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, SECRETS

PATIENCE = 60.0


async def register(hub: Api, project: str, cluster: str) -> HubCredentials:
    """Apply the `Cluster` on the hub and return the credential that the hub makes for it."""
    namespace = names.project_namespace(project)
    await hub.apply(CLUSTERS, {"metadata": {"name": cluster, "namespace": namespace}, "spec": {}}, manager=INSTALLER)
    secret = await waiting.until(
        hub,
        SECRETS,
        names.worker_account(cluster),
        namespace,
        _is_filled,
        timeout=PATIENCE,
        what="the worker's credential",
    )
    assert secret is not None
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    return HubCredentials(endpoint=data["controllerEndpoint"], token=data["token"], ca=data["ca.crt"])


async def install(worker_api: Api, project: str, cluster: str, credentials: HubCredentials, image: Image) -> None:
    """Install the operator, agent, DNS and webhook on the cluster of `worker_api` and wait until they run."""
    manifests = worker(WorkerValues(cluster, project, image, credentials))
    await apply_all(worker_api, manifests)
    await workloads_ready(worker_api, manifests, seconds=PATIENCE)


async def registered(hub: Api, project: str, cluster: str) -> None:
    """Wait until the worker has reported to the hub."""
    await waiting.until(
        hub,
        CLUSTERS,
        cluster,
        names.project_namespace(project),
        lambda obj: obj is not None and objects.status(obj).get("registrationStatus") == "Registered",
        timeout=PATIENCE,
        what="Registered",
    )


async def uninstall(worker_api: Api, project: str, cluster: str, image: Image) -> None:
    """Remove what `install` applied; slices have to be gone before, so that nothing is orphaned."""
    await delete_all(worker_api, worker(WorkerValues(cluster, project, image)))


def _is_filled(secret: Object | None) -> bool:
    data = (secret or {}).get("data") or {}
    return all(data.get(key) for key in ("token", "ca.crt", "controllerEndpoint"))
