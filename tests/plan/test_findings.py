"""How findings become conditions."""

from kubeslice.plan import findings
from kubeslice.plan.findings import Finding

UP = Finding("Ready", "True", "Up", "works")
DOWN = Finding("Ready", "False", "Down", "does not")


def test_the_time_of_a_condition_is_that_of_its_last_turn() -> None:
    first = findings.conditions_after([], [UP], 1, "t1")
    same = findings.conditions_after(first, [UP], 2, "t2")
    turned = findings.conditions_after(same, [DOWN], 2, "t3")
    assert [c[0]["lastTransitionTime"] for c in (first, same, turned)] == ["t1", "t1", "t3"]
    assert findings.conditions_after(turned, [DOWN], 2, "t4") == turned


def test_conditions_that_were_not_found_again_go_and_others_do_not_come() -> None:
    seen = [{"type": "Deleting", "status": "True", "reason": "x"}, {"type": "Theirs", "status": "True", "reason": "y"}]
    assert [c["type"] for c in findings.conditions_after(seen, [UP], 1, "t")] == ["Ready"]


def test_only_a_change_of_status_or_reason_is_a_transition() -> None:
    before = findings.conditions_after([], [UP], 1, "t1")
    assert findings.transitions(before, findings.conditions_after(before, [UP], 5, "t2")) == []
    assert len(findings.transitions(before, findings.conditions_after(before, [DOWN], 5, "t2"))) == 1
