"""Probes of one running container: asks at every period, counts, and tells the pod's worker what changed."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from kubeslice.lab.kubelet.decisions import Health

Object = dict[str, Any]
KINDS = ("startupProbe", "readinessProbe", "livenessProbe")
Exec = Callable[[list[str], float], Awaitable[tuple[int, str]]]


@dataclass(frozen=True)
class Target:
    """What is probed: the container's object, the pod's address, and how to run a command in the container."""

    container: Object
    address: str
    execute: Exec


@dataclass(frozen=True)
class Outcome:
    """What one attempt found."""

    passed: bool
    message: str = ""


@dataclass(frozen=True)
class Reactions:
    """Whom to tell: of a changed health, of a failed attempt (kind, message), of a container that must be killed."""

    changed: Callable[[Health], None]
    failed: Callable[[str, str], None]
    dead: Callable[[str], None]


def initial_health(container: Object) -> Health:
    """Return the health of a container nobody has probed yet."""
    return Health(started="startupProbe" not in container, ready="readinessProbe" not in container)


async def watch(target: Target, reactions: Reactions) -> None:
    """Probe a container until cancelled: first its startup, then readiness and liveness side by side."""
    container, health = target.container, initial_health(target.container)
    if "startupProbe" in container:
        if not await _until_started(target, container["startupProbe"], reactions):
            return
        health = replace(health, started=True)
        reactions.changed(health)
    async with asyncio.TaskGroup() as group:
        if "readinessProbe" in container:
            group.create_task(_readiness(target, container["readinessProbe"], reactions))
        if "livenessProbe" in container:
            group.create_task(_liveness(target, container["livenessProbe"], reactions))


def _period(probe: Object) -> float:
    return float(probe.get("periodSeconds") or 10)


async def _until_started(target: Target, probe: Object, reactions: Reactions) -> bool:
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    failures = 0
    while True:
        outcome = await attempt(target, probe)
        if outcome.passed:
            return True
        failures += 1
        reactions.failed("Startup", outcome.message)
        if failures >= int(probe.get("failureThreshold") or 3):
            reactions.dead(f"failed startup probe: {outcome.message}")
            return False
        await asyncio.sleep(_period(probe))


async def _readiness(target: Target, probe: Object, reactions: Reactions) -> None:
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    is_ready, streak = False, 0
    while True:
        outcome = await attempt(target, probe)
        streak = streak + 1 if outcome.passed != is_ready else 0
        if not outcome.passed:
            reactions.failed("Readiness", outcome.message)
        key, default = ("successThreshold", 1) if outcome.passed else ("failureThreshold", 3)
        if streak >= int(probe.get(key) or default):
            is_ready, streak = outcome.passed, 0
            reactions.changed(Health(started=True, ready=is_ready))
        # A container that is about to become ready is asked more often, as the real kubelet does after a start.
        await asyncio.sleep(_period(probe) if is_ready else min(1.0, _period(probe)))


async def _liveness(target: Target, probe: Object, reactions: Reactions) -> None:
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    failures = 0
    while True:
        outcome = await attempt(target, probe)
        failures = 0 if outcome.passed else failures + 1
        if not outcome.passed:
            reactions.failed("Liveness", outcome.message)
        if failures >= int(probe.get("failureThreshold") or 3):
            reactions.dead(f"failed liveness probe: {outcome.message}")
            return
        await asyncio.sleep(_period(probe))


async def attempt(target: Target, probe: Object) -> Outcome:
    """Ask once; whatever goes wrong is a failed attempt."""
    seconds = float(probe.get("timeoutSeconds") or 1)
    try:
        async with asyncio.timeout(seconds):
            if "exec" in probe:
                code, output = await target.execute(probe["exec"]["command"], seconds)
                return Outcome(code == 0, output.strip() or f"exit status {code}")
            if "tcpSocket" in probe:
                return await _connect(target, probe["tcpSocket"])
            if "httpGet" in probe:
                return await _get(target, probe["httpGet"])
            return Outcome(passed=False, message="a lab's kubelet probes by exec, httpGet and tcpSocket")
    except TimeoutError:
        return Outcome(passed=False, message=f"no answer within {seconds:g} s")
    except OSError as error:
        return Outcome(passed=False, message=str(error))


def port_number(container: Object, port: int | str) -> int:
    """Return the number of a port given by number or by name."""
    for entry in container.get("ports") or []:
        if entry.get("name") == port:
            return int(entry["containerPort"])
    return int(port)


async def _connect(target: Target, action: Object) -> Outcome:
    port = port_number(target.container, action["port"])
    _, writer = await asyncio.open_connection(action.get("host") or target.address, port)
    writer.close()
    return Outcome(passed=True)


async def _get(target: Target, action: Object) -> Outcome:
    host, port = action.get("host") or target.address, port_number(target.container, action["port"])
    tls = _unverified() if action.get("scheme") == "HTTPS" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        given = {header["name"]: header["value"] for header in action.get("httpHeaders") or []}
        headers = {"Host": f"{host}:{port}", "User-Agent": "kube-probe/lab", "Accept": "*/*", "Connection": "close"}
        lines = [f"{key}: {value}" for key, value in (headers | given).items()]
        request = [f"GET {action.get('path') or '/'} HTTP/1.1", *lines, "", ""]
        writer.write("\r\n".join(request).encode())
        status_line = (await reader.readline()).decode(errors="replace").split()
        code = int(status_line[1]) if len(status_line) > 1 and status_line[1].isdigit() else 0
        return Outcome(200 <= code < 400, f"HTTP probe failed with statuscode: {code}")
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
            await writer.wait_closed()


def _unverified() -> ssl.SSLContext:
    # Probes go to the pod's address, for which no certificate is made; the real kubelet does not verify either.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
