"""Which program of this machine an image name stands for. Pure; the kubelets ask it for every container."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What an image's configuration says: its entry point, its default arguments, its search path."""

    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    path: str = SYSTEM_PATH


def known_images() -> Mapping[str, Image]:
    """Return the images by repository, without registry and tag."""
    environment = f"{Path(sys.executable).parent}:{SYSTEM_PATH}"
    shell = Image(arguments=("/bin/sh",))
    own = (sys.executable, "-m")
    return {
        "kubeslice/kubeslice": Image(entrypoint=(*own, "kubeslice"), path=environment),
        "kubeslice/demo-web": Image(entrypoint=(*own, "kubeslice.lab.programs.demo_web"), path=environment),
        "coredns/coredns": Image(entrypoint=(*own, "kubeslice.lab.coredns"), path=environment),
        "python": Image(arguments=(sys.executable,), path=environment),
        "curlimages/curl": Image(entrypoint=("curl",)),
        "nicolaka/netshoot": Image(arguments=("/bin/bash",), path=environment),
        **dict.fromkeys(("busybox", "alpine", "debian", "ubuntu"), shell),
    }


def repository(reference: str) -> str:
    """Return the repository of an image reference: without registry, `library/`, tag and digest."""
    name = reference.partition("@")[0]
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = rest
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}".removeprefix("library/")


def find_image(reference: str) -> Image | None:
    """Return the image that a reference names, or None when this machine has no program for it."""
    return known_images().get(repository(reference))


def unknown_image(reference: str) -> str:
    """Say why an image cannot be had, and which can."""
    names = ", ".join(sorted(known_images()))
    return f'failed to pull image "{reference}": the lab has no program for it; it knows {names}'


def command_line(image: Image, command: Sequence[str], args: Sequence[str]) -> list[str]:
    """Combine an image's entry point with a container's command and args, as Kubernetes does."""
    if command:
        return [*command, *args]
    return [*image.entrypoint, *(args or image.arguments)]
