"""Files of the programs that we run: written whole or not at all, so that a full disk spoils nothing that is there."""

import errno
from pathlib import Path

from kubeslice.model.errors import Retry

FULL = (errno.ENOSPC, errno.EDQUOT)


class NoRoom(Retry):
    """A file could not be written; what was there before is as it was."""

    def __init__(self, what: str, where: Path | str, error: OSError) -> None:
        advice = ": make room on the disk of this node" if error.errno in FULL else ""
        super().__init__(f"{what} cannot be written to {where}: {error.strerror or error}{advice}")


def write(path: Path, text: str) -> None:
    """Put a text in the place of a file. Raises `NoRoom`."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise NoRoom(path.name, path.parent, error) from error
