"""Who may do what on the hub: the namespaces, accounts and roles of a project and of each of its clusters.

Called by the hub's project and cluster reconcilers. A worker's credential opens its cluster's own namespace and, in
the project namespace, its own Cluster object; of Secrets it reads only those of its own namespace, the pre-shared keys
of its tunnels. People, by accounts of the project or as users and groups of the hub cluster's own identity provider,
get the project namespace and, for reading, the namespaces of its clusters.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubeslice.model import names
from kubeslice.model.project import ProjectIdentities, ProjectServiceAccount, ProjectSpec
from kubeslice.model.resources import (
    CONTROLLER_GROUP,
    NAMESPACES,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    WORKER_GROUP,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
    Resource,
)

Object = dict[str, Any]
Wanted = tuple[Resource, Object]

READ_ONLY = "kubeslice-read-only"
READ_WRITE = "kubeslice-read-write"
READ = ["get", "list", "watch"]
WRITE = ["create", "update", "patch", "delete", "deletecollection"]
_USERS_KINDS = ["clusters", "sliceconfigs", "sliceqosconfigs"]
# What the hub makes for workers, and they report on.
MADE_FOR_WORKERS = (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS)
# What the hub says in the status of a Cluster of what it has given to it.
PROVIDED = ("clusterNamespace", "secretName", "credentialSeconds", "credentialRevision")
# What limits people is for administrators to write; the rest is the hub's and the workers' to keep.
_SEEN_KINDS = ["sliceresourcequotas", "sliceipams", "vpnkeyrotations", "serviceexportconfigs"]

# Whose a namespace is that has none of our labels.
STRANGER = "somebody else, who made it for another purpose"

# What a ServiceAccount token Secret must hold before a worker can use it; the token controller fills it in.
TOKEN_KEYS = frozenset({"token", "ca.crt"})


@dataclass(frozen=True)
class Member:
    """A cluster of a project."""

    project: str
    name: str

    @property
    def namespace(self) -> str:
        """Return the namespace on the hub that is this cluster's own."""
        return names.cluster_namespace(self.project, self.name)


def project_labels(project: str) -> dict[str, str]:
    """Return the labels of what the hub makes for a project."""
    return {names.MANAGED_BY_LABEL: names.HUB_MANAGER, names.PROJECT_LABEL: project}


def cluster_labels(member: Member) -> dict[str, str]:
    """Return the labels of what the hub makes for one cluster of a project."""
    return {**project_labels(member.project), names.CLUSTER_LABEL: member.name}


def project_objects(project: str, people: ProjectSpec) -> list[Wanted]:
    """Return the namespace, roles, accounts, tokens and bindings of a project."""
    namespace, labels = names.project_namespace(project), project_labels(project)
    wanted: list[Wanted] = [
        (NAMESPACES, _object(NAMESPACES, "", namespace, labels)),
        (ROLES, _role(namespace, READ_ONLY, labels, _reading())),
        (ROLES, _role(namespace, READ_WRITE, labels, _writing())),
    ]
    for account, role in _accounts(people):
        access = {names.ACCESS_TYPE_ANNOTATION: role.removeprefix("kubeslice-")}
        wanted += _account(namespace, account, labels, access)
        subject = _service_account(namespace, account)
        wanted.append((ROLEBINDINGS, _binding(namespace, account, labels, role, [subject])))
    for role in (READ_ONLY, READ_WRITE):
        subjects = [subject for subject, given in _identities(people) if given == role]
        if subjects:
            wanted.append((ROLEBINDINGS, _binding(namespace, role, labels, role, subjects)))
    return wanted


def head_count(people: ProjectSpec) -> tuple[int, int]:
    """Return how many accounts, users and groups may read a project, and how many may write."""
    given = [role for _, role in _accounts(people)] + [role for _, role in _identities(people)]
    return given.count(READ_ONLY), given.count(READ_WRITE)


def cluster_objects(
    member: Member, people: ProjectSpec, facts: Mapping[str, str] | None, revision: str = ""
) -> list[Wanted]:
    """Return the namespace, credential and roles of a cluster.

    `people` are those of its project; `facts` are the entries that its token Secret carries beside the token:
    controllerEndpoint and the like, None for no Secret. The account is marked with the `revision` it is made for.
    """
    home, labels = names.project_namespace(member.project), cluster_labels(member)
    account = names.worker_account(member.name)
    worker = [_service_account(home, account)]
    access = {names.ACCESS_TYPE_ANNOTATION: "cluster-read-write"}
    access |= {names.CREDENTIAL_REVISION_ANNOTATION: revision} if revision else {}
    credential = _account(home, account, labels, access, facts)
    wanted: list[Wanted] = [
        (NAMESPACES, _object(NAMESPACES, "", member.namespace, labels)),
        *(pair for pair in credential if facts is not None or pair[0] != SECRETS),
        (ROLES, _role(member.namespace, account, labels, worker_rules())),
        (ROLEBINDINGS, _binding(member.namespace, account, labels, account, worker)),
        (ROLES, _role(home, account, labels, own_cluster_rules(member.name))),
        (ROLEBINDINGS, _binding(home, account, labels, account, worker)),
        (ROLES, _role(member.namespace, READ_ONLY, labels, _reading())),
    ]
    given = [(_service_account(home, user), role) for user, role in _accounts(people)] + [*_identities(people)]
    if given:
        readers = [subject for subject, _ in given]
        wanted.append((ROLEBINDINGS, _binding(member.namespace, READ_ONLY, labels, READ_ONLY, readers)))
    writers = [subject for subject, role in given if role == READ_WRITE]
    if writers:
        invitation = names.invitation_role(member.name)
        wanted.append((ROLES, _role(home, invitation, labels, _inviting(account))))
        wanted.append((ROLEBINDINGS, _binding(home, invitation, labels, invitation, writers)))
    return wanted


def evicted_cluster_objects(member: Member, people: ProjectSpec) -> list[Wanted]:
    """Return what is left of a cluster that is shut out: its namespace, and who may look at it. No credential."""
    kept = cluster_objects(member, people, {})
    gone = {names.worker_account(member.name), names.invitation_role(member.name)}
    return [(resource, obj) for resource, obj in kept if obj["metadata"]["name"] not in gone]


def worker_rules() -> list[Object]:
    """Return what a worker may do in its cluster's own namespace."""
    kinds = [kind.plural for kind in MADE_FOR_WORKERS]
    return [
        # Patch on the kinds themselves is for finalizers, which live in metadata; `manifests.hubbounds` refuses any
        # other change. Events stay in the worker's own cluster.
        _rule(WORKER_GROUP, kinds, [*READ, "patch"]),
        _rule(WORKER_GROUP, [f"{kind}/status" for kind in kinds], ["patch"]),
        _rule(CONTROLLER_GROUP, ["serviceexportconfigs"], [*READ, "create", "patch", "delete"]),
        # The pre-shared keys of its own tunnels: nothing else secret is in this namespace.
        _rule("", ["secrets"], READ),
    ]


def own_cluster_rules(cluster: str) -> list[Object]:
    """Return what a worker may do in the project namespace: report on its own Cluster, renew its own credential."""
    account = names.worker_account(cluster)
    return [
        {**_rule(CONTROLLER_GROUP, ["clusters"], READ), "resourceNames": [cluster]},
        {**_rule(CONTROLLER_GROUP, ["clusters/status"], ["patch"]), "resourceNames": [cluster]},
        {**_rule("", ["serviceaccounts/token"], ["create"]), "resourceNames": [account]},
    ]


def other_owner(labels: Mapping[str, str] | None, expected: Mapping[str, str], *, was_given: bool = False) -> str:
    """Return whose a namespace with these labels is, when it is not of whom `expected` labels; else "".

    `labels` are None when there is no such namespace. Project `a` with cluster `b-c` and project `a-b` with cluster `c`
    want the same name; who comes second must not get the first one's.

    Tenants choose the names of clusters. A cluster gets no namespace that somebody made for something else, because its
    worker could read the Secrets there and it would go with the cluster. One that `was_given` to it lost its labels.
    """
    if labels is None:
        return ""
    if names.PROJECT_LABEL not in labels:
        return STRANGER if names.CLUSTER_LABEL in expected and not was_given else ""
    is_other = any(labels.get(label) != expected.get(label) for label in (names.PROJECT_LABEL, names.CLUSTER_LABEL))
    return _owner(labels) if is_other else ""


def has_token(secret: Mapping[str, Any] | None) -> bool:
    """Tell whether a token Secret can be handed to a worker."""
    return secret is not None and (secret.get("data") or {}).keys() >= TOKEN_KEYS


def default_qos(project: str) -> Object:
    """Return the QoS profile that every project starts with: a tenth guaranteed of a 10 Gbit/s ceiling."""
    return {
        "metadata": {
            "name": names.DEFAULT_QOS_PROFILE,
            "namespace": names.project_namespace(project),
            "labels": project_labels(project),
        },
        "spec": {
            "queueType": "HTB",
            "priority": 0,
            "tcType": "BANDWIDTH_CONTROL",
            "bandwidthCeilingKbps": 10_000_000,
            "bandwidthGuaranteedKbps": 1_000_000,
            "dscpClass": "AF11",
        },
    }


def _owner(labels: Mapping[str, str]) -> str:
    project, cluster = labels[names.PROJECT_LABEL], labels.get(names.CLUSTER_LABEL)
    return f"cluster {cluster} of project {project}" if cluster else f"project {project}"


def _accounts(people: ProjectSpec) -> list[tuple[str, str]]:
    """Return the accounts that the hub makes for people, with the role of each."""
    listed = people.service_account or ProjectServiceAccount()
    readonly = [(names.read_only_account(user), READ_ONLY) for user in sorted(set(listed.read_only))]
    readwrite = [(names.read_write_account(user), READ_WRITE) for user in sorted(set(listed.read_write))]
    return readonly + readwrite


def _identities(people: ProjectSpec) -> Iterator[tuple[Object, str]]:
    """Yield users and groups of the identity provider as subjects of bindings, with the role of each."""
    for kind, listed in (("User", people.users), ("Group", people.groups)):
        given = listed or ProjectIdentities()
        for role, found in ((READ_ONLY, given.read_only), (READ_WRITE, given.read_write)):
            for name in sorted(set(found)):
                yield {"kind": kind, "apiGroup": ROLES.group, "name": name}, role


def _service_account(namespace: str, name: str) -> Object:
    return {"kind": SERVICEACCOUNTS.kind, "namespace": namespace, "name": name}


def _reading() -> list[Object]:
    return [
        # Kind by kind: nobody can give away more than they have, and the hub has no wildcard.
        _rule(CONTROLLER_GROUP, [*_USERS_KINDS, *_SEEN_KINDS], READ),
        _rule(WORKER_GROUP, [kind.plural for kind in MADE_FOR_WORKERS], READ),
        _rule("", ["events"], READ),
    ]


def _writing() -> list[Object]:
    return [
        *_reading(),
        _rule(CONTROLLER_GROUP, _USERS_KINDS, WRITE),
    ]


def _inviting(account: str) -> list[Object]:
    """Return what lets people carry a worker's credential to its cluster, or a token to join with.

    Of this worker only: with the credential of another person somebody would stay in who was taken off the list.
    """
    return [
        {**_rule("", ["secrets"], ["get"]), "resourceNames": [account]},
        {**_rule("", ["serviceaccounts/token"], ["create"]), "resourceNames": [account]},
    ]


def _rule(group: str, resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _object(resource: Resource, namespace: str, name: str, labels: Mapping[str, str]) -> Object:
    metadata = {"name": name, "labels": dict(labels)} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}


def _account(
    namespace: str,
    name: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    facts: Mapping[str, str] | None = None,
) -> list[Wanted]:
    account = _object(SERVICEACCOUNTS, namespace, name, labels)
    account["metadata"]["annotations"] = dict(annotations)
    secret = _object(SECRETS, namespace, name, labels)
    secret["metadata"]["annotations"] = {**annotations, "kubernetes.io/service-account.name": name}
    secret["type"] = "kubernetes.io/service-account-token"
    if facts:
        secret["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in facts.items()}
    return [(SERVICEACCOUNTS, account), (SECRETS, secret)]


def _role(namespace: str, name: str, labels: Mapping[str, str], rules: list[Object]) -> Object:
    return {**_object(ROLES, namespace, name, labels), "rules": rules}


def _binding(namespace: str, name: str, labels: Mapping[str, str], role: str, subjects: list[Object]) -> Object:
    reference = {"apiGroup": ROLES.group, "kind": ROLES.kind, "name": role}
    return {**_object(ROLEBINDINGS, namespace, name, labels), "roleRef": reference, "subjects": subjects}
