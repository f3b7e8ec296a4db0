"""Image names to programs."""

import sys

import pytest

from kubeslice.lab.images import Image, command_line, find_image, repository, unknown_image


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("busybox", "busybox"),
        ("busybox:1.36", "busybox"),
        ("docker.io/library/busybox:1.36", "busybox"),
        ("registry.k8s.io/coredns/coredns:v1.12.0", "coredns/coredns"),
        ("localhost:5000/kubeslice/kubeslice@sha256:00ff", "kubeslice/kubeslice"),
        ("kubeslice/kubeslice:0.1.0", "kubeslice/kubeslice"),
    ],
)
def test_repositories(reference: str, name: str) -> None:
    assert repository(reference) == name
    assert find_image(reference) is not None


def test_an_unknown_image_is_told_with_what_there_is() -> None:
    assert find_image("example.org/busybox2") is None
    assert "busybox" in unknown_image("example.org/busybox2")


def test_the_product_runs_with_this_python() -> None:
    image = find_image("kubeslice/kubeslice")
    assert image
    assert command_line(image, [], ["run", "hub"]) == [sys.executable, "-m", "kubeslice", "run", "hub"]


def test_command_and_args_replace_as_in_kubernetes() -> None:
    image = Image(entrypoint=("entry",), arguments=("default",))
    assert command_line(image, [], []) == ["entry", "default"]
    assert command_line(image, [], ["own"]) == ["entry", "own"]
    assert command_line(image, ["command"], []) == ["command"]
    assert command_line(image, ["command"], ["own"]) == ["command", "own"]
