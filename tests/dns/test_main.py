"""KubeSlice DNS put together: ServiceImports in a real API server, answers from a real name server."""

import asyncio
import contextlib
import time
from typing import Any

import pytest

from kubeslice.dns.main import Settings, build
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.model import names, resources
from kubeslice.model.crd import crd
from kubeslice.model.serviceimport import ServiceImport
from tests.conftest import ApiServer
from tests.dns import ports

pytestmark = [pytest.mark.kernel, pytest.mark.api]

NAMESPACE = "dns-test"


async def answer(port: int, name: str) -> set[str]:
    process = await asyncio.create_subprocess_exec(
        "kdig", "@127.0.0.1", "-p", str(port), "+retry=0", "+timeout=1", "+short", name, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return {line for line in output.decode().split("\n") if line and not line.startswith(";")}


async def until(port: int, name: str, *wanted: str, within: float = 5.0) -> float:
    started = time.monotonic()
    while await answer(port, name) != set(wanted):
        assert time.monotonic() - started < within
        await asyncio.sleep(0.005)
    return time.monotonic() - started


async def ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return b" 200 " in line


async def offer(api: HttpApi, *endpoints: tuple[str, str, str]) -> None:
    spec = {"slice": "red", "dnsName": f"web.{NAMESPACE}.svc.slice.local", "ports": [{"containerPort": 80}]}
    metadata = {"name": "web", "namespace": NAMESPACE}
    await api.apply(resources.SERVICEIMPORTS, {"metadata": metadata, "spec": spec}, manager="test")
    lines = [
        {
            "name": pod,
            "ip": ip,
            "port": 80,
            "clusterId": cluster,
            "dnsName": names.pod_dns(pod, cluster, "web", NAMESPACE),
        }
        for pod, cluster, ip in endpoints
    ]
    status = {"metadata": metadata, "status": {"endpoints": lines}}
    await api.apply(resources.SERVICEIMPORTS, status, manager="test", subresource="status")


@pytest.fixture
async def api(api_server: ApiServer) -> Any:
    async with HttpApi(from_kubeconfig(api_server.kubeconfig)) as client:
        await client.apply(resources.CRDS, crd(ServiceImport), manager="test")
        await client.apply(resources.NAMESPACES, {"metadata": {"name": NAMESPACE}}, manager="test")
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(Exception):
                    await client.list(resources.SERVICEIMPORTS)
                    break
                await asyncio.sleep(0.05)
        yield client
        for found in (await client.list(resources.SERVICEIMPORTS, NAMESPACE)).items:
            await client.delete(resources.SERVICEIMPORTS, found["metadata"]["name"], NAMESPACE)
        await client.delete(resources.NAMESPACES, NAMESPACE)


async def test_imports_are_answered_as_they_come_change_and_go(api: Any, api_server: Any, tmp_path: Any) -> None:
    await offer(api, ("web-0", "worker-1", "10.1.0.70"))
    dns, health = ports.free(), ports.free()
    app = build(Settings("127.0.0.1", dns, health), tmp_path, HttpApi(from_kubeconfig(api_server.kubeconfig)))
    task = asyncio.create_task(app.main())
    async with asyncio.timeout(10):
        while not await ready(health):
            await asyncio.sleep(0.01)
    name = f"web.{NAMESPACE}.svc.slice.local"
    assert await answer(dns, name) == {"10.1.0.70"}
    await offer(api, ("web-0", "worker-1", "10.1.0.70"), ("web-0", "worker-2", "10.1.64.70"))
    assert await until(dns, name, "10.1.0.70", "10.1.64.70") < 0.5
    assert await answer(dns, f"web-0.worker-2.{name}") == {"10.1.64.70"}
    await api.delete(resources.SERVICEIMPORTS, "web", NAMESPACE)
    assert await until(dns, name) < 0.5
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
