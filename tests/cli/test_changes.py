"""How changes read: one line for a part, one for many of a kind, and the numbers in a sentence."""

from dataclasses import replace
from io import StringIO
from typing import Any

from rich.console import Console

from kubeslice.cli import changes
from kubeslice.cli.changes import Change
from kubeslice.model import names
from kubeslice.plan.changes import footprint
from kubeslice.plan.changes.footprint import Difference, Made, Spot
from kubeslice.plan.changes.preview import World


def test_many_parts_of_a_kind_share_a_line() -> None:
    found = [Change(Difference(Spot("a", "red", "tunnels", f"c{n:02}"), "to 10.1.0.0/18"), "flows") for n in range(12)]
    found += [Change(Difference(Spot("a", "red", "gateways"), "1 x", "2 x"), "")]
    told = Console(file=StringIO(), width=200, color_system=None)
    told.print(changes.table(found))
    lines = [" ".join(line.split()) for line in told.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert lines[1:] == [
        "~ a red gateways 1 x -> 2 x",
        "- a red tunnels 12: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more flows",
    ]
    assert changes.summary(found) == "1 to change, 12 to remove; running traffic is interrupted in a"
    assert changes.summary(found, are_done=True).startswith("1 changed, 12 removed; running traffic was interrupted")
    assert changes.summary([], are_done=True) == "nothing has changed in any cluster"
    assert found[0].wire()["before"] == "to 10.1.0.0/18"


def cluster(name: str, registration: str) -> dict[str, Any]:
    status = {"registrationStatus": registration, "clusterNamespace": f"kubeslice-shop-{name}"}
    return {"metadata": {"name": name}, "status": status}


def view(local: str, remote: str) -> dict[str, Any]:
    far = {"clusterName": remote, "gatewaySubnet": "10.1.0.0/18", "transitSubnets": ["10.1.64.0/18"]}
    metadata = {"name": f"red-{local}-{remote}", "labels": {names.CLUSTER_LABEL: local}}
    return {"metadata": metadata, "spec": {"sliceName": "red", "remoteGatewayConfig": far}}


def test_what_leads_to_a_cluster_that_has_to_join_is_not_waited_for() -> None:
    views = [view("a", "b"), view("b", "a")]
    for registration, views_made, is_open in (
        ("Pending", views[1:], False),  # all but what b's worker has to report first
        ("Pending", [], True),  # the hub itself has something to do
        ("InProgress", views[1:], True),  # somebody is there, who will report
        ("Registered", views, False),
    ):
        before = World("shop", {"a": cluster("a", "Registered"), "b": cluster("b", registration)})
        differing = footprint.differences({}, footprint.footprint(Made(views=views)))
        wanted = [Change(found, "") for found in differing]
        outcome = changes.outcome(before, replace(before, views=views_made), wanted)
        assert (len(outcome.missing), outcome.is_open) == (2 * (2 - len(views_made)), is_open)
        assert len(outcome.done) == 2 * len(views_made)
        told = [sentence for sentence in outcome.awaited if "join-token b --project shop" in sentence]
        assert len(told) == (registration == "Pending")
        assert not changes.outcome(before, before, wanted, is_late=True).is_open


def test_a_silent_cluster_is_waited_for_and_named() -> None:
    silent, heard = cluster("b", "Registered"), cluster("a", "Registered")
    silent["status"]["conditions"] = [{"type": "Reachable", "status": "False", "message": "b is silent"}]
    world = World("shop", {"a": heard, "b": silent})
    wanted = [
        Change(found, "") for found in footprint.differences({}, footprint.footprint(Made(views=[view("a", "b")])))
    ]
    outcome = changes.outcome(world, world, wanted)
    assert (outcome.is_open, outcome.silent, outcome.awaited) == (True, ["b is silent"], [])
    assert changes.outcome(world, replace(world, views=[view("a", "b")]), wanted).silent == []
