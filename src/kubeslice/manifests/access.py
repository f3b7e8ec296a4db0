"""Who may do what, as values: permissions of one component become its ServiceAccount, roles and bindings.

`hubaccess` and `workeraccess` list the permissions, `hubside` and `workerside` put the objects into their lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeslice.manifests.objects import Object, obj
from kubeslice.model.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    SERVICEACCOUNTS,
    Resource,
)

_RBAC_GROUP = "rbac.authorization.k8s.io"

READ = "get list watch"
OWN = "get list watch create patch delete"


@dataclass(frozen=True, slots=True)
class Permission:
    """Verbs on one resource or subresource, of the objects with these names or of all."""

    resource: Resource
    verbs: str
    sub: str = ""
    only: tuple[str, ...] = ()

    def rule(self) -> dict[str, Any]:
        """Return the rule of a Role or ClusterRole."""
        plural = f"{self.resource.plural}/{self.sub}" if self.sub else self.resource.plural
        rule = {"apiGroups": [self.resource.group], "resources": [plural], "verbs": self.verbs.split()}
        return {**rule, "resourceNames": list(self.only)} if self.only else rule


@dataclass(frozen=True)
class Account:
    """A component's identity: its permissions everywhere, and in single namespaces."""

    name: str
    namespace: str
    everywhere: Sequence[Permission] = ()
    inside: Mapping[str, Sequence[Permission]] = field(default_factory=dict)

    def objects(self, component: str) -> list[Object]:
        """Return the ServiceAccount, roles and bindings."""
        return [
            obj(SERVICEACCOUNTS, self.name, self.namespace, component),
            *(self._everywhere(component) if self.everywhere else ()),
            *(part for namespace in sorted(self.inside) for part in self._inside(namespace, component)),
        ]

    def roles(self, component: str) -> list[Object]:
        """Return the roles alone, for accounts that are made and bound later."""
        return [made for made in self.objects(component) if made["kind"] in (ROLES.kind, CLUSTERROLES.kind)]

    def _everywhere(self, component: str) -> list[Object]:
        rules = [permission.rule() for permission in self.everywhere]
        return [
            {**obj(CLUSTERROLES, self.name, "", component), "rules": rules},
            {**obj(CLUSTERROLEBINDINGS, self.name, "", component), **self._bound(CLUSTERROLES)},
        ]

    def _inside(self, namespace: str, component: str) -> list[Object]:
        rules = [permission.rule() for permission in self.inside[namespace]]
        return [
            {**obj(ROLES, self.name, namespace, component), "rules": rules},
            {**obj(ROLEBINDINGS, self.name, namespace, component), **self._bound(ROLES)},
        ]

    def _bound(self, role: Resource) -> dict[str, Any]:
        subject = {"kind": SERVICEACCOUNTS.kind, "name": self.name, "namespace": self.namespace}
        return {
            "roleRef": {"apiGroup": _RBAC_GROUP, "kind": role.kind, "name": self.name},
            "subjects": [subject],
        }
