"""The Secret in which the webhook's replicas share one identity: read, renewed in time, never another's lost."""

import base64
import binascii
from datetime import datetime

from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Conflict, NotFound
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.resources import SECRETS
from kubeslice.webhook.certificates import Identity, renewed

ATTEMPTS = 5
FIELDS = {"bundle": "ca.crt", "authority_key": "ca.key", "certificate": "tls.crt", "key": "tls.key"}


async def shared_identity(api: Api, namespace: str, host: str, now: datetime) -> Identity:
    """Return the identity that all replicas serve with. Raises `Retry` when others keep changing it."""
    for _ in range(ATTEMPTS):
        secret = await _read(api, namespace)
        current = _decoded(secret)
        wanted = renewed(current, host, now)
        if wanted is current:
            return wanted
        try:
            await _write(api, namespace, secret, wanted)
        except Conflict:  # another replica was faster: its identity is as good
            continue
        return wanted
    raise Retry(f"the Secret {namespace}/{names.WEBHOOK_CERTIFICATE_SECRET} changes all the time")


async def _read(api: Api, namespace: str) -> Object | None:
    try:
        return await api.get(SECRETS, names.WEBHOOK_CERTIFICATE_SECRET, namespace)
    except NotFound:
        return None


async def _write(api: Api, namespace: str, secret: Object | None, identity: Identity) -> None:
    name = names.WEBHOOK_CERTIFICATE_SECRET
    data = {entry: base64.b64encode(getattr(identity, field)).decode() for field, entry in FIELDS.items()}
    if secret is None:
        labels = {names.MANAGED_BY_LABEL: names.WEBHOOK_MANAGER}
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        await api.create(SECRETS, {"metadata": metadata, "type": "kubernetes.io/tls", "data": data})
    else:
        version = {"resourceVersion": secret["metadata"]["resourceVersion"]}
        await api.patch(SECRETS, name, namespace, {"metadata": version, "data": data})


def _decoded(secret: Object | None) -> Identity | None:
    """Read an identity; a Secret that holds none (somebody emptied it) counts as no identity."""
    data = (secret or {}).get("data") or {}
    try:
        return Identity(**{field: base64.b64decode(data[entry], validate=True) for field, entry in FIELDS.items()})
    except (KeyError, binascii.Error):
        return None
