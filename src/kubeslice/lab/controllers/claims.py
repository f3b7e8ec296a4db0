"""Which objects a workload manages: those it owns, those without a manager that its selector matches.

`claim` decides; `settle` writes adoptions and releases. Source: pkg/controller/controller_ref_manager.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import Conflict, Invalid, NotFound
from kubeslice.lab.controllers import pods, selectors, templates
from kubeslice.model.resources import Resource


@dataclass(frozen=True)
class Claims:
    """Objects that stay owned, those to adopt and those to let go."""

    owned: tuple[Object, ...] = ()
    adopted: tuple[Object, ...] = ()
    released: tuple[Object, ...] = ()


def claim(owner: Object, candidates: Iterable[Object]) -> Claims:
    """Sort the objects of the owner's namespace. An owner that is being deleted claims nothing new."""
    selector = objects.spec(owner).get("selector")
    owned: list[Object] = []
    adopted: list[Object] = []
    released: list[Object] = []
    for candidate in candidates:
        is_selected = selectors.matches(selector, objects.labels(candidate))
        if pods.is_owned_by(candidate, objects.uid(owner)):
            (owned if is_selected or objects.is_deleting(owner) else released).append(candidate)
        elif is_selected and pods.owner(candidate) is None and _may_adopt(owner, candidate):
            adopted.append(candidate)
    return Claims(tuple(owned), tuple(adopted), tuple(released))


async def settle(api: Api, resource: Resource, owner: Object, claims: Claims) -> list[Object]:
    """Write adoptions and releases; return what the owner manages now."""
    managed = list(claims.owned)
    for candidate in claims.adopted:
        references = [
            *(candidate["metadata"].get("ownerReferences") or []),
            templates.controller_reference(owner),
        ]
        if adopted := await _set_references(api, resource, candidate, references):
            managed.append(adopted)
    for candidate in claims.released:
        references = [
            reference
            for reference in candidate["metadata"].get("ownerReferences") or []
            if reference["uid"] != objects.uid(owner)
        ]
        await _set_references(api, resource, candidate, references)
    return sorted(managed, key=objects.name)


async def _set_references(api: Api, resource: Resource, candidate: Object, references: list[Object]) -> Object | None:
    change = {"metadata": {"uid": objects.uid(candidate), "ownerReferences": references}}
    try:
        return await api.patch(resource, objects.name(candidate), objects.namespace(candidate), change)
    except (NotFound, Conflict, Invalid):
        # It left or became another object meanwhile; the next event shows what is true.
        return None


def _may_adopt(owner: Object, candidate: Object) -> bool:
    return not objects.is_deleting(owner) and not objects.is_deleting(candidate)
