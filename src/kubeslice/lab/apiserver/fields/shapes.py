"""The merge behaviour of a type as a tree, asked for once and remembered, walked by apply and patches."""

from kubeslice.lab.apiserver.interfaces import FieldShape, TypeSchema


class Shape:
    """How the value at one place merges, and the way to the places below it."""

    __slots__ = ("_children", "_here", "_path", "_schema")

    def __init__(self, schema: TypeSchema, path: tuple[str, ...] = ()) -> None:
        self._schema = schema
        self._path = path
        self._children: dict[str, Shape] = {}
        self._here: FieldShape | None = None

    @property
    def here(self) -> FieldShape:
        """How the value at this place merges."""
        if self._here is None:
            self._here = self._schema.merge_key(self._path)
        return self._here

    def field(self, name: str) -> "Shape":
        """Return the shape of a field of an object or of a value of a map."""
        child = self._children.get(name)
        if child is None:
            child = self._children[name] = Shape(self._schema, (*self._path, name))
        return child

    @property
    def item(self) -> "Shape":
        """Return the shape of the items of a list."""
        return self.field("*")
