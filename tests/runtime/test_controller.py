"""The reconcile contract: what a reconcile raises decides what happens next."""

import asyncio
from typing import cast

from kubeslice.kube.api import Api
from kubeslice.kube.informer import Informer
from kubeslice.model.errors import Retry, Terminal
from kubeslice.model.ids import Key
from kubeslice.model.resources import CONFIGMAPS
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source
from tests.kube.fake_collection import Collection

KEY = Key("", "", "a")


class Script:
    """Answers each reconcile with the next line of a script."""

    def __init__(self, *lines: Exception | Result) -> None:
        self.lines = list(lines)
        self.seen: list[Key] = []

    async def reconcile(self, key: Key) -> Result:
        self.seen.append(key)
        line = self.lines.pop(0) if self.lines else Result("nothing to do")
        if isinstance(line, Exception):
            raise line
        return line


async def _reconciles(script: Script, wanted: int, collection: Collection | None = None) -> Collection:
    collection = collection or Collection()
    informer = Informer(cast("Api", collection), CONFIGMAPS)
    controller = Controller("test", script, [Source(informer, lambda obj: [Key("", "", obj["metadata"]["name"])])])
    collection.put("a", 1)
    async with asyncio.timeout(5):
        tasks = [asyncio.create_task(informer.run()), asyncio.create_task(controller.run())]
        while len(script.seen) < wanted:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return collection


async def test_what_exists_at_the_start_is_reconciled() -> None:
    script = Script()
    await _reconciles(script, 1)
    assert script.seen == [KEY]


async def test_a_retry_comes_back_and_a_refusal_waits_for_a_change() -> None:
    script = Script(Retry("not yet"), Terminal("the subnet is wrong", reason="InvalidSpec"))
    await _reconciles(script, 2)
    assert len(script.seen) == 2


async def test_a_bug_in_one_reconcile_does_not_end_the_process() -> None:
    script = Script(ValueError("bug"), Result("fine"))
    await _reconciles(script, 2)
    assert len(script.seen) == 2


async def test_a_result_can_ask_to_look_again() -> None:
    script = Script(Result("waiting", after=0.01), Result("done"))
    await _reconciles(script, 2)
    assert len(script.seen) == 2
