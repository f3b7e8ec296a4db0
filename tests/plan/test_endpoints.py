from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan import endpoints


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1:30000", "192.0.2.1", 30000),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
        ("lb.example.org:1", "lb.example.org", 1),
    ],
)
def test_an_endpoint_has_a_host_and_a_port(text: str, host: str, port: int) -> None:
    found = endpoints.parse(text)
    assert found is not None
    assert (found.host, found.port, found.text) == (host, port, text)
    assert found.address == (None if host.startswith("lb") else ip_address(host))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.1",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:+1",
        "192.0.2.1:\u0661",
        "[192.0.2.1]:1",
        "[lb.example.org]:1",
        "[::g]:1",
        "2001:db8::1:30000",
        "-x:1",
        "a b:1",
        "192.0.2.1:1\nPrivateKey = x",
    ],
)
def test_what_is_none_is_none(text: str) -> None:
    assert endpoints.parse(text) is None


@given(st.text(alphabet="1a:.[]- \n", max_size=24))
def test_nothing_but_a_host_and_a_port_gets_through(text: str) -> None:
    found = endpoints.parse(text)
    assert found is None or text in (f"{found.host}:{found.port}", f"[{found.host}]:{found.port}")
