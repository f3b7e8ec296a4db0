"""A worker cluster: registering it on the hub, installing it with the credential that the hub made for it."""

import base64
import contextlib

from kubeslice.install.applying import INSTALLER, apply_all, delete_all, workloads_ready
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.manifests import HubCredentials, Image, WorkerValues, worker
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, SECRETS, SLICECONFIGS
from kubeslice.worker.uninstall import leave_cluster, leave_hub

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


async def slices_of(hub: Api, project: str, cluster: str) -> list[str]:
    """Return the slices that name the cluster as a member."""
    listing = await hub.list(SLICECONFIGS, names.project_namespace(project))
    return sorted(objects.name(obj) for obj in listing.items if cluster in (objects.spec(obj).get("clusters") or []))


async def uninstall(worker_api: Api, project: str, cluster: str) -> None:
    """Remove everything of KubeSlice from the cluster of `worker_api`, its CRDs and their objects too."""
    await leave_cluster(worker_api)
    await delete_all(worker_api, worker(WorkerValues(cluster, project, Image(""))))


async def deregister(hub: Api, project: str, cluster: str) -> None:
    """Remove a cluster, its credential and its namespace from the hub, without help of its worker."""
    await leave_hub(hub, names.cluster_namespace(project, cluster))
    namespace = names.project_namespace(project)
    with contextlib.suppress(NotFound):
        await hub.delete(CLUSTERS, cluster, namespace)
    await waiting.until(hub, CLUSTERS, cluster, namespace, lambda obj: obj is None, timeout=PATIENCE, what="deleted")


def _is_filled(secret: Object | None) -> bool:
    data = (secret or {}).get("data") or {}
    return all(data.get(key) for key in ("token", "ca.crt", "controllerEndpoint"))
