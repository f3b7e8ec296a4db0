"""The columns of nodes, namespaces, configuration, access, events and definitions."""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.tables.column import AGE, CREATED, NAME, Column, count, path, since, wide

_ROLE = "node-role.kubernetes.io/"


def _node_status(node: Object) -> str:
    ready = [one for one in node.get("status", {}).get("conditions") or [] if one.get("type") == "Ready"]
    words = ["Ready" if ready[0].get("status") == "True" else "NotReady"] if ready else ["Unknown"]
    if node.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(node: Object) -> str:
    labels = node["metadata"].get("labels") or {}
    roles = {name.removeprefix(_ROLE) for name in labels if name.startswith(_ROLE)}
    roles |= {value for name, value in labels.items() if name == "kubernetes.io/role" and value}
    return ",".join(sorted(roles)) or "<none>"


def _node_info(field: str) -> Column:
    heads = {
        "kubeletVersion": "Version",
        "osImage": "OS-Image",
        "kernelVersion": "Kernel-Version",
        "containerRuntimeVersion": "Container-Runtime",
    }
    priority = 0 if field == "kubeletVersion" else 1
    cell = path("status", "nodeInfo", field, absent="" if priority == 0 else "<unknown>")
    return Column(heads[field], cell, priority=priority)


def _node_address(kind: str) -> Column:
    def cell(node: Object) -> str:
        addresses = node.get("status", {}).get("addresses") or []
        return next((str(one["address"]) for one in addresses if one.get("type") == kind), "<none>")

    return wide({"InternalIP": "Internal-IP", "ExternalIP": "External-IP"}[kind], cell)


def _data(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _last_seen(event: Object) -> str:
    series = event.get("series") or {}
    moment = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return since(moment or event.get("firstTimestamp") or event["metadata"].get("creationTimestamp"))


def _involved(event: Object) -> str:
    target = event.get("involvedObject") or {}
    return f"{target.get('kind', '').lower()}/{target.get('name', '')}"


def _source(event: Object) -> str:
    source = event.get("source") or {}
    parts = (source.get("component") or event.get("reportingComponent"), source.get("host"))
    return ", ".join(part for part in parts if part)


def _message(event: Object) -> str:
    return str(event.get("message", "")).strip()


def _role_ref(binding: Object) -> str:
    reference = binding.get("roleRef") or {}
    return f"{reference.get('kind', '')}/{reference.get('name', '')}"


def _subjects(kind: str) -> Column:
    def cell(binding: Object) -> str:
        subjects = [one for one in binding.get("subjects") or [] if one.get("kind") == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{one.get('namespace', '')}/{one['name']}" for one in subjects)
        return ", ".join(str(one["name"]) for one in subjects)

    return wide({"User": "Users", "Group": "Groups", "ServiceAccount": "ServiceAccounts"}[kind], cell)


def _budget(field: str) -> Column:
    head = {"minAvailable": "Min Available", "maxUnavailable": "Max Unavailable"}[field]
    return Column(head, lambda obj: str(obj.get("spec", {}).get(field, "N/A")))


NODES = (
    NAME,
    Column("Status", _node_status),
    Column("Roles", _node_roles),
    AGE,
    _node_info("kubeletVersion"),
    _node_address("InternalIP"),
    _node_address("ExternalIP"),
    _node_info("osImage"),
    _node_info("kernelVersion"),
    _node_info("containerRuntimeVersion"),
)
NAMESPACES = (NAME, Column("Status", path("status", "phase")), AGE)
CONFIG_MAPS = (NAME, Column("Data", _data), AGE)
SECRETS = (NAME, Column("Type", path("type")), Column("Data", _data), AGE)
SERVICE_ACCOUNTS = (NAME, Column("Secrets", count("secrets")), AGE)
EVENTS = (
    Column("Last Seen", _last_seen),
    Column("Type", path("type")),
    Column("Reason", path("reason")),
    Column("Object", _involved),
    wide("Subobject", path("involvedObject", "fieldPath")),
    wide("Source", _source),
    Column("Message", _message),
    wide("First Seen", lambda event: since(event.get("firstTimestamp") or event.get("eventTime"))),
    wide("Count", path("count", absent=1)),
    wide("Name", path("metadata", "name")),
)
LEASES = (NAME, Column("Holder", path("spec", "holderIdentity")), AGE)
ROLES = (NAME, CREATED)
ROLE_BINDINGS = (
    NAME,
    Column("Role", _role_ref),
    AGE,
    _subjects("User"),
    _subjects("Group"),
    _subjects("ServiceAccount"),
)
WEBHOOKS = (NAME, Column("Webhooks", count("webhooks"), "integer"), AGE)
DISRUPTION_BUDGETS = (
    NAME,
    _budget("minAvailable"),
    _budget("maxUnavailable"),
    Column("Allowed Disruptions", path("status", "disruptionsAllowed", absent=0), "integer"),
    AGE,
)
PRIORITY_CLASSES = (
    NAME,
    Column("Value", path("value", absent=0), "integer"),
    Column("Global-Default", path("globalDefault", absent=False), "boolean"),
    AGE,
    Column("PreemptionPolicy", path("preemptionPolicy")),
)
DEFINITIONS = (NAME, CREATED)
