"""What a reconcile found out about an object, and the conditions that follow. Called by the hub's reconcilers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.model import conditions
from kubeslice.plan.problems import Problem

Condition = dict[str, Any]

# Messages with these reasons name planes and hold no figures: another message is another happening.
NAMING_PLANES = ("TunnelDegraded",)


@dataclass(frozen=True)
class Finding:
    """One aspect of an object's state: a condition without its times."""

    type: str
    status: conditions.Status
    reason: str
    message: str


def ready(reason: str, message: str) -> Finding:
    """Return the finding that all is as it should be."""
    return Finding(conditions.READY, "True", reason, message)


def not_ready(reason: str, message: str) -> Finding:
    """Return the finding that something is missing; `message` says what to do or what is waited for."""
    return Finding(conditions.READY, "False", reason, message)


def refusal(problems: Sequence[Problem]) -> Finding | None:
    """Return the finding that an object cannot be as its spec says, None when it can: all sentences, first reason."""
    if not problems:
        return None
    return not_ready(problems[0].reason, "; ".join(map(str, problems)))


def effectiveness(idle: Sequence[str]) -> Finding:
    """Return whether every field of a spec is acted on; `idle` are the sentences of `plan.checks.effective`."""
    if idle:
        return Finding(conditions.FULLY_EFFECTIVE, "False", "NotYetEffective", "; ".join(idle))
    return Finding(conditions.FULLY_EFFECTIVE, "True", "Effective", "every field of the spec is acted on")


def conditions_after(
    seen: Sequence[Condition], findings: Iterable[Finding], generation: int, now: str
) -> list[Condition]:
    """Return the conditions that `findings` come to: exactly their types, transition times kept from `seen`."""
    found = list(findings)
    types = {finding.type for finding in found}
    result = [entry for entry in seen if entry.get("type") in types]
    for finding in found:
        result = conditions.set_condition(
            result, finding.type, finding.status, finding.reason, finding.message, generation, now
        )
    return result


def is_waiting(entry: Mapping[str, Any]) -> bool:
    """Tell whether a condition only says what is waited for: a beginning, not a happening."""
    return str(entry["reason"]).startswith("WaitingFor")


def is_bad(entry: Mapping[str, Any]) -> bool:
    """Tell whether a condition says that something is not as it should be."""
    return bool(entry["status"] != ("False" if entry["type"] == conditions.DEGRADED else "True"))


def news(before: Sequence[Condition], after: Sequence[Condition]) -> list[Condition]:
    """Return the turns that people want to hear of: neither what is only waited for, nor that all is well as before.

    Conditions that turn with the same words tell of one happening.
    """
    known = {entry.get("type"): entry for entry in before}
    told: dict[tuple[str, str], Condition] = {}
    for turn in transitions(before, after):
        is_told = turn["type"] == conditions.READY or is_bad(turn) or _was_told(known.get(turn["type"]))
        if is_told and not is_waiting(turn):
            told.setdefault((turn["reason"], turn["message"]), turn)
    return list(told.values())


def _was_told(old: Condition | None) -> bool:
    return old is not None and is_bad(old) and not is_waiting(old)


def transitions(before: Sequence[Condition], after: Sequence[Condition]) -> list[Condition]:
    """Return the conditions in `after` that differ from `before` in more than words."""
    known = {entry.get("type"): _essence(entry) for entry in before}
    return [entry for entry in after if known.get(entry["type"]) != _essence(entry)]


def _essence(entry: Condition) -> tuple[Any, ...]:
    reason = entry.get("reason")
    return entry.get("status"), reason, entry.get("message") if reason in NAMING_PLANES else ""
