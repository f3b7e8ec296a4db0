"""The kubelet process: follows the pods bound to its node, keeps a worker for each, registers the node, serves HTTP.

Forked by the lab's parent and moved into the node before `serve` runs.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import config, objects
from kubeslice.kube.api import Object
from kubeslice.kube.events import Recorder
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.lab.kubelet import payloads, records
from kubeslice.lab.kubelet.registration import keep_registered
from kubeslice.lab.kubelet.server import KubeletServer
from kubeslice.lab.kubelet.surroundings import Surroundings
from kubeslice.lab.kubelet.worker import Worker
from kubeslice.lab.topology import Node
from kubeslice.model.resources import CONFIGMAPS, PODS, SECRETS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a kubelet needs to know: its node, how to reach the API server, and the token the API server shows it.

    It may be silent for less than `grace` seconds.
    """

    node: Node
    kubeconfig: dict[str, Any]
    token: str
    grace: int


class Kubelet:
    """All pods of one node."""

    def __init__(self, surroundings: Surroundings, pods: Informer) -> None:
        self._around = surroundings
        self._pods = pods
        self._workers: dict[str, Worker] = {}
        self._adopted = {found.uid: found for found in records.sandboxes()}
        for found in self._adopted.values():
            surroundings.reserve(found)

    def worker(self, namespace: str, name: str) -> Worker | None:
        """Return the worker of a pod."""
        pod = self._pods.get(name, namespace)
        return self._workers.get(objects.uid(pod)) if pod else None

    def start(self) -> None:
        """Adopt what an earlier kubelet left, then follow the pods; needs synced informers."""
        self._pods.subscribe(self._on_pod)
        for found in list(self._adopted.values()):
            log.info("%s/%s is no longer bound to this node", found.namespace, found.name)
            self._run(found.uid, Worker(self._around, None, self._adopted.pop(found.uid)))
        for informer in (self._around.secrets, self._around.config_maps):
            informer.subscribe(self._on_source)

    def _on_pod(self, old: Object | None, new: Object | None) -> None:
        uid = objects.uid(new or old or {})
        worker = self._workers.get(uid)
        if worker:
            worker.update(new)
        elif new:
            self._run(uid, Worker(self._around, new, self._adopted.pop(uid, None)))

    def _run(self, uid: str, worker: Worker) -> None:
        self._workers[uid] = worker
        task = self._around.spawn(worker.run())
        task.add_done_callback(lambda _: self._workers.pop(uid, None))

    def _on_source(self, old: Object | None, new: Object | None) -> None:
        """Wake the workers of pods that use a Secret or ConfigMap that changed."""
        changed = new or old
        assert changed
        reference = (changed["kind"], objects.name(changed))
        for worker in self._workers.values():
            pod = worker.pod
            if pod and objects.namespace(pod) == objects.namespace(changed) and reference in payloads.references(pod):
                worker.wake()


async def serve(settings: Settings) -> None:
    """Be the kubelet of a node until cancelled."""
    connection = config.from_kubeconfig(settings.kubeconfig)
    node = settings.node
    async with HttpApi(connection, user_agent=f"kubelet/{node.name}") as api, asyncio.TaskGroup() as tasks:
        pods = Informer(api, PODS, fields=f"spec.nodeName={node.name}")
        secrets, config_maps = Informer(api, SECRETS), Informer(api, CONFIGMAPS)
        recorder = Recorder(api, "kubelet")
        surroundings = Surroundings(node, api, secrets, config_maps, recorder, tasks)
        kubelet = Kubelet(surroundings, pods)
        server = KubeletServer(kubelet.worker, settings.token)
        tasks.create_task(server.run(node.address))
        tasks.create_task(keep_registered(api, node, settings.grace))
        for informer in (pods, secrets, config_maps):
            tasks.create_task(informer.run())
        for informer in (pods, secrets, config_maps):
            await informer.synced.wait()
        kubelet.start()
        log.info("%s runs", node.name)


def run(settings: Settings) -> None:
    """Run a kubelet in this process, which is in the node's namespaces already."""
    asyncio.run(serve(settings))
