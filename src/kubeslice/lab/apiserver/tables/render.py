"""Objects as clients ask for them: whole, as rows of a Table, or as metadata only; reading and watching use this."""

from collections.abc import Iterable

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.tables.column import Column


def metadata_only(obj: Object) -> Object:
    """Return the `PartialObjectMetadata` of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def row(obj: Object, columns: tuple[Column, ...], include: str) -> Object:
    """Return the table row of an object; `include` is `None`, `Metadata` or `Object`, as clients ask."""
    cells = [column.cell(obj) for column in columns]
    if include == "None":
        return {"cells": cells}
    return {"cells": cells, "object": obj if include == "Object" else metadata_only(obj)}


def table(
    objects: Iterable[Object], columns: tuple[Column, ...], include: str, metadata: Object, *, headed: bool = True
) -> Object:
    """Return a table; on a watch only the first one is `headed`."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [column.definition() for column in columns] if headed else None,
        "rows": [row(obj, columns, include) for obj in objects],
    }
