"""What every slice wants to be in this cluster, from the hub or, while it does not answer, from what is here."""

from dataclasses import replace

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model.errors import Terminal
from kubeslice.model.slice import Slice
from kubeslice.model.workersliceconfig import WorkerSliceConfig
from kubeslice.plan.cluster import onboarding, worker_slice
from kubeslice.plan.cluster.onboarding import Claim, Granted
from kubeslice.plan.cluster.worker_slice import Wish
from kubeslice.worker.caches import Caches


def of(name: str, caches: Caches) -> Wish | None:
    """Return what a slice wants to be here; None when the hub wants it no more. Raises `Terminal`."""
    config = caches.config(name)
    if config is not None and not objects.is_deleting(config):
        return worker_slice.wish_of_config(WorkerSliceConfig.parse(config))
    seen = caches.slice(name)
    if seen is None or objects.is_deleting(seen) or caches.is_known(name) or config is not None:
        return None
    return worker_slice.wish_of_slice(Slice.parse(seen))


def claims(caches: Caches) -> list[Claim]:
    """Return the claims of all slices for namespaces; a slice that is leaving holds its own until it is gone."""
    slices = {objects.name(obj): obj for obj in caches.own.slices.items()}
    wanted = {str(objects.spec(obj).get("sliceName")) for obj in caches.configs()}
    found = [_claim(name, slices.get(name), caches) for name in sorted(slices.keys() | wanted)]
    return [claim for claim in found if claim is not None]


def granted(wish: Wish, seen: Slice | None, caches: Caches) -> Granted:
    """Return which of its namespaces a slice gets beside all others of this cluster."""
    return onboarding.grant(_claim_of(wish, seen, caches), claims(caches), caches.owners())


def asking_for(namespace: str, caches: Caches) -> str:
    """Return a slice that the hub wants here and that asks for a namespace, or nothing."""
    for config in caches.configs():
        name = str(objects.spec(config).get("sliceName"))
        try:
            wish = of(name, caches)
        except Terminal:
            continue
        if wish is not None and namespace in wish.namespaces:
            return name
    return ""


def _claim(name: str, seen: Object | None, caches: Caches) -> Claim | None:
    try:
        wish = of(name, caches)
        if wish is not None:
            return _claim_of(wish, Slice.parse(seen) if seen else None, caches)
    except Terminal:
        # An object nobody can read claims nothing; its own reconcile says what is wrong with it.
        return None
    return replace(_held(name, seen), project=_project(name, caches)) if seen else None


def _claim_of(wish: Wish, seen: Slice | None, caches: Caches) -> Claim:
    return replace(worker_slice.claim(wish, seen), project=_project(wish.name, caches))


def _project(name: str, caches: Caches) -> str:
    membership = caches.membership_of(name)
    return membership.member.project if membership else ""


def _held(name: str, seen: Object) -> Claim:
    namespaces = frozenset(objects.spec(seen).get("namespaces") or [])
    return Claim(name, str(seen["metadata"].get("creationTimestamp") or ""), namespaces, namespaces)
