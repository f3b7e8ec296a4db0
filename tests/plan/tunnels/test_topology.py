"""Laws of topologies: one way between every two that may talk, none between others, and nothing moves unasked."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.topology import Graph, Pair

LETTERS = "abcdef"
MEMBERS = st.lists(st.sampled_from(LETTERS), unique=True, max_size=6)
PAIRS = st.lists(st.lists(st.sampled_from(LETTERS), min_size=2, max_size=2, unique=True), max_size=8)
TOPOLOGIES: Any = st.one_of(
    st.none(),
    st.fixed_dictionaries({"mode": st.just("FullMesh")}),
    st.fixed_dictionaries(
        {
            "mode": st.just("HubAndSpoke"),
            "hubs": st.lists(st.sampled_from(LETTERS), unique=True),
            "spokeToSpoke": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {"mode": st.just("Restricted"), "pairs": PAIRS.map(lambda found: [{"clusters": ends} for ends in found])}
    ),
)


def graph(members: list[str], wanted: Any) -> Graph:
    spec: dict[str, Any] = {"sliceSubnet": "10.1.0.0/16", "clusters": members}
    parsed = SliceConfigSpec.model_validate(spec | ({"topology": wanted} if wanted else {}))
    return topology.graph(parsed, {member: number for number, member in enumerate(members)})


def edges(found: Graph) -> set[Pair]:
    return {topology.pair(*ends) for ends in found.edges()}


@given(MEMBERS, TOPOLOGIES)
def test_every_pair_is_connected_once_or_not_at_all(members: list[str], wanted: Any) -> None:
    found = graph(members, wanted)
    carried = dict(found.carried())
    assert not edges(found) & carried.keys()
    assert len(edges(found)) == len(found.edges())
    assert all(found.has_edge(one, other) == found.has_edge(other, one) for one in members for other in members)
    for ends, hub in carried.items():
        assert hub in found.carriers(ends)


@given(MEMBERS, TOPOLOGIES)
def test_each_mode_connects_what_it_says(members: list[str], wanted: Any) -> None:
    found, every = graph(members, wanted), {(x, y) for x in members for y in members if x < y}
    mode = (wanted or {}).get("mode", "FullMesh")
    if mode == "FullMesh":
        assert edges(found) == every
    elif mode == "HubAndSpoke":
        hubs = set(wanted["hubs"])
        assert edges(found) == {ends for ends in every if hubs & set(ends)}
        spokes = {ends for ends in every if not hubs & set(ends)}
        has_way = wanted["spokeToSpoke"] and hubs & set(members)
        assert dict(found.carried()).keys() == (spokes if has_way else set())
    else:
        assert edges(found) == every & {topology.pair(*entry["clusters"]) for entry in wanted["pairs"]}


@given(MEMBERS, TOPOLOGIES, st.sampled_from(LETTERS))
def test_a_member_that_comes_changes_no_pair_of_the_others(members: list[str], wanted: Any, new: str) -> None:
    before, after = graph(members, wanted), graph(list(dict.fromkeys([*members, new])), wanted)
    assert edges(before) == {ends for ends in edges(after) if set(ends) <= set(members)}
    if new not in after.hubs:
        known = dict(before.carried())
        assert {ends: hub for ends, hub in after.carried() if ends in known} == known


@given(MEMBERS, TOPOLOGIES, st.dictionaries(st.sampled_from(["ab", "ac", "bd"]), st.sampled_from(["", *LETTERS])))
def test_ways_agree_from_both_ends_and_lead_to_every_cluster_once(
    members: list[str], wanted: Any, relays: dict[str, str]
) -> None:
    found = graph(members, wanted)
    ways = topology.ways(found, {(ends[0], ends[1]): via for ends, via in relays.items()})
    for local in members:
        beyond = [far for via in LETTERS for far in ways.through(local, via)]
        assert len(beyond) == len(set(beyond)), "one way only"
        for via in LETTERS:
            assert all(local in ways.through(far, via) for far in ways.through(local, via))


def test_spoke_pairs_spread_over_the_hubs_and_move_only_with_their_hub() -> None:
    spokes = [f"s{number}" for number in range(20)]

    def planned(*hubs: str) -> dict[Pair, str]:
        return dict(Graph((*hubs, *spokes), topology.HUB_AND_SPOKE, frozenset(hubs)).carried())

    both, three = planned("g", "h"), planned("g", "h", "i")
    assert 60 < list(both.values()).count("g") < 130
    assert all(hub == both[ends] or hub == "i" for ends, hub in three.items())


def test_who_is_in_no_pair_is_cut_off() -> None:
    assert graph(["a", "b", "c"], {"mode": "Restricted", "pairs": [{"clusters": ["b", "a"]}]}).cut_off() == ["c"]
    assert graph(["a"], None).cut_off() == []
    assert graph(["a", "b"], {"mode": "HubAndSpoke", "hubs": ["a"]}).cut_off() == []


def test_a_slice_as_built_keeps_the_name_of_its_topology() -> None:
    built = topology.as_built({"b": 1, "a": 0, "c": 2}, [("a", "b")], "HubAndSpoke")
    assert (built.name, built.edges()) == ("HubAndSpoke", [("a", "b")])
