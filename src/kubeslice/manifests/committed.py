"""A directory of files that are made from code and committed: writes them, or says which are not up to date.

Used by the generators of the CRDs and of the reference.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Files = Mapping[str, str]


def stale(directory: Path, wanted: Files) -> list[str]:
    """Return the names of files that are missing, different or no longer wanted."""
    there = {name: (directory / name).read_text() for name in _present(directory)}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write(directory: Path, wanted: Files) -> None:
    """Make the directory hold exactly the wanted files."""
    for name in _present(directory):
        if name not in wanted:
            (directory / name).unlink()
    for name, content in wanted.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def run(arguments: Sequence[str], wanted: Files) -> int:
    """Write, or check with `--check`, the directory that the arguments name; return the exit status."""
    directory = Path(next(argument for argument in arguments if not argument.startswith("-")))
    if "--check" not in arguments:
        write(directory, wanted)
        return 0
    old = stale(directory, wanted)
    if old:
        sys.stderr.write(f"not up to date in {directory}: {', '.join(old)}; run `make generate`\n")
    return 1 if old else 0


def _present(directory: Path) -> list[str]:
    return [str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()]
