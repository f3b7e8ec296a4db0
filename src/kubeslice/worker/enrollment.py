"""Which projects this cluster has joined, and how it reaches the hub of each.

The first project's credential is mounted; that of a further one is in a Secret with the label of its project, which
`kubeslice worker join` made. Called by the operator and by who takes the worker away.
"""

import base64
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass

from kubeslice.kube import config, objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.model.resources import NAMESPACES, SECRETS
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.worker.hubtoken import HubToken

log = logging.getLogger(__name__)

WAY = ("endpoint", "ca.crt", "clusterName")
# Its uid tells a cluster from every other for as long as it lives.
OLDEST_NAMESPACE = "kube-system"
Ways = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Enrollment:
    """Who this cluster is in one project, and how the project's hub is reached as that."""

    member: Member
    api: Api
    token: HubToken
    local: LocalNames

    @property
    def secret(self) -> str:
        """Return the name of the Secret of the own cluster that holds the credential."""
        return names.HUB_SECRET if self.local.is_first else names.further_hub_secret(self.member.project)


async def further(own: Api) -> list[Object]:
    """Return the Secrets of the projects that were joined after the first."""
    return (await own.list(SECRETS, names.WORKER_NAMESPACE, labels=names.PROJECT_LABEL)).items


async def enroll(own: Api, secrets: list[Object], connections: AsyncExitStack) -> list[Enrollment]:
    """Connect as each of these Secrets says, until the `connections` are closed; leave out those that do not."""
    salt = await _salt(own) if secrets else ""
    return [found for secret in secrets if (found := await _enroll(secret, salt, connections)) is not None]


def ways(secrets: list[Object]) -> Ways:
    """Return the way to each hub by the name of its Secret; what else is in them may change at any time."""
    return {objects.name(secret): tuple(_texts(secret).get(key, "") for key in WAY) for secret in secrets}


async def _enroll(secret: Object, salt: str, connections: AsyncExitStack) -> Enrollment | None:
    project, texts = objects.labels(secret)[names.PROJECT_LABEL], _texts(secret)
    token = HubToken(texts.get(names.BROUGHT_TOKEN, ""), texts.get(names.OWN_TOKEN, ""))
    endpoint, authority, cluster = (texts.get(key, "") for key in WAY)
    try:
        connection = config.with_token(endpoint, authority, token)
    except (ValueError, OSError) as error:
        log.error("Secret %s does not say how to reach the hub of %s: %s", objects.name(secret), project, error)
        return None
    hub = await connections.enter_async_context(HttpApi(connection, names.WORKER_MANAGER))
    return Enrollment(Member(project, cluster), hub, token, LocalNames(project, is_first=False, salt=salt))


async def _salt(own: Api) -> str:
    try:
        return objects.uid(await own.get(NAMESPACES, OLDEST_NAMESPACE))
    except NotFound:
        return ""


def _texts(secret: Object) -> dict[str, str]:
    data = secret.get("data") or {}
    return {key: base64.b64decode(value).decode(errors="replace").strip() for key, value in data.items()}
