"""In which namespaces of the hub objects of tenants may be. Called through `plan.checks.validation`."""

from collections.abc import Iterator, Mapping

from kubeslice.model import names
from kubeslice.plan.problems import Problem


def project_home(namespace: str) -> Iterator[Problem]:
    """Yield what is wrong with the namespace of a Project."""
    if namespace != names.HUB_NAMESPACE:
        yield Problem(
            "metadata.namespace",
            f"nobody looks for a Project in {namespace}: write {names.HUB_NAMESPACE}",
            reason="WrongNamespace",
        )


def home(namespace: str, labels: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with the namespace of a Cluster, SliceConfig or SliceQoSConfig, from its labels."""
    return list(_home(namespace, labels))


def _home(namespace: str, found: Mapping[str, str]) -> Iterator[Problem]:
    if names.CLUSTER_LABEL in found:
        project = found.get(names.PROJECT_LABEL, "")
        yield Problem(
            "metadata.namespace",
            f"{namespace} belongs to cluster {found[names.CLUSTER_LABEL]} alone: write "
            f"{names.project_namespace(project)}, the namespace of its project",
            reason="NoProject",
        )
    elif names.PROJECT_LABEL not in found:
        yield Problem(
            "metadata.namespace",
            f"{namespace} is not the namespace of a project: create a Project first, and write "
            f"{names.project_namespace('<its name>')}",
            reason="NoProject",
        )
