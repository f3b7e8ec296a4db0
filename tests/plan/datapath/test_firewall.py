"""Tables and the commands that lead to them, against a model of nftables' sets."""

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.datapath import filters
from kubeslice.plan.datapath.filters import Sender
from kubeslice.plan.datapath.firewall import SeenTable, Table, update

senders = st.lists(
    st.builds(
        lambda number, is_router: Sender(
            f"p{number}", f"02:6b:0a:00:00:{number:02x}", IPv4Address(f"10.0.0.{number}"), is_router
        ),
        st.integers(1, 5),
        st.booleans(),
    ),
    unique_by=lambda sender: sender.port,
)


def as_seen(table: Table) -> SeenTable:
    return SeenTable(table.marks, {group.name: group.elements for group in table.groups})


def carry_out(seen: SeenTable, commands: list[dict[str, object]]) -> SeenTable:
    sets = {name: set(elements) for name, elements in seen.elements.items()}
    for command in commands:
        ((verb, body),) = command.items()
        element = body["element"]  # type: ignore[index]
        members = {tuple(item["concat"]) if isinstance(item, dict) else (item,) for item in element["elem"]}
        if verb == "add":
            assert not members & sets[element["name"]]
            sets[element["name"]] |= members
        else:
            assert members <= sets[element["name"]]
            sets[element["name"]] -= members
    return SeenTable(seen.marks, {name: frozenset(elements) for name, elements in sets.items()})


@given(senders, senders)
def test_only_elements_change_while_the_rules_are_ours(before: list[Sender], after: list[Sender]) -> None:
    seen, wanted = as_seen(filters.segment(before)), filters.segment(after)
    assert carry_out(seen, update(seen, wanted)) == as_seen(wanted)


@given(senders)
def test_a_table_that_is_there_needs_no_command(known: list[Sender]) -> None:
    wanted = filters.segment(known)
    assert update(as_seen(wanted), filters.segment(list(reversed(known)))) == []


def test_a_missing_or_strange_rule_replaces_the_whole_table() -> None:
    wanted = filters.segment([])
    whole = update(None, wanted)
    assert [next(iter(command)) for command in whole[:3]] == ["add", "delete", "add"]
    for marks in (wanted.marks[1:], (*wanted.marks, "somebody else's"), ()):
        assert update(SeenTable(marks, as_seen(wanted).elements), wanted) == whole


def test_tables_with_other_rules_have_other_digests() -> None:
    assert filters.segment([]).digest != filters.underlay([]).digest
    assert filters.underlay([]).digest == filters.underlay([IPv4Address("192.0.2.1")]).digest
