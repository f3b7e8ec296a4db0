"""What a worker's API server is told about new pods of a slice's namespaces and about ServiceExports."""

import asyncio
from collections.abc import Sequence

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import NotFound
from kubeslice.kube.informer import Informer
from kubeslice.model import names, resources
from kubeslice.model.serviceexport import ServiceExport
from kubeslice.model.slice import Slice, SliceSpec
from kubeslice.plan import admission
from kubeslice.plan.admission import ALLOWED, Review, Verdict
from kubeslice.plan.checks import effective, validation
from kubeslice.plan.checks.validation import Exported, Problem
from kubeslice.plan.cluster import localnames, onboarding, worker_quotas


class WorkerCheck:
    """Prepares pods with `image` and checks exports, with what informers hold."""

    def __init__(self, api: Api, image: str) -> None:
        self._api = api
        self._image = image
        self._namespaces = Informer(api, resources.NAMESPACES, labels=names.SLICE_LABEL)
        self._slices = Informer(api, resources.SLICES, names.WORKER_NAMESPACE)
        self._exports = Informer(api, resources.SERVICEEXPORTS)

    @property
    def is_synced(self) -> bool:
        """Tell whether every informer has listed once."""
        return all(informer.synced.is_set() for informer in self._informers)

    @property
    def _informers(self) -> Sequence[Informer]:
        return self._namespaces, self._slices, self._exports

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")

    async def mutate(self, review: Review) -> Verdict:
        """Make a new pod wait for its slice interface."""
        if review.plural != resources.PODS.plural or review.operation != "CREATE":
            return ALLOWED
        slice_name = await self._slice_of(review.namespace)
        if not slice_name:
            return Verdict(warnings=[f"namespace {review.namespace} is in no slice: the pod gets no slice interface"])
        return Verdict(patch=admission.pod_patch(review.object, slice_name, self._image))

    async def validate(self, review: Review) -> Verdict:
        """Check a ServiceExport. Raises `Terminal` when it cannot be read."""
        if review.plural != resources.SERVICEEXPORTS.plural:
            return ALLOWED
        if review.operation == "UPDATE" and review.object.get("spec") == review.old.get("spec"):
            return ALLOWED
        export = ServiceExport.parse(review.object)
        others = [
            Exported(objects.namespace(other), objects.name(other), ServiceExport.parse(other).spec)
            for other in self._exports.items()
            if (objects.namespace(other), objects.name(other)) != (review.namespace, review.name)
        ]
        name = await self._slice_of(review.namespace)
        fellows = self._fellows(name)
        problems = validation.service_export(
            Exported(review.namespace, review.name, export.spec),
            next((localnames.title(obj) for obj in fellows if objects.name(obj) == name), name),
            [localnames.title(obj) for obj in fellows],
            others,
            onboarding.without_network(fellows),
        )
        if objects.spec(review.old).get("slice") != export.spec.slice:
            problems += self._quota(review, export.spec.slice)
        idle = effective.export_not_effective(export.spec)
        passing = [str(problem) for problem in problems if problem.reason in validation.PASSING]
        lasting = [str(problem) for problem in problems if problem.reason not in validation.PASSING]
        return Verdict(problems=lasting, warnings=[*idle, *passing])

    def _fellows(self, slice_name: str) -> list[Object]:
        """Return the Slices of the same project as one of them, or all."""
        seen = self._slices.get(slice_name, names.WORKER_NAMESPACE)
        project = objects.labels(seen).get(names.PROJECT_LABEL) if seen else None
        found = self._slices.items()
        return [obj for obj in found if seen is None or objects.labels(obj).get(names.PROJECT_LABEL) == project]

    def _quota(self, review: Review, slice_name: str) -> list[Problem]:
        """Return why a slice may not have one more export."""
        here = onboarding.slice_of(review.namespace, self._slices.items())
        found = self._slices.get(here, names.WORKER_NAMESPACE)
        spec = Slice.parse(found).spec if found else SliceSpec()
        key = review.namespace, review.name
        others = [obj for obj in self._exports.items() if (objects.namespace(obj), objects.name(obj)) != key]
        exports = worker_quotas.exports_of(slice_name, spec.namespaces, others)
        return validation.export_quota(slice_name, spec.resource_quota, key, exports)

    async def _slice_of(self, namespace: str) -> str:
        """Return the slice of a namespace; one that was onboarded this very moment may not be in the cache yet."""
        found = self._namespaces.get(namespace)
        if found is None:
            try:
                found = await self._api.get(resources.NAMESPACES, namespace)
            except NotFound:
                return ""
        return objects.labels(found).get(names.SLICE_LABEL, "")
