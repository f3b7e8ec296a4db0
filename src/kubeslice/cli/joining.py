"""`kubeslice cluster join-token`, `cluster revoke`: what lets a cluster in, and what takes that away again."""

from datetime import datetime

from kubeslice.cli.finding import project_of, require_project
from kubeslice.install import worker
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Api, Object
from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.model.resources import CLUSTERS
from kubeslice.plan.tenants import joining
from kubeslice.plan.tenants.joining import JoinToken

PATIENCE = 30.0


async def invite(api: Api, name: str, project: str | None, ttl: str) -> JoinToken:
    """Return a token with which a cluster can join; it may be new to the hub when its project is named."""
    seconds = joining.seconds(ttl)
    if project:
        await require_project(api, project)
    return await worker.invite(api, project or await project_of(api, name), name, seconds)


async def revoke(api: Api, cluster: Object, now: datetime) -> str:
    """Make every credential of a cluster's worker worthless and wait until it is; return the sentence for people."""
    name, home = objects.name(cluster), objects.namespace(cluster)
    if objects.spec(cluster).get("evicted"):
        raise Terminal(f"{name} is evicted: its worker has no credential any more")
    revision = now.isoformat()
    await api.patch(CLUSTERS, name, home, {"spec": {"credential": {"revision": revision}}})
    await waiting.until(
        api,
        CLUSTERS,
        name,
        home,
        lambda obj: obj is None or objects.status(obj).get("credentialRevision") == revision,
        timeout=PATIENCE,
        what="the revocation by the hub",
    )
    again = f"kubeslice cluster join-token {name} --project {names.project_of(home)}"
    return (
        f"every credential of the worker of {name} is worthless now; its slices go on as they are, and nothing new "
        f"reaches it until it joins again: {again}"
    )
