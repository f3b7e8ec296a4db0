"""What the hub's API server is told about Projects, Clusters, SliceConfigs, QoS profiles and exports."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names, resources
from kubeslice.model.cluster import Cluster
from kubeslice.model.project import Project
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.model.sliceqosconfig import SliceQoSConfig
from kubeslice.plan import effective, validation
from kubeslice.plan.admission import ALLOWED, Review, Verdict
from kubeslice.plan.problems import Problem


class HubCheck:
    """Checks by `plan.validation` with what informers hold; never asks or writes while somebody waits."""

    def __init__(self, api: Api) -> None:
        self._projects = Informer(api, resources.PROJECTS, names.HUB_NAMESPACE)
        self._clusters = Informer(api, resources.CLUSTERS)
        self._slices = Informer(api, resources.SLICECONFIGS)
        self._profiles = Informer(api, resources.SLICEQOSCONFIGS)
        self._exports = Informer(api, resources.SERVICEEXPORTCONFIGS)
        self._namespaces = Informer(api, resources.NAMESPACES, labels=names.PROJECT_LABEL)

    @property
    def is_synced(self) -> bool:
        """Tell whether every informer has listed once."""
        return all(informer.synced.is_set() for informer in self._informers)

    @property
    def _informers(self) -> Sequence[Informer]:
        return self._projects, self._clusters, self._slices, self._profiles, self._exports, self._namespaces

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")

    async def mutate(self, _review: Review) -> Verdict:
        """Change nothing: the hub's objects are the users' own."""
        return ALLOWED

    async def validate(self, review: Review) -> Verdict:
        """Check one request. Raises `Terminal` when the object cannot be read."""
        if not self.is_synced:
            return Verdict(warnings=["the webhook is starting: the object was not checked"])
        if review.operation == "DELETE":
            return Verdict(problems=list(self._obstacles(review)))
        if review.operation == "UPDATE" and review.object.get("spec") == review.old.get("spec"):
            return ALLOWED  # labels, finalizers: nothing of ours, and never a reason to hold an object
        checks = {
            resources.PROJECTS.plural: self._project,
            resources.CLUSTERS.plural: self._cluster,
            resources.SLICECONFIGS.plural: self._slice,
            resources.SLICEQOSCONFIGS.plural: self._profile,
            resources.SERVICEEXPORTCONFIGS.plural: self._export,
        }
        check = checks.get(review.plural)
        return check(review) if check else ALLOWED

    def _project(self, review: Review) -> Verdict:
        project = Project.parse(review.object)
        taken = dict(chain(self._homes_of_projects(review.name), self._homes_of_clusters()))
        problems = validation.project(project.spec, review.name, taken)
        return _verdict(problems, effective.project_not_effective(project.spec))

    def _cluster(self, review: Review) -> Verdict:
        cluster = Cluster.parse(review.object)
        project = names.project_of(review.namespace)
        taken = dict(chain(self._homes_of_projects(), self._homes_of_clusters((review.namespace, review.name))))
        problems = validation.cluster(cluster.spec, review.name, project, taken)
        return _verdict(problems, effective.cluster_not_effective(cluster.spec))

    def _slice(self, review: Review) -> Verdict:
        spec = SliceConfig.parse(review.object).spec
        others = {
            objects.name(other): SliceConfig.parse(other).spec
            for other in self._slices.items(review.namespace)
            if objects.name(other) != review.name
        }
        clusters = {objects.name(obj): Cluster.parse(obj) for obj in self._clusters.items(review.namespace)}
        profiles = [objects.name(obj) for obj in self._profiles.items(review.namespace)]
        problems = validation.slice_config(spec, review.name, others, clusters, profiles)
        if review.operation == "UPDATE":
            problems += validation.slice_config_change(SliceConfig.parse(review.old).spec, spec)
        idle = [*map(str, effective.impossible(spec)), *effective.not_effective(spec)]
        return _verdict(problems, idle)

    def _profile(self, review: Review) -> Verdict:
        return _verdict(validation.qos_profile(SliceQoSConfig.parse(review.object).spec))

    def _export(self, review: Review) -> Verdict:
        home = self._namespaces.get(review.namespace)
        owner = objects.labels(home).get(names.CLUSTER_LABEL) if home else None
        source = objects.spec(review.object).get("sourceCluster")
        if owner and source != owner:
            return Verdict(problems=[f"spec.sourceCluster: {source} is not {owner}, whose namespace this is"])
        return ALLOWED

    def _obstacles(self, review: Review) -> Iterator[str]:
        """Yield why an object cannot be deleted now."""
        if review.plural == resources.PROJECTS.plural:
            yield from _still_used(f"project {review.name} still has slices", self._slices_of(review.name))
        elif review.plural == resources.CLUSTERS.plural:
            users = self._slices_with(review.namespace, lambda spec: review.name in (spec.get("clusters") or []))
            yield from _still_used(f"cluster {review.name} is still in spec.clusters of slices", users)
        elif review.plural == resources.SLICEQOSCONFIGS.plural:
            users = self._slices_with(review.namespace, lambda spec: spec.get("standardQosProfileName") == review.name)
            yield from _still_used(f"profile {review.name} is still named by slices", users)

    def _slices_of(self, project: str) -> list[str]:
        return [objects.name(obj) for obj in self._slices.items(names.project_namespace(project))]

    def _slices_with(self, namespace: str, uses: Callable[[Object], bool]) -> list[str]:
        return [objects.name(obj) for obj in self._slices.items(namespace) if uses(objects.spec(obj))]

    def _homes_of_projects(self, but: str = "") -> Iterator[tuple[str, str]]:
        for name in map(objects.name, self._projects.items()):
            if name != but:
                yield names.project_namespace(name), f"project {name}"

    def _homes_of_clusters(self, but: tuple[str, str] = ("", "")) -> Iterator[tuple[str, str]]:
        for obj in self._clusters.items():
            namespace, name = objects.namespace(obj), objects.name(obj)
            if (namespace, name) != but:
                project = names.project_of(namespace)
                yield names.cluster_namespace(project, name), f"cluster {name} of project {project}"


def _still_used(sentence: str, users: Sequence[str]) -> Iterator[str]:
    if users:
        yield f"{sentence} {', '.join(users)}: change or delete those first"


def _verdict(problems: Sequence[Problem], warnings: Sequence[str] = ()) -> Verdict:
    return Verdict(problems=[str(problem) for problem in problems], warnings=warnings)
