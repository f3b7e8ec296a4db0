"""Writes the CRDs to `crds/`, one file for each kind, or checks that they are up to date. Called by `make`.

`python -m kubeslice.manifests.generate [--check] DIRECTORY`
"""

import sys
from pathlib import Path

import yaml

from kubeslice.model.base import Kind
from kubeslice.model.crd import crd
from kubeslice.model.kinds import HUB_KINDS, WORKER_KINDS

HEADER = "# Generated from kubeslice.model by `make generate`. Do not edit.\n"


def files() -> dict[str, str]:
    """Return the content of every CRD file by its name."""
    return {f"{kind.resource.crd_name}.yaml": text(kind) for kind in (*HUB_KINDS, *WORKER_KINDS)}


def text(kind: type[Kind]) -> str:
    """Return the YAML of one CRD."""
    return HEADER + yaml.safe_dump(crd(kind), sort_keys=False, width=120, allow_unicode=True)


def stale(directory: Path) -> list[str]:
    """Return the names of files that are missing, different or no longer wanted."""
    wanted = files()
    there = {path.name: path.read_text() for path in directory.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write(directory: Path) -> None:
    """Make the directory hold exactly the wanted files."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = files()
    for path in directory.glob("*.yaml"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (directory / name).write_text(content)


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    directory = Path(next(argument for argument in arguments if not argument.startswith("-")))
    if "--check" in arguments:
        old = stale(directory)
        if old:
            sys.stderr.write(f"not up to date: {', '.join(old)}; run `make generate`\n")
        return 1 if old else 0
    write(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
