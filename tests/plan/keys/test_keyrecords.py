"""A key belongs to one cluster, plane and generation; whoever comes with another's is refused."""

from kubeslice.plan.keys import keyrecords
from kubeslice.plan.keys.keyrecords import REMEMBERED, KeyRecord
from tests import keys as made_up

IN_FORCE = {0: (1, 2), 1: (1,)}


def gateway(key: str, plane: int = 0, generation: int = 1) -> dict[str, object]:
    return {"plane": plane, "generation": generation, "publicKey": made_up.key(key), "endpoints": ["192.0.2.1:1"]}


def records(*reports: KeyRecord) -> list[KeyRecord]:
    return keyrecords.recorded([], reports, IN_FORCE, {"a", "b"})


def test_an_old_key_under_a_new_generation_is_refused_with_the_remedy() -> None:
    known = records(*keyrecords.reported("a", [gateway("old")]))
    replayed = [gateway("old"), gateway("old", generation=2)]
    (refusal,) = keyrecords.refused(keyrecords.reported("a", replayed), known)
    assert refusal.record.generation == 2
    for part in ("a reports for plane 0, generation 2", "that of a, plane 0, generation 1", "delete the Secret"):
        assert part in refusal.sentence
    assert keyrecords.accepted("a", replayed, known, IN_FORCE) == [gateway("old")]


def test_what_is_no_key_is_refused_with_cluster_and_plane_and_told_to_nobody() -> None:
    for text in ("k", made_up.key("k")[:-4], made_up.key("k") + "AAAA", "§" * 44):
        told = [gateway("good"), gateway("", plane=1) | {"publicKey": text}]
        (refusal,) = keyrecords.malformed("a", told)
        assert refusal.sentence.startswith("a reports for plane 1, generation 1 a public key that is not 32 bytes in")
        assert keyrecords.accepted("a", told, [], IN_FORCE) == [gateway("good")]
        assert [report.plane for report in keyrecords.reported("a", told)] == [0]
    assert keyrecords.malformed("a", [gateway("good"), {"plane": 1}]) == []


def test_a_key_of_another_cluster_or_plane_is_refused() -> None:
    known = records(*keyrecords.reported("a", [gateway("k")]))
    for cluster, other in (("b", gateway("k")), ("a", gateway("k", plane=1))):
        assert keyrecords.accepted(cluster, [other], known, IN_FORCE) == []
    assert keyrecords.accepted("a", [gateway("k")], known, IN_FORCE) == [gateway("k")]


def test_a_key_that_was_made_anew_in_its_own_place_is_accepted() -> None:
    known = records(*keyrecords.reported("a", [gateway("k")]))
    assert keyrecords.accepted("a", [gateway("new")], known, IN_FORCE) == [gateway("new")]


def test_only_generations_in_force_are_passed_on_and_each_once() -> None:
    told = [gateway("x", generation=9), gateway("k"), gateway("k2"), gateway("p", plane=7)]
    assert keyrecords.accepted("a", told, [], IN_FORCE) == [gateway("k2")]


def test_records_reach_back_a_while_and_not_for_ever() -> None:
    known: list[KeyRecord] = []
    for generation in range(1, 30):
        report = keyrecords.reported("a", [gateway(f"k{generation}", generation=generation)])
        known = keyrecords.recorded(known, report, {0: (generation,)}, {"a"})
    assert [record.generation for record in known] == list(range(30 - REMEMBERED, 30))
    assert keyrecords.recorded(known, [], IN_FORCE, {"b"}) == []
    assert keyrecords.parse(record.wire() for record in known) == known


def test_of_two_with_one_new_key_one_is_refused() -> None:
    both = [KeyRecord("a", 0, 1, "f"), KeyRecord("b", 0, 1, "f")]
    known = records(*both)
    assert known == both[:1]
    assert [refusal.record.cluster for refusal in keyrecords.refused(both, known)] == ["b"]
