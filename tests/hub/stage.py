"""What transition tests of the hub need: a hub in this process, and workers played with their own credentials."""

import asyncio
import base64
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from kubeslice.hub.hub import Hub, Settings
from kubeslice.hub.metrics import HubMetrics
from kubeslice.kube import objects
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.errors import ApiError, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.kube.lease import HUB_DURATION
from kubeslice.manifests import HubValues, Image, hub
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from tests import keys as made_up

Object = dict[str, Any]
HEARTBEAT = "2026-01-01T00:00:00Z"


class LeapingClock(SystemClock):
    """The machine's clock, which tests can put forward."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def leap(self, seconds: float) -> None:
        self._ahead += seconds


class Stage:
    """One project on the server, and everybody who takes part."""

    def __init__(self, url: str, admin: HttpApi) -> None:
        self.url = url
        self.admin = admin
        self.project = f"p{secrets.token_hex(3)}"
        self.silence = 15.0
        self.term = HUB_DURATION
        self.clock = LeapingClock()
        self._open: list[HttpApi] = []
        self.registry = CollectorRegistry()
        self._hub: asyncio.Task[None] | None = None

    @property
    def home(self) -> str:
        return names.project_namespace(self.project)

    def namespace_of(self, cluster: str) -> str:
        return names.cluster_namespace(self.project, cluster)

    async def install(self) -> None:
        """Apply the hub's manifests, except what would need nodes."""
        by_kind = {value.kind: value for value in vars(r).values() if isinstance(value, Resource)}
        for obj in hub(HubValues(self.url, Image("kubeslice"))):
            if obj["kind"] not in {"Deployment", "Service"}:
                await self.admin.apply(by_kind[obj["kind"]], obj, manager="test")
        for kind in (r.PROJECTS, r.WORKERSERVICEIMPORTS):
            await self.until(lambda kind=kind: self.is_served(kind))  # type: ignore[misc]

    async def is_served(self, kind: Resource) -> bool:
        try:
            await self.admin.list(kind)
        except NotFound:
            return False
        return True

    async def start_hub(self) -> None:
        api = await self.login("kubeslice-hub", names.HUB_NAMESPACE)
        settings = Settings("test", "https://hub.example:6443", silence=self.silence, term=self.term)
        self.registry = CollectorRegistry()
        self.process = Hub(api, settings, self.clock, ControllerMetrics(self.registry), HubMetrics(self.registry))
        self._hub = asyncio.create_task(self.process.run())

    async def stop_hub(self) -> None:
        assert self._hub is not None
        self._hub.cancel()
        with suppress(asyncio.CancelledError):
            await self._hub

    async def close(self) -> None:
        """Stop the hub and log everybody out."""
        await self.stop_hub()
        await self.log_out()

    async def log_out(self) -> None:
        for api in self._open:
            await api.close()

    async def login(self, account: str, namespace: str) -> HttpApi:
        """Become a service account by a token Secret of its own."""
        name = f"{account}-test"
        annotations = {"kubernetes.io/service-account.name": account}
        secret = {
            "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
            "type": "kubernetes.io/service-account-token",
        }
        await self.admin.apply(r.SECRETS, secret, manager="test")
        return await self.credential(name, namespace)

    async def credential(self, secret: str, namespace: str) -> HttpApi:
        """Become whom a token Secret is for."""
        api = HttpApi(from_kubeconfig(await self.kubeconfig(secret, namespace)))
        self._open.append(api)
        return api

    async def kubeconfig(self, secret: str, namespace: str) -> Object:
        """Return the kubeconfig of whom a token Secret is for."""

        async def token() -> Object | None:
            found = await self.find(r.SECRETS, secret, namespace)
            return found if found and "token" in (found.get("data") or {}) else None

        found = await self.until(token)
        entry = {"server": self.url, "certificate-authority-data": found["data"]["ca.crt"]}
        return {
            "clusters": [{"name": "c", "cluster": entry}],
            "users": [{"name": "u", "user": {"token": base64.b64decode(found["data"]["token"]).decode()}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }

    async def find(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        try:
            return await self.admin.get(resource, name, namespace)
        except NotFound:
            return None

    async def until(self, check: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> Any:
        """Wait until `check` returns something true; return it."""
        deadline = time.monotonic() + seconds
        result: Any = None
        while time.monotonic() < deadline:
            with suppress(ApiError):
                result = await check()
                if result:
                    return result
            await asyncio.sleep(0.03)
        raise AssertionError(f"not within {seconds} s; last seen: {result!r}")

    async def gone(self, resource: Resource, name: str, namespace: str | None = None, seconds: float = 10.0) -> None:
        async def is_gone() -> bool:
            return await self.find(resource, name, namespace) is None

        await self.until(is_gone, seconds)

    async def condition(
        self, resource: Resource, name: str, namespace: str, kind: str, status: str, text: str = ""
    ) -> Object:
        """Wait until a condition has this status and a text in reason or message; return the object."""
        seen: Any = None

        async def holds() -> Object | None:
            nonlocal seen
            obj = await self.admin.get(resource, name, namespace)
            seen = objects.condition(obj, kind)
            is_it = seen and seen["status"] == status and text in f"{seen['reason']}: {seen['message']}"
            return obj if is_it else None

        try:
            return await self.until(holds)  # type: ignore[no-any-return]
        except AssertionError as error:
            raise AssertionError(f"{resource.kind} {name}: {kind} is {seen}, not {status} {text!r}") from error

    async def make_project(self, *, identities: Object | None = None, **users: list[str]) -> None:
        """Make the project with accounts for users; `identities` are spec.users and spec.groups."""
        spec = ({"serviceAccount": users} if users else {}) | (identities or {})
        await self.admin.apply(
            r.PROJECTS,
            {"metadata": {"name": self.project, "namespace": names.HUB_NAMESPACE}, "spec": spec},
            manager="user",
        )
        await self.condition(r.PROJECTS, self.project, names.HUB_NAMESPACE, "Ready", "True")

    async def register(self, *clusters: str) -> dict[str, "Worker"]:
        """Make clusters and let a worker of each register."""
        for cluster in clusters:
            await self.admin.apply(
                r.CLUSTERS, {"metadata": {"name": cluster, "namespace": self.home}, "spec": {}}, manager="user"
            )
        workers = {}
        for cluster in clusters:
            account = names.worker_account(cluster)
            workers[cluster] = Worker(self, cluster, await self.credential(account, self.home))
            await workers[cluster].beat(HEARTBEAT)
        for cluster in clusters:
            await self.condition(r.CLUSTERS, cluster, self.home, "Ready", "True")
        return workers

    async def warnings(self, name: str) -> list[str]:
        """Return the warnings about an object of the project, each as its reason."""
        events = (await self.admin.list(r.EVENTS, self.home)).items
        about = [event for event in events if event["involvedObject"]["name"] == name]
        return [event["reason"] for event in about if event["type"] == "Warning"]

    async def make_slice(self, name: str, *clusters: str, **spec: Any) -> Object:
        wanted = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": list(clusters), **spec}
        return await self.admin.apply(
            r.SLICECONFIGS, {"metadata": {"name": name, "namespace": self.home}, "spec": wanted}, manager="user"
        )


class Worker:
    """A worker operator's part in a test, with that worker's own credential."""

    def __init__(self, stage: Stage, cluster: str, api: HttpApi) -> None:
        self.stage = stage
        self.cluster = cluster
        self.api = api
        self.namespace = stage.namespace_of(cluster)

    async def beat(self, heartbeat: str, **status: Any) -> None:
        wanted = {"registrationStatus": "Registered", "heartbeatTime": heartbeat, "nodeIPs": ["198.51.100.7"], **status}
        obj = {"metadata": {"name": self.cluster, "namespace": self.stage.home}, "status": wanted}
        await self.stage.until(lambda: self._apply(r.CLUSTERS, obj))

    async def report(self, resource: Resource, name: str, **status: Any) -> None:
        obj = {"metadata": {"name": name, "namespace": self.namespace}, "status": status}
        await self.stage.until(lambda: self._apply(resource, obj))

    async def _apply(self, resource: Resource, obj: Object) -> Object:
        return await self.api.apply(resource, obj, manager=names.WORKER_MANAGER, subresource="status")

    async def publish(self, slice_name: str, key: str, port: int = 30001) -> None:
        """Report a slice as working in this cluster, with the gateways of two planes on neighbouring ports.

        No two gateways have the same key: they are made of the name `key`, and for plane 1 of it with "+1".
        """
        keys = (made_up.key(key), made_up.key(f"{key}+1"))
        gateways = [
            {"plane": plane, "generation": 1, "publicKey": keys[plane], "endpoints": [f"198.51.100.7:{port + plane}"]}
            for plane in range(2)
        ]
        ready = {"type": "Ready", "status": "True", "reason": "Up", "message": "", "lastTransitionTime": HEARTBEAT}
        name = names.worker_slice_config(slice_name, self.cluster)
        await self.report(r.WORKERSLICECONFIGS, name, gateways=gateways, conditions=[ready])

    async def complain(self, slice_name: str, reason: str, message: str) -> None:
        """Report a slice as not working in this cluster."""
        said = {"type": "Ready", "status": "False", "reason": reason, "message": message}
        name = names.worker_slice_config(slice_name, self.cluster)
        await self.report(r.WORKERSLICECONFIGS, name, conditions=[said | {"lastTransitionTime": HEARTBEAT}])

    async def tunnel(self, slice_name: str, remote: str, *states: str) -> None:
        """Report the state of each plane's tunnel, the last one for all that follow."""
        name = names.slice_gateway(slice_name, self.cluster, remote)
        planes = [{"plane": plane, "state": states[min(plane, len(states) - 1)]} for plane in range(2)]
        await self.report(r.WORKERSLICEGATEWAYS, name, planes=planes)

    async def config(self, slice_name: str) -> Object:
        name = names.worker_slice_config(slice_name, self.cluster)
        return await self.stage.until(lambda: self.stage.find(r.WORKERSLICECONFIGS, name, self.namespace))  # type: ignore[no-any-return]
