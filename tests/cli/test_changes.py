"""How changes read: one line for a part, one for many of a kind, and the numbers in a sentence."""

from io import StringIO

from rich.console import Console

from kubeslice.cli import changes
from kubeslice.cli.changes import Change
from kubeslice.plan.changes.footprint import Difference, Spot


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
