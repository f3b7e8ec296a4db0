"""What can be wrong with a Project or a Cluster. Called through `plan.checks.validation`."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from kubeslice.model import names
from kubeslice.model.cluster import ClusterSpec
from kubeslice.model.project import ProjectIdentities, ProjectSpec
from kubeslice.plan.problems import Problem, duplicates, is_label, name_problems

RESERVED = {
    names.HUB_NAMESPACE: "the hub itself",
    names.WORKER_NAMESPACE: "the worker operator",
}


def project(spec: ProjectSpec, name: str, taken: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with a project.

    `taken` maps the namespaces that other projects and their clusters have on the hub to words that say whose they
    are ("cluster b of project a"): `kubeslice-a-b` can be that cluster's or project a-b's.
    """
    accounts = spec.service_account
    users = [*accounts.read_only, *accounts.read_write] if accounts else []
    return [
        *name_problems("metadata.name", name, "project", names.MAX_PROJECT_LENGTH),
        *_namespace(names.project_namespace(name), taken),
        *_users(users),
        *_identities("spec.users", spec.users or ProjectIdentities()),
        *_identities("spec.groups", spec.groups or ProjectIdentities()),
    ]


def cluster(spec: ClusterSpec, name: str, project_name: str, taken: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with a cluster of a project; `taken` as in `project`."""
    return [
        *name_problems("metadata.name", name, "cluster", names.MAX_CLUSTER_LENGTH),
        *_namespace(names.cluster_namespace(project_name, name), taken),
        *_addresses(spec),
        *_location(spec),
    ]


def _namespace(namespace: str, taken: Mapping[str, str]) -> Iterator[Problem]:
    owner = {**taken, **RESERVED}.get(namespace)
    if owner:
        yield Problem(
            "metadata.name",
            f"it would get the namespace {namespace}, which belongs to {owner}: choose another name",
            reason="NameConflict",
        )


def _users(users: list[str]) -> Iterator[Problem]:
    field = "spec.serviceAccount"
    for user in dict.fromkeys(users):
        if not is_label(user):
            yield Problem(
                field, f"{user!r} is not a DNS label: use lower-case letters, digits and '-'", reason="InvalidName"
            )
    for user in duplicates(users):
        yield Problem(field, f"{user} is there twice: let one user either read or write", reason="DuplicateUser")


def _identities(field: str, listed: ProjectIdentities) -> Iterator[Problem]:
    given = [*listed.read_only, *listed.read_write]
    for name in dict.fromkeys(given):
        if not name.strip() or name.startswith("system:"):
            yield Problem(
                field,
                f"{name!r} is no user or group of an identity provider, and could stand for everybody: write a name "
                "such as ann@example.com; for service accounts use spec.serviceAccount",
                reason="InvalidName",
            )
    for name in duplicates(given):
        yield Problem(field, f"{name} is there twice: let one either read or write", reason="DuplicateUser")


def _addresses(spec: ClusterSpec) -> Iterator[Problem]:
    listed = [("spec.nodeIPs", address) for address in spec.node_ips]
    for field, address in [("spec.nodeIP", spec.node_ip), *listed] if spec.node_ip else listed:
        if not _is_address(address):
            yield Problem(
                field, f"{address!r} is not an IP address: write one such as 192.0.2.7", reason="InvalidAddress"
            )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _location(spec: ClusterSpec) -> Iterator[Problem]:
    place = spec.cluster_property.geo_location if spec.cluster_property else None
    if place:
        yield from _degrees("latitude", place.latitude, 90)
        yield from _degrees("longitude", place.longitude, 180)


def _degrees(field: str, text: str, limit: int) -> Iterator[Problem]:
    if text and not _is_within(text, limit):
        yield Problem(
            f"spec.clusterProperty.geoLocation.{field}",
            f"{text!r} is not a number from -{limit} to {limit}: write degrees such as 48.2",
            reason="InvalidLocation",
        )


def _is_within(text: str, limit: int) -> bool:
    try:
        return -limit <= float(text) <= limit
    except ValueError:
        return False
