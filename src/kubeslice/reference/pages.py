"""All pages of the reference by their names. Called by the generator and by its test."""

from pathlib import Path

from kubeslice.model.kinds import HUB_KINDS, WORKER_KINDS
from kubeslice.reference import commands, conditions, differences, kinds, markdown, metrics, vocabulary

KINDS = (*HUB_KINDS, *WORKER_KINDS)
PAGES = {
    "cli.md": ("Command line", commands.page),
    "conditions.md": ("Conditions and refusals", conditions.page),
    "differences.md": ("Differences from the Go implementation", differences.page),
    "metrics.md": ("Metrics", metrics.page),
    "names.md": ("Labels, annotations, finalizers, environment variables and other names", vocabulary.page),
}


def files(examples: Path) -> dict[str, str]:
    """Return the text of every page by its name; `examples` holds a YAML file for each kind."""
    of_kinds = {f"kinds/{kinds.file_name(kind)}": kinds.page(kind, example(examples, kind.__name__)) for kind in KINDS}
    others = {name: page() for name, (_, page) in PAGES.items()}
    links = markdown.bullets(f"[{title}]({name})" for name, (title, _) in PAGES.items())
    return {"README.md": markdown.page("Reference", links, "## Kinds", kinds.index(KINDS)), **others, **of_kinds}


def example(examples: Path, kind: str) -> str:
    """Return the example of a kind, in YAML."""
    return (examples / f"{kind.lower()}.yaml").read_text()
