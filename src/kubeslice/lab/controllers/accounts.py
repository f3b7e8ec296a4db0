"""Gives every namespace its `default` service account and the certificate authority that pods verify the API with."""

from collections.abc import Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import AlreadyExists, ApiError, Forbidden, NotFound
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.model.ids import Key
from kubeslice.model.resources import CONFIGMAPS, SERVICEACCOUNTS, Resource
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source

ACCOUNT = "default"
AUTHORITY = "kube-root-ca.crt"
DESCRIPTION = "Contains a CA bundle that can be used to verify the kube-apiserver"


class Accounts:
    """Reconciles one namespace at a time; `authority` is the PEM text of the cluster's certificate authority."""

    def __init__(
        self, api: Api, namespaces: Informer, accounts: Informer, configmaps: Informer, authority: str
    ) -> None:
        self._api = api
        self._namespaces = namespaces
        self._accounts = accounts
        self._configmaps = configmaps
        self._authority = authority
        sources = [
            Source(namespaces, keys_of),
            Source(accounts, lambda each: _home(each, ACCOUNT)),
            Source(configmaps, lambda each: _home(each, AUTHORITY)),
        ]
        self.controller = Controller("serviceaccount", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Make what is missing, repair what was changed."""
        namespace = self._namespaces.get(key.name)
        if namespace is None or objects.is_deleting(namespace):
            return Result()
        if self._accounts.get(ACCOUNT, key.name) is None:
            await self._create(SERVICEACCOUNTS, account(key.name))
        if self._authority:
            await self._publish(key.name)
        return Result()

    async def _publish(self, namespace: str) -> None:
        wanted = authority(namespace, self._authority)
        seen = self._configmaps.get(AUTHORITY, namespace)
        if seen is None:
            await self._create(CONFIGMAPS, wanted)
        elif seen.get("data") != wanted["data"]:
            await self._api.patch(CONFIGMAPS, AUTHORITY, namespace, {"data": wanted["data"]})

    async def _create(self, resource: Resource, obj: Object) -> None:
        try:
            await self._api.create(resource, obj)
        except (AlreadyExists, NotFound):
            return
        except Forbidden as error:
            # A namespace that began to go meanwhile takes nothing new.
            if not is_terminating(error):
                raise


def account(namespace: str) -> Object:
    """Return the default service account."""
    return {"metadata": {"name": ACCOUNT, "namespace": namespace}}


def authority(namespace: str, pem: str) -> Object:
    """Return the ConfigMap with the certificate authority."""
    metadata = {
        "name": AUTHORITY,
        "namespace": namespace,
        "annotations": {"kubernetes.io/description": DESCRIPTION},
    }
    return {"metadata": metadata, "data": {"ca.crt": pem}}


def is_terminating(error: ApiError) -> bool:
    """Tell whether a create was refused because its namespace is being deleted."""
    causes = error.details.get("causes") or []
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def _home(each: Object, name: str) -> Iterable[Key]:
    return [Key("", "", objects.namespace(each))] if objects.name(each) == name else []
