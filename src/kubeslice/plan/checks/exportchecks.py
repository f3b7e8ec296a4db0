"""What can be wrong with a ServiceExport.

Called through `plan.checks.validation` by the worker's webhook and operator.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from kubeslice.model.names import service_export_config
from kubeslice.model.serviceexport import ServiceExportSpec
from kubeslice.model.serviceports import ServicePort
from kubeslice.plan.problems import Problem, duplicates, is_dns_name, name_problems

# What time or somebody else may still mend: a slice and its export are often applied together, in either order.
PASSING = frozenset({"UnknownSlice", "NamespaceNotOnboarded"})
PROTOCOLS = frozenset({"", "TCP", "UDP", "SCTP"})


@dataclass(frozen=True, slots=True)
class Exported:
    """A ServiceExport of this cluster."""

    namespace: str
    name: str
    spec: ServiceExportSpec


def service_export(
    export: Exported,
    namespace_slice: str,
    slices: Collection[str],
    others: Iterable[Exported] = (),
    bare: Collection[str] = (),
) -> list[Problem]:
    """Return what is wrong with an export.

    `namespace_slice` is the slice that the export's namespace is in, empty when in none; `slices` are the slices of
    this cluster, `bare` those of them without a network; `others` are this cluster's other exports that come before it.
    """
    earlier = list(others)
    return [
        *name_problems("metadata.name", export.name, "service"),
        # A namespace of the default slice, for one, may be on its way to the slice of the export.
        *_slice(export, "" if namespace_slice in bare else namespace_slice, slices, bare),
        *_ports(export.spec.ports),
        *_aliases(export, earlier),
        *_hub_names(export, earlier),
    ]


def _slice(export: Exported, namespace_slice: str, slices: Collection[str], bare: Collection[str]) -> Iterator[Problem]:
    wanted, namespace = export.spec.slice, export.namespace
    add = f"add {namespace} to its applicationNamespaces"
    if wanted not in slices:
        known = ", ".join(sorted(slices)) or "none"
        yield Problem(
            "spec.slice",
            f"there is no slice {wanted} in this cluster: name another, or make the cluster a member (known: {known})",
            reason="UnknownSlice",
        )
    elif wanted in bare:
        yield Problem(
            "spec.slice",
            f"slice {wanted} has no network, on which other clusters could reach the service: name a slice with one",
            reason="SliceWithoutNetwork",
        )
    elif not namespace_slice:
        yield Problem(
            "spec.slice",
            f"namespace {namespace} is in no slice: in the SliceConfig of {wanted}, {add}",
            reason="NamespaceNotOnboarded",
        )
    elif namespace_slice != wanted:
        yield Problem(
            "spec.slice",
            f"namespace {namespace} is in slice {namespace_slice}, not in {wanted}: write slice: {namespace_slice}",
            reason="NamespaceInOtherSlice",
        )


def _ports(ports: Iterable[ServicePort]) -> Iterator[Problem]:
    listed = list(ports)
    if not listed:
        yield Problem("spec.ports", "no port is listed: write at least one containerPort", reason="NoPort")
    for name in duplicates(port.name for port in listed if port.name):
        yield Problem("spec.ports", f"two ports are called {name}: give each its own name", reason="DuplicatePort")
    for number in duplicates(f"{port.protocol or 'TCP'} {port.container_port}" for port in listed):
        yield Problem("spec.ports", f"{number} is there twice: list it once", reason="DuplicatePort")
    for port in listed:
        if port.protocol.upper() not in PROTOCOLS:
            yield Problem("spec.ports", f"{port.protocol} is no protocol: write TCP, UDP or SCTP", reason="InvalidPort")


def _aliases(export: Exported, others: Iterable[Exported]) -> Iterator[Problem]:
    field = "spec.aliases"
    own = [alias.lower() for alias in export.spec.aliases]
    for alias in dict.fromkeys(own):
        if not is_dns_name(alias):
            yield Problem(
                field, f"{alias!r} is not a DNS name: write one such as db.example.com", reason="InvalidAlias"
            )
    for alias in duplicates(own):
        yield Problem(field, f"{alias} is there twice: write it once", reason="DuplicateAlias")
    for other in others:
        if (other.namespace, other.name) == (export.namespace, export.name) or other.spec.slice != export.spec.slice:
            continue
        for alias in sorted(set(own) & {alias.lower() for alias in other.spec.aliases}):
            yield Problem(
                field,
                f"{alias} is an alias of {other.namespace}/{other.name} already: choose another, or take it out there",
                reason="AliasClaimed",
            )


def _hub_names(export: Exported, others: Iterable[Exported]) -> Iterator[Problem]:
    """Find exports whose objects on the hub would have one name: `a` in `b-c` against `a-b` in `c`."""
    own = service_export_config(export.name, export.namespace, "")
    for other in others:
        same = (other.namespace, other.name) == (export.namespace, export.name)
        if not same and service_export_config(other.name, other.namespace, "") == own:
            yield Problem(
                "metadata.name",
                f"on the hub it would have the same name as {other.namespace}/{other.name}: choose another name",
                reason="NameConflict",
            )
