"""Reads the published Kubernetes models (`lightkube.models`) as text: importing them would cost a second.

A module is read when the first of its types is asked for and a type is parsed when it is asked for. `builtin` turns the
fields into schemas, `openapi` takes the descriptions.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_CLASS = re.compile(r"^class (\w+)\(DictMixin\):\n", re.MULTILINE)
_FIELD = re.compile(r"^    (\w+): '([^']+)'(.*)$", re.MULTILINE)
_JSON_NAME = re.compile(r'"json": "([^"]+)"')
_PARAMETER = re.compile(r"^      \* \*\*(\w+)\*\* ``[^`]+`` - ?", re.MULTILINE)
_DOCSTRING_END = '"""\n'
_SPACES = re.compile(r"\s+")


class TypeName(NamedTuple):
    """A type of the models: the module (`core_v1`) and the class (`Pod`)."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a type: wire and Python name, annotation without `Optional`, and whether it must be given."""

    name: str
    attribute: str
    annotation: str
    is_required: bool


@cache
def _package() -> Path | None:
    spec = find_spec("lightkube.models")
    return Path(spec.origin).parent if spec and spec.origin else None


@cache
def _text(module: str) -> str:
    package = _package()
    path = package / f"{module}.py" if package else None
    return path.read_text(encoding="utf-8") if path and path.exists() else ""


@cache
def _offsets(module: str) -> dict[str, int]:
    return {match[1]: match.end() for match in _CLASS.finditer(_text(module))}


def exists(type_name: TypeName) -> bool:
    """Tell whether the models have such a class."""
    return type_name.name in _offsets(type_name.module)


def _body(type_name: TypeName) -> tuple[str, str]:
    text = _text(type_name.module)
    start = _offsets(type_name.module)[type_name.name]
    end = text.find("\n\n\n", start)
    body = text[start : end if end >= 0 else len(text)]
    documentation, _, code = body.partition('"""')[2].partition(_DOCSTRING_END)
    return documentation, code


def fields(type_name: TypeName) -> list[Field]:
    """Return the fields of a type, required ones first as in the models."""
    found = []
    for match in _FIELD.finditer(_body(type_name)[1]):
        renamed = _JSON_NAME.search(match[3])
        annotation = match[2]
        is_optional = annotation.startswith("Optional[")
        plain = annotation.removeprefix("Optional[").removesuffix("]") if is_optional else annotation
        found.append(Field(renamed[1] if renamed else match[1], match[1], plain, not is_optional))
    return found


def description(type_name: TypeName) -> str:
    """Return what the documentation says about a type."""
    text = _body(type_name)[0].partition("**parameters**")[0]
    return _SPACES.sub(" ", text).strip()


def field_descriptions(type_name: TypeName) -> dict[str, str]:
    """Return what the documentation says about each field, by wire name."""
    text = _body(type_name)[0].partition("**parameters**")[2]
    matches = list(_PARAMETER.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    names = {each.attribute: each.name for each in fields(type_name)}
    return {
        names.get(match[1], match[1]): _SPACES.sub(" ", text[match.end() : end]).strip()
        for match, end in zip(matches, ends, strict=True)
    }
