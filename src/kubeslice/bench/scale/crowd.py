"""`python -m kubeslice.bench.scale.crowd`: the workers of many clusters in one process, each with its own credential.

It reads lines of JSON: first `{"kubeconfig", "project", "tokens": {cluster: token}}`, then orders, each answered by one
line: `{"export": [cluster, slice]}` and `{"traffic": true}`. It ends with its input.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from kubeslice.kube.config import Connection, from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.stage.understudy import Understudy

Order = dict[str, Any]
# So many workers connect at a time; the others wait for their turn.
ARRIVALS_PER_SECOND = 20.0
LONGEST_LINE = 1 << 24


class Crowd:
    """The understudies and their connections."""

    def __init__(self) -> None:
        self._apis: dict[str, HttpApi] = {}
        self._players: dict[str, Understudy] = {}

    async def play(self, orders: AsyncIterator[Order]) -> None:
        """Let everybody play until there are no more orders."""
        first = await anext(orders)
        connection = from_kubeconfig(first["kubeconfig"])
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            arrivals = group.create_task(self._arrive(stack, group, connection, first))
            async for order in orders:
                _answer(self._obey(order, group))
            arrivals.cancel()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    async def _arrive(
        self, stack: AsyncExitStack, group: asyncio.TaskGroup, connection: Connection, first: Order
    ) -> None:
        for number, (cluster, token) in enumerate(first["tokens"].items(), start=1):
            credential = replace(connection, token=partial(str, token))
            api = self._apis[cluster] = await stack.enter_async_context(HttpApi(credential, f"worker-{cluster}"))
            player = self._players[cluster] = Understudy(api, Member(first["project"], cluster), number)
            group.create_task(player.run(), name=cluster)
            await asyncio.sleep(1 / ARRIVALS_PER_SECOND)

    def _obey(self, order: Order, group: asyncio.TaskGroup) -> Any:
        if "export" in order:
            cluster, slice_name = order["export"]
            group.create_task(self._players[cluster].export(slice_name))
            return "will be exported"
        return {cluster: api.traffic.sent + api.traffic.received for cluster, api in self._apis.items()}


async def _orders() -> AsyncIterator[Order]:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def _answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play until the input ends."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(Crowd().play(_orders()))


if __name__ == "__main__":
    main()
