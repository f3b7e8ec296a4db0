"""What hubs of the Go implementation leave behind is kept, and says that nobody acts on it."""

import pytest

from kubeslice.model import resources as r
from tests.hub.stage import Stage

pytestmark = pytest.mark.api


async def test_a_recycler_is_told_that_it_has_no_effect(stage: Stage) -> None:
    await stage.make_project()
    recycler = {"metadata": {"name": "red", "namespace": stage.home}, "spec": {"sliceName": "red", "state": "init"}}
    await stage.admin.create(r.WORKERSLICEGWRECYCLERS, recycler)
    obj = await stage.condition(r.WORKERSLICEGWRECYCLERS, "red", stage.home, "FullyEffective", "False", "not acted on")
    assert obj["spec"] == recycler["spec"]
    await stage.admin.delete(r.WORKERSLICEGWRECYCLERS, "red", stage.home)
