"""Writes the pages under `docs/reference` and `docs/dashboards`, or checks that they are up to date. Called by `make`.

`python -m kubeslice.reference [--check] docs/reference`, and the same with docs/dashboards; the examples are read from
`docs/examples`.
"""

import sys
from pathlib import Path

from kubeslice.manifests import committed
from kubeslice.reference import dashboard, pages

if __name__ == "__main__":
    is_dashboard = Path(sys.argv[-1]).name == "dashboards"
    wanted = dashboard.files() if is_dashboard else pages.files(Path("docs/examples"))
    sys.exit(committed.run(sys.argv[1:], wanted))
