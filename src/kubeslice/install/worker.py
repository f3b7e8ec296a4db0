"""A worker cluster: registering it on the hub, installing it with the credential that the hub made for it.

Who holds both clusters' credentials uses `register`, `install` and `registered`; otherwise one side invites and the
other joins.
"""

import base64
import contextlib
from collections.abc import Callable
from functools import partial

from kubeslice.install.applying import INSTALLER, apply_all, delete_all, workloads_ready
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.kube.tokens import request_token
from kubeslice.manifests import HubCredentials, Image, WorkerValues, hub_secret, worker, workerside
from kubeslice.model import names
from kubeslice.model.conditions import READY
from kubeslice.model.errors import Terminal
from kubeslice.model.resources import CLUSTERS, DEPLOYMENTS, EVENTS, SECRETS, SLICECONFIGS
from kubeslice.plan.hub.clusters import CREDENTIALS_READY
from kubeslice.plan.tenants import credentials
from kubeslice.plan.tenants.joining import JoinToken
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.worker import enrollment
from kubeslice.worker.caches import OPERATOR
from kubeslice.worker.uninstall import leave_cluster, leave_hub

PATIENCE = 60.0
REFUSED_AFTER = 10.0
REFUSALS = frozenset({"CredentialRefused", "CredentialOfAnother"})


async def register(hub: Api, project: str, cluster: str) -> HubCredentials | None:
    """Apply the `Cluster` on the hub and return the credential that the hub makes for it to join with.

    None when it has joined already and its worker looks after its credential itself.
    """
    secret = await _secret(hub, project, cluster)
    return HubCredentials(*_entries(secret, "controllerEndpoint", "token", "ca.crt")) if secret else None


async def invite(hub: Api, project: str, cluster: str, seconds: int) -> JoinToken:
    """Apply the `Cluster` on the hub and return a token with which it can join for so many seconds.

    It ends earlier when the worker has got a credential of its own with it: then the hub removes the Secret that it is
    bound to. Raises `Terminal` when the cluster has joined already.
    """
    secret = await _secret(hub, project, cluster)
    if secret is None:
        raise Terminal(
            f"{cluster} has joined already and renews its credential itself; to join it anew, take that away first: "
            f"kubeslice cluster revoke {cluster} --project {project}"
        )
    endpoint, ca = _entries(secret, "controllerEndpoint", "ca.crt")
    bound = {"apiVersion": SECRETS.api_version, "kind": SECRETS.kind, "name": objects.name(secret)}
    account, home = names.worker_account(cluster), names.project_namespace(project)
    token = await request_token(hub, account, home, seconds, {**bound, "uid": objects.uid(secret)})
    return JoinToken(endpoint, ca, project, cluster, token)


async def join(
    worker_api: Api, invitation: JoinToken, image: Image, progress: Callable[[str], None] = lambda _: None
) -> None:
    """Install a worker that was invited, or add a project to one, and wait until the hub has registered it.

    Asks nobody but the cluster of `worker_api`: the hub may be out of reach from here. Raises `Terminal` when this
    cluster is in the project under another name or the token used up, `NotReached` when the worker finds no way to the
    hub.
    """
    secret = await _secret_here(worker_api, invitation.project)
    await _is_new_here(worker_api, invitation, secret)
    brought = HubCredentials(endpoint=invitation.endpoint, token=invitation.token, ca=invitation.ca)
    await install(worker_api, invitation.project, invitation.cluster, brought, image)
    progress("operator, agent, DNS and webhook run")
    await _joined(worker_api, invitation, secret)
    progress("the hub has registered it, and it has a credential of its own")


async def install(worker_api: Api, project: str, cluster: str, brought: HubCredentials | None, image: Image) -> None:
    """Install the operator, agent, DNS and webhook on the cluster of `worker_api` and wait until they run.

    On a cluster that works for another project already, give its worker the credential for this one, and no more.
    Without a credential that is `brought`, the one that is there stays. Raises `Terminal` when there is none, or it is
    that of another cluster.
    """
    secret = await _secret_here(worker_api, project)
    found = await _found(worker_api, secret)
    _require_same(found, project, cluster)
    if brought is None and found is None:
        raise Terminal(
            f"the hub knows a worker of {cluster} that has a credential, and this cluster has none: take that away "
            f"first, with kubeslice cluster revoke {cluster} --project {project}"
        )
    if secret != names.HUB_SECRET:
        await apply_all(worker_api, [hub_secret(Member(project, cluster), brought, secret)] if brought else [])
        return
    manifests = worker(WorkerValues(cluster, project, image, brought))
    await apply_all(worker_api, manifests)
    await workloads_ready(worker_api, manifests, seconds=PATIENCE)


async def registered(hub: Api, project: str, cluster: str) -> None:
    """Wait until the worker is heard of by the hub. Raises `NotReached` with what the hub says instead."""
    home, said = names.project_namespace(project), "there is no such Cluster"

    def is_ready(obj: Object | None) -> bool:
        nonlocal said
        ready = (objects.condition(obj, READY) if obj else None) or {}
        said = str(ready.get("message") or said)
        return ready.get("status") == "True"

    try:
        await waiting.until(hub, CLUSTERS, cluster, home, is_ready, timeout=PATIENCE)
    except waiting.NotReached as late:
        raise waiting.NotReached(f"{cluster} is installed, but the hub has not registered it: {said}") from late


async def slices_of(hub: Api, project: str, cluster: str) -> list[str]:
    """Return the slices that name the cluster as a member, but for the default one, which lets go of it by itself."""
    listing = await hub.list(SLICECONFIGS, names.project_namespace(project))
    found = [objects.name(obj) for obj in listing.items if cluster in (objects.spec(obj).get("clusters") or [])]
    return sorted(name for name in found if name != names.default_slice(project))


async def is_further(worker_api: Api, project: str) -> bool:
    """Tell whether the cluster joined a project after another one, so that its worker lets go of it by itself."""
    return await _secret_here(worker_api, project) != names.HUB_SECRET


async def uninstall(worker_api: Api, project: str, cluster: str) -> None:
    """Remove everything of KubeSlice from the cluster of `worker_api`, its CRDs and their objects too.

    Raises `Terminal` while it works for further projects, and when it is another cluster of the project.
    """
    _require_same(await _found(worker_api, names.HUB_SECRET), project, cluster)
    others = [objects.labels(secret)[names.PROJECT_LABEL] for secret in await enrollment.further(worker_api)]
    if others:
        raise Terminal(
            f"this cluster works for {', '.join(others)} too: take it out there first, with kubeslice uninstall worker"
        )
    await leave_cluster(worker_api)
    await delete_all(worker_api, worker(WorkerValues(cluster, project, Image(""))))


async def deregister(hub: Api, project: str, cluster: str, *, by_worker: bool = False) -> None:
    """Remove a cluster, its credential and its namespace from the hub; without `by_worker` nobody else cleans up."""
    if not by_worker:
        await leave_hub(hub, Member(project, cluster))
    namespace = names.project_namespace(project)
    with contextlib.suppress(NotFound):
        await hub.delete(CLUSTERS, cluster, namespace)
    await waiting.until(hub, CLUSTERS, cluster, namespace, lambda obj: obj is None, timeout=PATIENCE, what="deleted")


async def _secret(hub: Api, project: str, cluster: str) -> Object | None:
    """Return the Secret that a cluster joins with, made by the hub when there is none; None after it has joined.

    Raises `Terminal` when the cluster is shut out.
    """
    namespace = names.project_namespace(project)
    wanted = {"metadata": {"name": cluster, "namespace": namespace}, "spec": {}}
    applied = await hub.apply(CLUSTERS, wanted, manager=INSTALLER)
    if objects.spec(applied).get("evicted"):
        again = f"kubeslice cluster evict {cluster} --undo --project {project}"
        raise Terminal(f"{cluster} is evicted and cannot join: let it in again first, with {again}")
    obj = await waiting.until(
        hub,
        CLUSTERS,
        cluster,
        namespace,
        lambda seen: seen is not None and objects.is_true(seen, CREDENTIALS_READY),
        timeout=PATIENCE,
        what="the worker's credential",
    )
    if not objects.status(obj or {}).get("secretName"):
        return None
    try:
        return await hub.get(SECRETS, names.worker_account(cluster), namespace)
    except NotFound:
        return None


def _entries(secret: Object, *keys: str) -> list[str]:
    data = secret.get("data") or {}
    return [base64.b64decode(data.get(key) or "").decode() for key in keys]


async def _joined(worker_api: Api, invitation: JoinToken, secret: str) -> None:
    """Wait until the worker has a credential of its own. Raises `NotReached` with what it complains of."""
    is_joined = partial(_is_joined, invitation)
    # A worker that had another credential before tries that first, so a refusal counts when it has lasted.
    for patience in (REFUSED_AFTER, PATIENCE - REFUSED_AFTER):
        try:
            await waiting.until(worker_api, SECRETS, secret, names.WORKER_NAMESPACE, is_joined, timeout=patience)
        except waiting.NotReached:
            reason, why = await _complaint(worker_api)
            if reason in REFUSALS:
                break
        else:
            return
    raise waiting.NotReached(
        f"{invitation.cluster} is installed, but the hub at {invitation.endpoint} has not registered it: {why}"
    )


def _is_joined(invitation: JoinToken, secret: Object | None) -> bool:
    """Tell whether the worker has got a credential of its own since it was invited."""
    own = credentials.read(_entries(secret, names.OWN_TOKEN)[0]) if secret else None
    brought = credentials.read(invitation.token)
    if own is None or brought is None:
        return False
    return own.account_uid == brought.account_uid and credentials.follows(own, brought)


async def _found(worker_api: Api, secret: str) -> Object | None:
    try:
        return await worker_api.get(SECRETS, secret, names.WORKER_NAMESPACE)
    except NotFound:
        return None


async def _secret_here(worker_api: Api, project: str) -> str:
    """Return the Secret in which a project's credential is or would be in this cluster.

    Raises `Terminal` when the operator of another project has ended, because its cluster was deregistered.
    """
    try:
        operator = await worker_api.get(DEPLOYMENTS, OPERATOR, names.WORKER_NAMESPACE)
    except NotFound:
        return names.HUB_SECRET
    if workerside.project_of(operator) == project:
        return names.HUB_SECRET
    if objects.spec(operator).get("replicas") == 0:
        raise Terminal("the worker in this cluster has ended: take it off first, with kubeslice uninstall worker")
    return names.further_hub_secret(project)


async def _is_new_here(worker_api: Api, invitation: JoinToken, name: str) -> None:
    secret = await _found(worker_api, name)
    if secret is None:
        return
    _require_same(secret, invitation.project, invitation.cluster)
    if _is_joined(invitation, secret):
        again = f"make another with `kubeslice cluster join-token {invitation.cluster} --project {invitation.project}`"
        raise Terminal(f"{invitation.cluster} joined with this token already, and it is used up: {again}")


def _require_same(secret: Object | None, project: str, cluster: str) -> None:
    """Raise `Terminal` when a cluster with this Secret is in the project under another name: it is mistaken for one."""
    known = _entries(secret, "clusterName")[0] if secret else ""
    if known and known != cluster:
        raise Terminal(
            f"this cluster is {known} of project {project} already, not {cluster}: name another, or take it out there "
            f"first, with kubeslice uninstall worker {known} --project {project}"
        )


async def _complaint(worker_api: Api) -> tuple[str, str]:
    """Return what the worker said last about its way to a hub, as a reason and a sentence."""
    events = (await worker_api.list(EVENTS, names.WORKER_NAMESPACE)).items
    own = [
        event
        for event in events
        if event.get("type") == "Warning" and (event.get("involvedObject") or {}).get("name") == OPERATOR
    ]
    last = max(own, key=lambda event: str(event.get("lastTimestamp") or ""), default=None)
    if last is None:
        return "", f"see the pods in {names.WORKER_NAMESPACE} and their logs"
    return str(last.get("reason")), str(last["message"])
