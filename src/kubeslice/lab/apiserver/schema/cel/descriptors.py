"""Schemas as message types, so that the engine's checker knows every field: rules with typing errors are refused.

Only definitions are checked this way, when they are written; evaluation works on plain values.
Source: k8s.io/apiserver/pkg/cel/common/schemas.go, which makes the same types for cel-go.
"""

from typing import Any

from cel_expr_python import cel
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from kubeslice.lab.apiserver.schema.cel.terms import escape, type_of
from kubeslice.lab.apiserver.schema.node import Node

_PACKAGE = "schema"
_ANY = ".google.protobuf.Value"
_MESSAGES = {"timestamp": ".google.protobuf.Timestamp", "duration": ".google.protobuf.Duration"}
_SCALARS = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}
_KNOWN = (struct_pb2, timestamp_pb2, duration_pb2)
_TEXT = Node(type="string")
_OBJECT_FIELDS = {
    "apiVersion": _TEXT,
    "kind": _TEXT,
    "metadata": Node(type="object", properties={"name": _TEXT, "generateName": _TEXT}),
}


class Types:
    """The message types of one schema, collected in a pool of their own."""

    def __init__(self, node: Node, *, is_whole: bool) -> None:
        self._file = FileDescriptorProto(name="schema.proto", package=_PACKAGE, syntax="proto2")
        self._file.dependency.extend(module.DESCRIPTOR.name for module in _KNOWN)
        self.self_type = self._type(node, is_whole=is_whole)
        self.pool = DescriptorPool()
        for module in _KNOWN:
            self.pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        self.pool.AddSerializedFile(self._file.SerializeToString())

    def _type(self, node: Node, *, is_whole: bool = False) -> Any:
        """Return the type of a variable that holds values of a node."""
        if node.type == "array" and not node.nullable:
            return cel.Type.List(self._type(node.items) if node.items is not None else cel.Type.DYN)
        if _is_map(node):
            return cel.Type.Map(cel.Type.STRING, self._type(node.additional) if node.additional else cel.Type.DYN)
        if _is_object(node):
            return cel.Type(self._message(node, is_whole=is_whole).removeprefix("."))
        return getattr(cel.Type, type_of(node).upper())

    def _message(self, node: Node, *, is_whole: bool = False) -> str:
        """Add the message of an object and return its full name."""
        message = self._file.message_type.add(name=f"Object{len(self._file.message_type)}")
        properties = dict(node.properties)
        if is_whole or node.embedded:
            properties |= _OBJECT_FIELDS
        for name, sub in properties.items():
            identifier = escape(name)
            if identifier is not None and (sub.type or sub.int_or_string or sub.embedded):
                self._field(message, identifier, sub)
        return f".{_PACKAGE}.{message.name}"

    def _field(self, message: DescriptorProto, name: str, node: Node) -> None:
        if node.type == "array" and not node.nullable:
            self._add(message, name, node.items, repeated=True)
        elif _is_map(node):
            self._map(message, name, node)
        else:
            self._add(message, name, node)

    def _map(self, message: DescriptorProto, name: str, node: Node) -> None:
        entry_name = f"{_camel_case(name)}Entry"
        if any(known.name == entry_name for known in message.nested_type):
            self._reference(message, name, _ANY)
            return
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        self._add(entry, "key", _TEXT)
        self._add(entry, "value", node.additional)
        self._reference(message, name, f".{_PACKAGE}.{message.name}.{entry_name}", repeated=True)

    def _add(self, message: DescriptorProto, name: str, node: Node | None, *, repeated: bool = False) -> None:
        kind = type_of(node) if node is not None else "dyn"
        if node is not None and _is_object(node):
            self._reference(message, name, self._message(node), repeated=repeated)
        elif kind in _SCALARS:
            _new_field(message, name, repeated=repeated).type = _SCALARS[kind]
        else:
            self._reference(message, name, _MESSAGES.get(kind, _ANY), repeated=repeated)

    def _reference(self, message: DescriptorProto, name: str, target: str, *, repeated: bool = False) -> None:
        field = _new_field(message, name, repeated=repeated)
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = target


def _new_field(message: DescriptorProto, name: str, *, repeated: bool) -> FieldDescriptorProto:
    number = len(message.field) + 1
    label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    return message.field.add(name=name, number=number, json_name=f"j{number}", label=label)


def _camel_case(name: str) -> str:
    """Return the name that protocol buffers demand for the entries of a map field."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _is_map(node: Node) -> bool:
    return node.type == "object" and node.additional is not None and not node.properties and not node.nullable


def _is_object(node: Node) -> bool:
    return (node.type == "object" or node.embedded) and not _is_map(node) and not node.nullable
