"""Reading the files of `kubeslice plan` and `kubeslice apply`: YAML or JSON, documents and lists, standard input."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeslice.cli.target import fail
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.resources import CLUSTERS, SLICECONFIGS, SLICEQOSCONFIGS, SLICERESOURCEQUOTAS, Resource

# In the order in which they are applied: what slices name comes first, what names slices last.
KINDS = (CLUSTERS, SLICEQOSCONFIGS, SLICECONFIGS, SLICERESOURCEQUOTAS)
STANDARD_INPUT = Path("-")


@dataclass(frozen=True)
class Wish:
    """An object as a file has it."""

    resource: Resource
    object: Object

    @property
    def name(self) -> str:
        """Return the object's name."""
        return str(self.object["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Return the object's namespace."""
        return str(self.object["metadata"]["namespace"])

    @property
    def project(self) -> str:
        """Return the project that the object is of."""
        return names.project_of(self.namespace)


def read(paths: Iterable[Path], project: str | None) -> list[Wish]:
    """Return the objects of some files; those without a namespace are of `project`. Ends the program on bad input."""
    wishes = [_wish(document, str(path), project) for path in paths for document in _documents(_text(path), str(path))]
    if not wishes:
        fail("there is no object in what was given: name a file with --filename, or - for standard input")
    return sorted(wishes, key=lambda wish: KINDS.index(wish.resource))


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if path == STANDARD_INPUT else path.read_text()
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{path} cannot be read: it is not text in UTF-8")


def _documents(text: str, path: str) -> Iterator[Any]:
    import yaml

    try:
        for document in yaml.safe_load_all(text):
            if isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
                yield from document.get("items") or []
            elif document is not None:
                yield document
    except yaml.YAMLError as error:
        fail(f"{path} is not YAML: {error}")


def _wish(document: Any, path: str, project: str | None) -> Wish:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(metadata, dict) or not metadata.get("name"):
        fail(f"{path}: an object has no metadata.name: write apiVersion, kind, metadata.name and spec")
    found = {resource.kind: resource for resource in KINDS}.get(document.get("kind"))
    if found is None or document.get("apiVersion") != found.api_version:
        fail(
            f"{path}: {document.get('apiVersion')} {document.get('kind')} is not for plan and apply, which know "
            f"{', '.join(resource.kind for resource in KINDS)} of {SLICECONFIGS.api_version}: use kubectl for it"
        )
    namespace = metadata.get("namespace") or (names.project_namespace(project) if project else "")
    if not namespace:
        fail(f"{path}: {found.kind} {metadata['name']} has no namespace: write it, or name the project with --project")
    return Wish(found, {**document, "metadata": {**metadata, "namespace": namespace}})
