"""`kubeslice manifests`: its values are those that the help names, and each has its effect."""

import re

import pytest
import typer

from kubeslice.cli import main, rendering

WORKER = ("cluster=west", "project=demo")


def test_the_help_names_every_value() -> None:
    named = set(re.findall(r"[a-z][a-z-]+", main.VALUES))
    assert {*rendering.HUB_SETTINGS, *rendering.WORKER_SETTINGS} <= named


@pytest.mark.parametrize(("settings", "value"), [((), "true"), (("privileged-gateways=false",), "false")])
def test_gateways_are_privileged_unless_it_is_said(settings: tuple[str, ...], value: str) -> None:
    text = rendering.manifests_yaml("worker", [*WORKER, *settings])
    assert re.findall(r"name: GATEWAY_PRIVILEGED\s+value: '(\w+)'", text) == [value]


@pytest.mark.parametrize(("settings", "value"), [((), "3.5"), (("lease-seconds=12",), "12")])
def test_the_lease_counts_as_long_as_it_is_said(settings: tuple[str, ...], value: str) -> None:
    text = rendering.manifests_yaml("hub", ["endpoint=https://hub:6443", *settings])
    assert re.findall(r"name: LEASE_SECONDS\s+value: '([\d.]+)'", text) == [value]


@pytest.mark.parametrize(
    ("part", "settings", "words"),
    [
        ("worker", (*WORKER, "privileged-gateways=no"), "privileged-gateways=no does not do: write true or false"),
        ("worker", ("cluster=west",), "project is missing: add --set project=…"),
        ("hub", ("endpoint=https://hub:6443", "color=red"), "--set color is not known; there are endpoint"),
        ("hub", ("endpoint=172.31.0.11:6443",), "endpoint 172.31.0.11:6443 is no URL of an API server: write https://"),
        ("hub", ("endpoint=hub:6443",), "endpoint hub:6443 is no URL"),
        (
            "hub",
            ("endpoint=https://hub:6443", "lease-seconds=nan"),
            "lease-seconds=nan does not do: write after",
        ),
        ("hub", ("endpoint=https://hub:6443", "lease-seconds=1.9"), "another hub leads, 2 or more"),
        ("agent", (), "no part 'agent': there are hub and worker"),
    ],
)
def test_what_does_not_fit_is_said(
    capsys: pytest.CaptureFixture[str], part: str, settings: tuple[str, ...], words: str
) -> None:
    with pytest.raises(typer.Exit):
        rendering.manifests_yaml(part, settings)
    assert words in capsys.readouterr().err
