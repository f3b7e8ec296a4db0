"""What the hub's API server is told about the hub's kinds, and about deletions of the namespaces that the hub made."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names, resources
from kubeslice.model.cluster import Cluster
from kubeslice.model.project import Project
from kubeslice.model.serviceexportconfig import ServiceExportConfig
from kubeslice.model.sliceconfig import SliceConfig, SliceConfigSpec
from kubeslice.model.sliceqosconfig import SliceQoSConfig
from kubeslice.model.sliceresourcequota import SliceResourceQuota
from kubeslice.plan.admission import ALLOWED, Review, Verdict
from kubeslice.plan.checks import effective, obstacles, validation
from kubeslice.plan.hub import defaultslice, quotas
from kubeslice.plan.problems import Problem
from kubeslice.plan.services import exports
from kubeslice.plan.services.exports import Export, SliceMembers
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.webhook.holdings import Holdings

OF_TENANTS = frozenset(
    resource.plural
    for resource in (
        resources.CLUSTERS,
        resources.SLICECONFIGS,
        resources.SLICEQOSCONFIGS,
        resources.SLICERESOURCEQUOTAS,
    )
)


class HubCheck:
    """Checks by `plan.checks.validation` with what informers hold; writes nothing."""

    def __init__(self, api: Api) -> None:
        self._held = Holdings(api)

    @property
    def is_synced(self) -> bool:
        """Tell whether everything that is compared with is known."""
        return self._held.is_synced

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        await self._held.run()

    async def mutate(self, _review: Review) -> Verdict:
        """Change nothing: the hub's objects are the users' own."""
        return ALLOWED

    async def validate(self, review: Review) -> Verdict:
        """Check one request. Raises `Terminal` when the object cannot be read."""
        if not self.is_synced:
            return Verdict(warnings=["the webhook is starting: the object was not checked"])
        if review.operation == "DELETE":
            return _verdict(list(self._obstacles(review)))
        return await self._written(review)

    async def _written(self, review: Review) -> Verdict:
        if review.operation == "UPDATE" and review.object.get("spec") == review.old.get("spec"):
            return ALLOWED  # labels, finalizers: nothing of ours, and never a reason to hold an object
        misplaced = await self._misplaced(review)
        if misplaced:
            return _verdict(misplaced)
        checks: dict[str, Callable[[Review], Verdict]] = {
            resources.PROJECTS.plural: self._project,
            resources.SLICECONFIGS.plural: self._slice,
            resources.SLICEQOSCONFIGS.plural: self._profile,
            resources.SLICERESOURCEQUOTAS.plural: self._quota,
        }
        if review.plural == resources.SERVICEEXPORTCONFIGS.plural:
            return await self._export(review)
        if review.plural == resources.CLUSTERS.plural:
            return await self._cluster(review)
        check = checks.get(review.plural)
        return check(review) if check else ALLOWED

    async def _misplaced(self, review: Review) -> list[Problem]:
        if review.plural == resources.PROJECTS.plural:
            return list(validation.project_home(review.namespace))
        if review.plural in OF_TENANTS:
            return validation.home(review.namespace, await self._held.labels(review.namespace))
        return []

    def _project(self, review: Review) -> Verdict:
        project = Project.parse(review.object)
        taken = dict(chain(self._held.homes_of_projects(review.name), self._held.homes_of_clusters()))
        problems = validation.project(project.spec, review.name, taken)
        return _verdict(problems, effective.project_not_effective(project.spec, review.name))

    async def _cluster(self, review: Review) -> Verdict:
        cluster = Cluster.parse(review.object)
        project = names.project_of(review.namespace)
        others = self._held.homes_of_clusters((review.namespace, review.name))
        taken = {**await self._strangers(Member(project, review.name), review.old), **dict(others)}
        taken |= dict(self._held.homes_of_projects())
        problems = validation.cluster(cluster.spec, review.name, project, taken)
        return _verdict(problems, effective.cluster_not_effective(cluster.spec))

    async def _strangers(self, member: Member, old: Object) -> dict[str, str]:
        """Return the namespace that a cluster would get, when somebody made it for something else."""
        labels = await self._held.labels_if_any(member.namespace)
        was_given = objects.status(old).get("clusterNamespace") == member.namespace
        owner = tenancy.other_owner(labels, tenancy.cluster_labels(member), was_given=was_given)
        return {member.namespace: owner} if owner else {}

    def _slice(self, review: Review) -> Verdict:
        spec, home = SliceConfig.parse(review.object).spec, review.namespace
        project = names.project_of(home)
        others = {
            name: other.spec
            for name, other in self._held.slices.of(home).items()
            if name != review.name and defaultslice.are_rivals(project, name, review.name)
        }
        clusters = self._held.clusters.of(home)
        problems = validation.slice_config(spec, review.name, others, clusters, self._held.profiles(home))
        if review.operation == "UPDATE":
            problems += validation.slice_config_change(SliceConfig.parse(review.old).spec, spec)
        idle = [*map(str, effective.impossible(spec)), *effective.not_effective(spec)]
        return _verdict(problems, [*validation.awaited(spec, clusters), *idle])

    def _profile(self, review: Review) -> Verdict:
        return _verdict(validation.qos_profile(SliceQoSConfig.parse(review.object).spec))

    def _quota(self, review: Review) -> Verdict:
        found = self._held.slices.of(review.namespace).get(review.name)
        if found is None:
            return Verdict(warnings=[f"there is no slice {review.name} in this project yet: nothing is limited"])
        limits, ceiling = SliceResourceQuota.parse(review.object).spec, self._held.ceiling(review.namespace, found.spec)
        problems = validation.slice_resource_quota(limits, review.name, quotas.members_of(found.spec), ceiling)
        return _verdict(problems, effective.quota_not_effective(limits))

    async def _export(self, review: Review) -> Verdict:
        labels = await self._held.labels(review.namespace)
        owner, project = labels.get(names.CLUSTER_LABEL), labels.get(names.PROJECT_LABEL, "")
        if not owner:
            return ALLOWED
        claimed = ServiceExportConfig.parse(review.object).spec
        found = self._held.slices.of(names.project_namespace(project)).get(claimed.slice_name)
        clusters = dict.fromkeys(found.spec.clusters if found else ())
        members = SliceMembers(claimed.slice_name, exists=found is not None, clusters=clusters)
        reason, sentence = exports.problem(Export(owner, review.name, claimed.wire()), members)
        if reason in exports.PASSING:
            return Verdict(warnings=[sentence])
        return Verdict(problems=[sentence] if reason else [])

    def _obstacles(self, review: Review) -> Iterator[Problem]:
        """Yield why an object cannot be deleted now."""
        if review.plural == resources.PROJECTS.plural:
            yield from obstacles.project(review.name, self._slices_of(review.name))
            return
        if review.plural == resources.NAMESPACES.plural:
            yield from self._owner(review)
            return
        project = names.project_of(review.namespace)
        if self._held.is_leaving(project):
            return
        match review.plural:
            case resources.CLUSTERS.plural:
                yield from obstacles.cluster(
                    review.name, self._slices_with(review, lambda spec: review.name in spec.clusters)
                )
            case resources.SLICEQOSCONFIGS.plural:
                users = self._slices_with(review, lambda spec: spec.standard_qos_profile_name == review.name)
                yield from obstacles.qos_profile(review.name, users)
            case resources.SLICECONFIGS.plural if not defaultslice.is_default(project, review.name):
                spec = SliceConfig.parse(review.old).spec
                yield from obstacles.slice_config(review.name, spec, self._held.exports_on(project, review.name))
            case resources.VPNKEYROTATIONS.plural:
                yield from obstacles.vpn_key_rotation(review.name, has_slice=self._is_living(review))
            case resources.SLICEIPAMS.plural:
                yield from obstacles.slice_ipam(review.name, has_slice=self._is_living(review))

    def _owner(self, review: Review) -> Iterator[Problem]:
        labels = objects.labels(review.old)
        project, cluster = (str(labels.get(key) or "") for key in (names.PROJECT_LABEL, names.CLUSTER_LABEL))
        has_owner = self._held.has_owner(review.name, project, cluster)
        yield from obstacles.namespace(review.name, project, cluster, has_owner=has_owner)

    def _is_living(self, review: Review) -> bool:
        """Tell whether the slice is there to stay whose name the object has."""
        found = self._held.slices.of(review.namespace).get(review.name)
        return found is not None and not found.metadata.deletion_timestamp

    def _slices_of(self, project: str) -> list[str]:
        found = self._held.slices.of(names.project_namespace(project))
        return sorted(name for name in found if not defaultslice.is_default(project, name))

    def _slices_with(self, review: Review, uses: Callable[[SliceConfigSpec], bool]) -> list[str]:
        project = names.project_of(review.namespace)
        return sorted(
            name
            for name, found in self._held.slices.of(review.namespace).items()
            if uses(found.spec) and not defaultslice.is_default(project, name)
        )


def _verdict(problems: Sequence[Problem], warnings: Sequence[str] = ()) -> Verdict:
    return Verdict(problems=[str(problem) for problem in problems], warnings=warnings)
