"""What one kind does differently from the others; `kinds` fills these in and the REST side calls them."""

from collections.abc import Callable
from dataclasses import dataclass

from kubeslice.lab.apiserver.interfaces import Object


def _nothing(_obj: Object) -> None:
    """Change nothing."""


def _keep(_obj: Object, _old: Object | None) -> None:
    """Change nothing."""


def _no_fields(_obj: Object) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Strategy:
    """The rules of one kind, after kube-apiserver's registry strategies.

    `default` fills absent fields of what a client sent. `prepare` corrects an object before it is written (`old` is
    None on creation). `selectable` gives the values of the field selectors beyond name and namespace.
    `born_status` names the counters that are zero in the status of a new object.
    """

    default: Callable[[Object], None] = _nothing
    prepare: Callable[[Object, Object | None], None] = _keep
    selectable: Callable[[Object], dict[str, str]] = _no_fields
    unconditional_update: bool = True
    create_on_update: bool = False
    returns_deleted: bool = False
    graceful: bool = False
    orphans_by_default: bool = False
    keeps_status: bool = False
    born_status: tuple[str, ...] = ()
