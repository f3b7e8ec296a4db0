"""Files of the programs that we run: written whole or not at all, so that a full disk spoils nothing that is there."""

import errno
import os
from pathlib import Path

from kubeslice.model.errors import Retry

FULL = (errno.ENOSPC, errno.EDQUOT)


class NoRoom(Retry):
    """A file could not be written; what was there before is as it was."""

    def __init__(self, what: str, where: Path | str, error: OSError) -> None:
        advice = ": make room on the disk of this node" if error.errno in FULL else ""
        super().__init__(f"{what} cannot be written to {where}: {error.strerror or error}{advice}")


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Put a content in the place of a file, and let `mode` say who may read it from the start. Raises `NoRoom`."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        with open(new, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content.encode() if isinstance(content, str) else content)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise NoRoom(path.name, path.parent, error) from error
