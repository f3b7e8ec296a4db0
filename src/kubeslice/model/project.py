"""Project: a tenant. Written by administrators in the hub's own namespace, read by `hub.project`."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from kubeslice.model.base import STATE_COLUMNS, Column, Kind, KubeModel, Label, Rule, Status, rules, set_list
from kubeslice.model.names import MAX_PROJECT_LENGTH
from kubeslice.model.resources import PROJECTS


class ProjectServiceAccount(KubeModel):
    """Names of the users of a project, each given a ServiceAccount and a token."""

    read_only: list[str] = Field(default_factory=list, description="Users who may look.", max_length=256)
    read_write: list[str] = Field(default_factory=list, description="Users who may change.", max_length=256)


Identity = Annotated[
    str,
    Field(
        min_length=1,
        max_length=256,
        json_schema_extra=rules(
            Rule(
                "!self.startsWith('system:')",
                "names that begin with system: belong to Kubernetes, some to everybody: name a user or group of your "
                "identity provider",
            )
        ),
    ),
]


class ProjectIdentities(KubeModel):
    """Users or groups of the hub cluster's own identity provider, by the names that the API server gives them."""

    read_only: list[Identity] = Field(default_factory=list, description="Who may look.", max_length=256)
    read_write: list[Identity] = Field(default_factory=list, description="Who may change.", max_length=256)


PolicyBundle = Literal["network", "storage", "resources", "security"]


class ProjectSpec(KubeModel):
    """What a project should be."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.policyBundles) || !('storage' in self.policyBundles) || "
                "(has(self.allowedStorageClasses) && self.allowedStorageClasses.size() > 0)",
                "policyBundles names storage, but allowedStorageClasses no class: name those that the project may use",
            )
        )
    )

    service_account: ProjectServiceAccount | None = Field(default=None, description="Users of the project.")
    users: ProjectIdentities | None = Field(
        default=None, description="Users of the hub cluster's own identity provider, such as ann@example.com."
    )
    groups: ProjectIdentities | None = Field(
        default=None, description="Groups of the hub cluster's own identity provider."
    )
    default_slice_creation: bool = Field(
        default=False, description="Whether a default slice collects every namespace that is in no other slice."
    )
    policy_bundles: list[PolicyBundle] = Field(
        default_factory=list,
        description="Rules that the project's namespaces live under in worker clusters; `kubeslice policies render` "
        "prints them, to be applied there.",
        max_length=4,
        json_schema_extra=set_list(),
    )
    allowed_storage_classes: list[Label] = Field(
        default_factory=list,
        description="Storage classes that the bundle storage lets the project use.",
        max_length=64,
        json_schema_extra=set_list(),
    )


class ProjectStatus(Status):
    """What a project is."""

    namespace: str = Field(default="", description="Namespace on the hub where the project's objects live.")


class Project(Kind):
    """A tenant: a namespace of its own on the hub, and who may do what in it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                f"self.metadata.name.size() <= {MAX_PROJECT_LENGTH}",
                f"the name has more than {MAX_PROJECT_LENGTH} characters: choose a shorter name for the project, "
                "names of namespaces are made of it",
            ),
            Rule(
                "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
                "the name is not made of lower-case letters, digits and '-' only: choose another name for the project",
            ),
        )
    )
    resource = PROJECTS
    columns: ClassVar[tuple[Column, ...]] = (Column("Namespace", ".status.namespace"), *STATE_COLUMNS)

    spec: ProjectSpec = Field(default_factory=ProjectSpec, description="What the project should be.")
    status: ProjectStatus = Field(default_factory=ProjectStatus, description="What the project is.")
