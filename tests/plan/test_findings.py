"""How findings become conditions."""

from dataclasses import replace

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


def test_conditions_that_turn_with_the_same_words_are_one_happening() -> None:
    all_well = [replace(UP, type=kind) for kind in ("Ready", "Reachable", "Registered")]
    before = findings.conditions_after([], all_well, 1, "t1")
    shut_out = [replace(DOWN, type=kind) for kind in ("Ready", "Reachable")]
    other = Finding("Registered", "False", "Down", "for another reason")
    after = findings.conditions_after(before, [*shut_out, other], 1, "t2")
    assert [turn["type"] for turn in findings.news(before, after)] == ["Ready", "Registered"]


def test_only_a_change_of_status_or_reason_is_a_transition() -> None:
    before = findings.conditions_after([], [UP], 1, "t1")
    assert findings.transitions(before, findings.conditions_after(before, [UP], 5, "t2")) == []
    assert len(findings.transitions(before, findings.conditions_after(before, [DOWN], 5, "t2"))) == 1
