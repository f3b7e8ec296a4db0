"""Events about isolation: what is new since the last look, each thing once."""

from typing import Any

import pytest

from kubeslice.model.slice import Isolation
from kubeslice.plan.cluster import isolation, isolation_news
from kubeslice.plan.cluster.isolation_news import Known, Post

PARTS = ("podSelector", "policyTypes", "ingress", "egress")


def written(policy: Any, *, ours: Any = PARTS, others: Any = None, operation: str = "Apply") -> Any:
    """Return a policy as it is on the server, where others own what they changed."""
    fields = [("kubeslice-worker", operation, ours), *((who, "Update", parts) for who, parts in (others or {}).items())]
    owned = [
        {"manager": who, "operation": how, "fieldsV1": {"f:spec": {f"f:{part}": {} for part in parts}}}
        for who, how, parts in fields
    ]
    return {**policy, "metadata": {**policy["metadata"], "managedFields": owned}}


def made(*namespaces: str, allowed: Any = ()) -> list[Any]:
    return isolation.policies("red", Isolation(allowed_namespaces=list(allowed)), namespaces)


def posts(*namespaces: str, uid: str = "1") -> list[Post]:
    return [Post(f"{policy['metadata']['namespace']}-{uid}", policy, written(policy)) for policy in made(*namespaces)]


def narrowed(post: Post, **owners: Any) -> Post:
    changed = {**post.wanted, "spec": {**post.wanted["spec"], "podSelector": {"matchLabels": {"app": "web"}}}}
    return post._replace(present=written(changed, ours=PARTS[1:], **owners))


def story(*looks: list[Post]) -> list[list[tuple[str, str]]]:
    """Return reason and sentence of what each look brought."""
    known, told = Known(), []
    for look in looks:
        known, news = isolation_news.since(known, look)
        told.append([(each.reason, each.sentence) for each in news])
        assert all(each.is_bad == (each.reason != "NetPolAdded") for each in news)
    return told


def test_a_policy_is_told_when_it_is_there_and_once() -> None:
    shop, bank = posts("shop", "bank")
    waiting = shop._replace(present=None)
    added = [[("NetPolAdded", f"NetworkPolicy kubeslice-red is in {which}")] for which in ("shop", "bank")]
    assert story([waiting], [waiting, bank._replace(present=None)], [shop], [shop, bank], [shop, bank]) == [
        [], [], added[1], added[0], [],
    ]  # fmt: skip


def test_what_is_taken_away_is_told_once_for_each_time() -> None:
    [shop] = posts("shop")
    gone, changed = shop._replace(present=None), narrowed(shop, others={"kubectl-edit": ["podSelector"]})
    told = story([shop], [gone], [gone], [shop], [changed], [changed], [narrowed(shop)], [shop], [narrowed(shop)])
    sentences = [sentence.rpartition(" in shop ")[2] for look in told[1:] for _, sentence in look]
    assert sentences == ["(deleted)", "(changed by kubectl-edit)", "(changed)"]
    assert {reason for look in told[1:] for reason, _ in look} == {"NetPolViolation"}


def test_a_change_of_our_own_takes_nothing_away() -> None:
    [shop] = posts("shop")
    [other] = made("shop", allowed=["ops"])
    assert story([shop], [shop._replace(wanted=other)], [shop._replace(wanted=other, present=written(other))])[1:] == [
        [], [],
    ]  # fmt: skip


def test_a_namespace_that_is_made_anew_lost_nothing() -> None:
    [old], [new] = posts("shop"), posts("shop", uid="2")
    told = story([old], [new._replace(present=None)], [new])
    assert [[reason for reason, _ in look] for look in told] == [["NetPolAdded"], [], ["NetPolAdded"]]


def test_a_policy_nobody_is_known_to_own_counts_as_changed() -> None:
    [shop] = posts("shop")
    changed = narrowed(shop)
    assert changed.present is not None
    changed.present["metadata"].pop("managedFields")
    assert changed.loss == "changed"
    assert shop.loss == ""


def test_many_namespaces_are_one_event() -> None:
    many = posts(*(f"n{number}" for number in range(8)))
    [[(_, sentence)]] = story(many)
    assert sentence == "NetworkPolicy kubeslice-red is in n0, n1, n2, n3, n4 and 3 more"


@pytest.mark.parametrize(("blocks", "reason"), [(True, "IPBlock"), (False, "Namespace")])
def test_what_opens_a_namespace_is_a_warning(blocks: bool, reason: str) -> None:
    news = isolation_news.widened(isolation.Opening("shop", "web", blocks), "red")
    assert (news.reason, news.is_bad) == (f"NetPolScopeWidened{reason}", True)
    assert "slice red" in news.sentence


@pytest.mark.parametrize(
    ("before", "fresh", "expected"),
    [
        ([], ["a"], None),
        (["a"], [], None),
        (["a"], ["b"], "NetPolScopeWidenedNamespace"),
        (["block"], ["b"], None),
        (["block"], ["block too"], "NetPolScopeWidenedIPBlock"),
    ],
)
def test_what_opens_a_namespace_further_is_told_of_the_slice_unless_its_condition_turns(
    before: list[str], fresh: list[str], expected: str | None
) -> None:
    def opened(names: list[str]) -> list[isolation.Opening]:
        return [isolation.Opening("shop", name, blocks=name.startswith("block")) for name in names]

    known = Known(opened=frozenset((opening.name, opening) for opening in opened(before)))
    news = isolation_news.further(known, opened(fresh))
    assert (news.reason if news else None) == expected
    assert news is None or f"shop/{fresh[0]}:" in news.sentence
