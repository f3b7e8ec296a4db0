"""Lifecycle hooks: what a container is asked to do before it is told to stop."""

import asyncio
import contextlib
from typing import Any

from kubeslice.lab.kubelet import probes, session
from kubeslice.lab.kubelet.records import Container, Sandbox

Object = dict[str, Any]


async def run(hook: Object, sandbox: Sandbox, record: Container, container: Object, seconds: float) -> None:
    """Run a preStop hook for at most `seconds`; its failure changes nothing."""
    with contextlib.suppress(TimeoutError, OSError):
        if "sleep" in hook:
            await asyncio.sleep(min(seconds, float(hook["sleep"]["seconds"])))
        elif "exec" in hook:
            await session.run(sandbox, record, hook["exec"]["command"], seconds)
        else:
            target = probes.Target(container, sandbox.address, lambda _, __: asyncio.sleep(0, (0, "")))
            await probes.attempt(target, hook | {"timeoutSeconds": seconds})
