"""The server as a process: what survives its death, where its memory ends, and commands in containers through it."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.api.client import MERGE_PATCH, Client
from tests.conftest import ApiServer, start_api_server

pytestmark = pytest.mark.api


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A server of the test's own, to be killed and started again."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.options = options
        self.process = start_api_server(directory, self.port, *options)

    def restart(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = start_api_server(self.directory, self.port, *self.options)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        token = (self.directory / "admin.token").read_text()
        url = f"https://127.0.0.1:{self.port}"
        server = ApiServer(url, self.directory / "ca.crt", token, self.directory / "admin.kubeconfig")
        async with aiohttp.ClientSession() as session:
            yield Client(server, session, token)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, "--history", "20")
    yield process
    process.stop()


MAPS = "/api/v1/namespaces/default/configmaps"


async def test_what_was_answered_survives_a_kill(server: Process) -> None:
    async with server.client() as api:
        made = (await api.create(MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}})).expect(201)
        gone = (await api.create(MAPS, {"metadata": {"name": "b"}})).expect(201)
        await api.delete(f"{MAPS}/b")
        service = {"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
        taken = (await api.create("/api/v1/namespaces/default/services", service)).expect(201)["spec"]
    server.restart()
    async with server.client() as api:
        assert (await api.get(f"{MAPS}/a")).expect() == made
        assert (await api.get(f"{MAPS}/b")).code == 404
        events = await api.events(MAPS, 2, resourceVersion=made["metadata"]["resourceVersion"])
        assert [event["type"] for event in events] == ["ADDED", "DELETED"]
        after = (await api.create(MAPS, {"metadata": {"name": "c"}})).expect(201)
        assert int(after["metadata"]["resourceVersion"]) > int(gone["metadata"]["resourceVersion"])
        again = {"clusterIP": taken["clusterIP"], "ports": [{"port": 80}]}
        reply = await api.create("/api/v1/namespaces/default/services", {"metadata": {"name": "t"}, "spec": again})
        assert "provided IP is already allocated" in reply.expect(422)["message"]


async def test_definitions_are_served_again_after_a_restart(server: Process) -> None:
    names = {"plural": "things", "kind": "Thing"}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}
    version: dict[str, Any] = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]}
    definition = {"metadata": {"name": "things.example.com"}, "spec": spec}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {}}
    async with server.client() as api:
        (await api.create(path, definition)).expect(201)
        (await api.create("/apis/example.com/v1/things", thing)).expect(201)
    server.restart()
    async with server.client() as api:
        kept = (await api.get("/apis/example.com/v1/things/a")).expect()
        version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = {
            "size": {"type": "integer", "default": 3}
        }
        (await api.patch(f"{path}/things.example.com", MERGE_PATCH, {"spec": {"versions": [version]}})).expect()
        now = (await api.get("/apis/example.com/v1/things/a")).expect()
        assert now["spec"] == {"size": 3}
        assert now["metadata"]["resourceVersion"] == kept["metadata"]["resourceVersion"]


async def test_history_has_an_end(server: Process) -> None:
    async with server.client() as api:
        first = (await api.create(MAPS, {"metadata": {"name": "a"}})).expect(201)
        old = first["metadata"]["resourceVersion"]
        page = (await api.get("/api/v1/namespaces", limit="1")).expect()
        for number in range(25):
            await api.patch(f"{MAPS}/a", MERGE_PATCH, {"data": {"n": str(number)}})
        (event,) = await api.events(MAPS, 1, resourceVersion=old)
        assert event["type"] == "ERROR"
        assert event["object"]["code"] == 410
        assert event["object"]["reason"] == "Expired"
        assert event["object"]["message"].startswith(f"too old resource version: {old} (")
        exact = await api.get(MAPS, resourceVersion=old, resourceVersionMatch="Exact")
        assert exact.expect(410)["reason"] == "Expired"
        late = await api.get("/api/v1/namespaces", limit="1", **{"continue": page["metadata"]["continue"]})
        assert late.expect(410)["reason"] == "Expired"


async def run_command(request: web.Request) -> web.WebSocketResponse:
    """Run a program the way a kubelet does: its streams as channels of a WebSocket."""
    channels = web.WebSocketResponse(protocols=("v5.channel.k8s.io", "v4.channel.k8s.io"))
    await channels.prepare(request)
    program = await asyncio.create_subprocess_exec(
        *request.query.getall("command"),
        stdin=asyncio.subprocess.PIPE if "input" in request.query else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    async def copy(source: asyncio.StreamReader | None, channel: int) -> None:
        while source and (data := await source.read(1 << 16)):
            await channels.send_bytes(bytes([channel]) + data)

    async def feed() -> None:
        async for message in channels:
            if message.type is WSMsgType.BINARY and program.stdin:
                if message.data[0] == 255:
                    program.stdin.close()
                else:
                    program.stdin.write(message.data[1:])

    feeding = asyncio.create_task(feed())
    await asyncio.gather(copy(program.stdout, 1), copy(program.stderr, 2))
    code = await program.wait()
    causes = [{"reason": "ExitCode", "message": str(code)}]
    failure = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    status: dict[str, Any] = {"metadata": {}} | (failure if code else {"status": "Success"})
    await channels.send_bytes(b"\x03" + json.dumps(status).encode())
    feeding.cancel()
    await channels.close()
    return channels


async def show_log(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.match_info['container']} {request.query.get('tailLines')}\n")


@asynccontextmanager
async def kubelet() -> AsyncIterator[int]:
    application = web.Application()
    application.router.add_get("/exec/{namespace}/{pod}/{container}", run_command)
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", show_log)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


async def kubectl(server: Process, *arguments: str, given: Any = b"", **environment: Any) -> tuple[int, bytes]:
    config = {"KUBECONFIG": str(server.directory / "admin.kubeconfig"), "HOME": str(server.directory)}
    done = await asyncio.to_thread(
        subprocess.run,
        ["kubectl", *arguments],
        input=given,
        capture_output=True,
        env=os.environ | config | environment,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("sockets", ["true", "false"], ids=["websocket", "spdy"])
async def test_kubectl_reaches_into_containers(server: Process, sockets: str) -> None:
    protocol = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": sockets}
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}}
    async with kubelet() as port, server.client() as api:
        addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
        status = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
        (await api.create("/api/v1/nodes", {"metadata": {"name": "n"}, "status": status})).expect(201)
        await api.create("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
        (await api.create("/api/v1/namespaces/default/pods", pod)).expect(201)
        assert await kubectl(server, "logs", "p", "--tail", "7") == (0, b"c 7\n")
        large = os.urandom(300_000)
        assert await kubectl(server, "exec", "-i", "p", "--", "cat", given=large, **protocol) == (0, large)
        assert await kubectl(server, "exec", "p", "--", "sh", "-c", "echo out; exit 7", **protocol) == (7, b"out\n")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
async def test_kubectl_applies_both_ways(server: Process) -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "a:1"}]},
            },
        },
    }
    text = json.dumps(manifest).encode()
    apply = ("apply", "-f", "-")
    assert await kubectl(server, *apply, given=text) == (0, b"deployment.apps/web created\n")
    assert await kubectl(server, *apply, given=text) == (0, b"deployment.apps/web unchanged\n")
    changed = text.replace(b'"a:1"', b'"a:2"')
    assert await kubectl(server, *apply, given=changed) == (0, b"deployment.apps/web configured\n")
    assert (await kubectl(server, *apply, "--server-side", given=changed))[0] == 0
    other = text.replace(b'"a:1"', b'"a:3"')
    assert (await kubectl(server, *apply, "--server-side", "--field-manager", "other", given=other))[0] != 0
    created = await kubectl(server, "create", "configmap", "c", "--from-literal", "k=v")
    assert created == (0, b"configmap/c created\n")
    assert (await kubectl(server, "get", "deployments,configmaps", "--no-headers"))[1].startswith(
        b"deployment.apps/web"
    )
    assert (await kubectl(server, "explain", "deployments.spec.replicas"))[0] == 0
