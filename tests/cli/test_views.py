"""Tables name the state and the reason."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from kubeslice.cli import description, following, views


def slice_config(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "red", "namespace": "kubeslice-demo", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"clusters": ["a", "b"], "sliceSubnet": "10.1.0.0/16"},
        "status": status,
    }


READY = {"type": "Ready", "status": "True", "reason": "Converged", "message": "2 of 2 clusters ready"}
BROKEN = {"type": "Ready", "status": "False", "reason": "UnknownCluster", "message": "cluster c is not registered"}


def drawn(renderable: Any) -> str:
    console = Console(file=StringIO(), width=200, highlight=False)
    console.print(renderable)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_row_names_state_tunnels_and_message() -> None:
    text = drawn(views.table(views.SLICES, [slice_config(conditions=[READY], tunnels="2/2")]))
    for cell in ("demo", "red", "a,b", "10.1.0.0/16", "2/2", "Ready", "2 of 2 clusters ready"):
        assert cell in text


def test_a_slice_that_is_not_ready_says_why() -> None:
    text = drawn(views.table(views.SLICES, [slice_config(conditions=[BROKEN])]))
    assert "UnknownCluster" in text
    assert "cluster c is not registered" in text


def test_a_slice_that_works_with_less_than_it_should_says_what_is_missing() -> None:
    missing = "tunnels down: a to b, plane 1"
    degraded = {"type": "Degraded", "status": "True", "reason": "TunnelsDown", "message": missing}
    word, message = views.state(slice_config(conditions=[READY, degraded]))
    assert word == "[yellow]Degraded[/]"
    assert message == "2 of 2 clusters ready; tunnels down: a to b, plane 1"
    assert views.state(slice_config(conditions=[READY, {**degraded, "status": "False"}]))[0] == "[green]Ready[/]"


def test_an_object_that_nobody_reported_on_says_so() -> None:
    assert "is the hub running?" in views.state(slice_config())[1]


def test_the_page_has_conditions_clusters_and_events() -> None:
    member = {"cluster": "a", "ready": False, "tunnels": 1, "tunnelsUp": 0, "message": "no gateway yet"}
    ago = (datetime.now(UTC) - timedelta(hours=3, minutes=1)).isoformat()
    event = {"type": "Warning", "reason": "TunnelDown", "message": "no handshake", "lastTimestamp": ago}
    broken = BROKEN | {"lastTransitionTime": (datetime.now(UTC) - timedelta(days=9, hours=1)).isoformat()}
    text = drawn(description.page(views.SLICES, slice_config(conditions=[broken], members=[member]), [event]))
    for part in ("UnknownCluster", "no gateway yet", "0/1", "TunnelDown", "no handshake"):
        assert part in text
    rows = [line.split() for line in text.splitlines()]
    assert ["3h", "Warning", "TunnelDown", "no", "handshake"] in rows
    assert ["Ready", "False", "9d", "UnknownCluster"] in [row[:4] for row in rows]


def test_a_time_that_is_none_is_a_question_mark() -> None:
    assert [views.since(time) for time in (None, "x", "2026-01-01T00:00:00")] == ["?", "?", "?"]


def test_the_page_names_who_relays_for_whom() -> None:
    relays = [{"clusters": ["a", "b"], "via": "c"}, {"clusters": ["a", "d"], "via": ""}]
    text = drawn(description.page(views.SLICES, slice_config(topology={"relays": relays}), []))
    rows = [line.split() for line in text.splitlines()]
    assert ["a", "and", "b", "c"] in rows
    assert ["a", "and", "d", "nobody"] in rows


def test_following_shows_each_cluster() -> None:
    member = {"cluster": "a", "ready": True, "tunnels": 1, "tunnelsUp": 1}
    text = drawn(following.render(slice_config(conditions=[READY], members=[member], tunnels="1/1")))
    assert "slice red: Ready" in text
    assert "1/1" in text


@pytest.mark.parametrize(("seconds", "text"), [(5, "5s"), (600, "10m"), (7200, "2h"), (864000, "10d")])
def test_ages_read_like_kubectl(seconds: int, text: str) -> None:
    now = datetime.fromtimestamp(datetime(2026, 1, 1, tzinfo=UTC).timestamp() + seconds, UTC)
    assert views.age(slice_config(), now) == text
