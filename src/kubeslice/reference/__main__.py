"""Writes the pages under `docs/reference`, or checks that they are up to date. Called by `make`.

`python -m kubeslice.reference [--check] docs/reference`; the examples are read from `docs/examples`.
"""

import sys
from pathlib import Path

from kubeslice.manifests import committed
from kubeslice.reference.pages import files

if __name__ == "__main__":
    sys.exit(committed.run(sys.argv[1:], files(Path("docs/examples"))))
