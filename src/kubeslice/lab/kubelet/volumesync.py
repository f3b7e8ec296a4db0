"""Keeps one pod's volumes and identity files as its object, the Secrets, the ConfigMaps and the clock say."""

import time
from pathlib import Path
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.errors import Invalid, NotFound
from kubeslice.lab.kubelet import payloads, spec, volumes
from kubeslice.lab.kubelet.environment import Missing
from kubeslice.lab.kubelet.identity import identity_files
from kubeslice.lab.kubelet.records import Sandbox
from kubeslice.lab.kubelet.surroundings import Surroundings, node_files
from kubeslice.model.resources import Resource

Object = dict[str, Any]
FOREVER = 86400.0
FRESH_PART = 0.8


class VolumeSync:
    """A pod's volumes. `sources` says where each is; `problem` is why they cannot be made, or ""."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.sources: dict[str, str] = {}
        self.problem = ""
        self._around = surroundings
        self._tokens: dict[tuple[str, int], tuple[str, float]] = {}

    async def sync(self, pod: Object, sandbox: Sandbox) -> float:
        """Make or refresh everything; return the seconds until a token wants to be renewed. Raises ApiError."""
        directory = Path(spec.DATA / sandbox.uid)
        if not self.sources:
            _write_identity(pod, sandbox, directory)
        try:
            await self._renew_tokens(pod)
            self._make(pod, directory / "volumes")
        except (Missing, Invalid, NotFound) as error:
            self._complain(pod, str(error))
        else:
            self.problem = ""
        return min((due - time.time() for _, due in self._tokens.values()), default=FOREVER)

    def _make(self, pod: Object, directory: Path) -> None:
        namespace = objects.namespace(pod)
        tokens = {key: token for key, (token, _) in self._tokens.items()}
        sources = payloads.Sources(self._around.secret(namespace), self._around.config_map(namespace), tokens)
        for volume in pod["spec"].get("volumes") or []:
            self.sources[volume["name"]] = volumes.make(volume, pod, directory, sources)

    def _complain(self, pod: Object, problem: str) -> None:
        if problem != self.problem:
            self._around.warn(pod, "FailedMount", f"MountVolume.SetUp failed: {problem}")
        self.problem = problem

    async def _renew_tokens(self, pod: Object) -> None:
        for key in set(payloads.token_requests(pod)):
            _, due = self._tokens.get(key, ("", 0.0))
            if due <= time.time():
                token = await self._request_token(pod, *key)
                self._tokens[key] = (token, time.time() + key[1] * FRESH_PART)

    async def _request_token(self, pod: Object, audience: str, seconds: int) -> str:
        account = pod["spec"].get("serviceAccountName") or "default"
        resource = Resource("", "v1", "TokenRequest", f"serviceaccounts/{account}/token")
        reference = {"apiVersion": "v1", "kind": "Pod", "name": objects.name(pod), "uid": objects.uid(pod)}
        answer = await self._around.api.create(
            resource,
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "metadata": {"namespace": objects.namespace(pod)},
                "spec": {
                    "audiences": [audience] if audience else [],
                    "expirationSeconds": seconds,
                    "boundObjectRef": reference,
                },
            },
        )
        return str(answer["status"]["token"])


def _write_identity(pod: Object, sandbox: Sandbox, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in identity_files(pod, sandbox.address, node_files()).items():
        (directory / name).write_text(text)
