from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.services import corefile

KUBEADM = """.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
ADDRESS = ip_address("10.96.0.53")
foreign = st.one_of(st.just(KUBEADM), st.text(), st.text(alphabet="#{}.:53a \n")).filter(
    lambda t: corefile.BEGIN not in t
)
addresses = st.ip_addresses()


def test_the_zone_is_forwarded_and_the_rest_follows_untouched() -> None:
    block = f"{corefile.BEGIN}\nslice.local:53 {{\n    errors\n    forward . 10.96.0.53\n}}\n{corefile.END}\n"
    assert corefile.with_forward(KUBEADM, "slice.local", ADDRESS) == block + KUBEADM


def test_an_ipv6_server_is_written_in_brackets() -> None:
    assert "forward . [fd00::53]\n" in corefile.with_forward(KUBEADM, "slice.local", ip_address("fd00::53"))


@given(foreign, addresses)
def test_taking_the_block_out_gives_the_file_back(text: Any, address: Any) -> None:
    assert corefile.without_forward(corefile.with_forward(text, "slice.local", address)) == text


@given(foreign, addresses, addresses)
def test_writing_twice_is_writing_the_last(text: Any, first: Any, second: Any) -> None:
    once = corefile.with_forward(text, "slice.local", first)
    assert corefile.with_forward(once, "slice.local", second) == corefile.with_forward(text, "slice.local", second)


@given(foreign)
def test_a_file_without_our_block_is_left_alone(text: Any) -> None:
    assert corefile.without_forward(text) == text


@given(foreign, foreign, addresses)
def test_edits_around_our_block_survive(before: Any, after: Any, address: Any) -> None:
    edited = (before + "\n" if before else "") + corefile.with_forward(after, "slice.local", address)
    assert corefile.without_forward(edited) == (before + "\n" if before else "") + after


@pytest.mark.parametrize(
    "key",
    [
        "slice.local",
        "slice.local:53",
        "slice.local.:53",
        "dns://slice.local",
        "example.org slice.local",
        "a.b, SLICE.local",
    ],
)
def test_a_block_of_somebody_else_for_the_zone_is_found(key: Any) -> None:
    assert corefile.is_served_by_others(f"{KUBEADM}{key} {{\n  forward . 10.0.0.1\n}}\n", "slice.local")


@pytest.mark.parametrize("key", ["sub.slice.local", "myslice.local", ". # slice.local"])
def test_other_zones_are_no_obstacle(key: Any) -> None:
    assert not corefile.is_served_by_others(f"{key}\n{{\n forward . 10.0.0.1\n}}\n{KUBEADM}", "slice.local")


def test_our_own_block_is_no_obstacle() -> None:
    assert not corefile.is_served_by_others(corefile.with_forward(KUBEADM, "slice.local", ADDRESS), "slice.local")


def test_a_zone_named_inside_a_block_is_no_server_block() -> None:
    text = ".:53 {\n rewrite name slice.local x {\n answer auto\n }\n}\n"
    assert not corefile.is_served_by_others(text, "slice.local")


def test_reload_is_recognised() -> None:
    assert corefile.reloads_itself(KUBEADM)
    assert not corefile.reloads_itself(KUBEADM.replace("reload", "# reload"))
