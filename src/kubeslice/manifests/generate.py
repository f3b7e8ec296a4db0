"""Writes the CRDs to `crds/`, one file for each kind, or checks that they are up to date. Called by `make`.

`python -m kubeslice.manifests.generate [--check] DIRECTORY`
"""

import sys

import yaml

from kubeslice.manifests import committed
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


if __name__ == "__main__":
    sys.exit(committed.run(sys.argv[1:], files()))
