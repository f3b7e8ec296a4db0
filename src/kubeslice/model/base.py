"""What all custom resources share: the base model, object metadata, conditions, printer columns, the kind itself.

One module per kind builds on this. Validators are built when a kind is first used, because every process imports
more shapes than it parses.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, WithJsonSchema, model_serializer
from pydantic.alias_generators import to_camel
from pydantic_core import ValidationError

from kubeslice.model.errors import Terminal
from kubeslice.model.resources import Resource

Label = Annotated[str, Field(max_length=63)]
Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class KubeModel(BaseModel):
    """A piece of a Kubernetes object: snake_case here, camelCase on the wire, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", defer_build=True, protected_namespaces=()
    )

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None and value != ""}

    def wire(self) -> dict[str, Any]:
        """Return the JSON object for the API: camelCase, without None and empty strings."""
        return self.model_dump(mode="json", by_alias=True)


def renamed(wire: str, description: str, default: Any = None, **constraints: Any) -> Any:
    """Declare a field whose wire name is not the camelCase of its own; a callable default makes the default."""
    if callable(default):
        constraints["default_factory"] = default
    else:
        constraints["default"] = default
    return Field(validation_alias=wire, serialization_alias=wire, description=description, **constraints)


class Rule(NamedTuple):
    """A CEL expression that must hold, and the sentence with the remedy for when it does not."""

    expression: str
    message: str


def rules(*wanted: Rule) -> dict[str, Any]:
    """Return the schema extension that makes the API server check these rules."""
    return {"x-kubernetes-validations": [{"rule": rule.expression, "message": rule.message} for rule in wanted]}


def set_list() -> dict[str, Any]:
    """Return the schema extension of a list that holds nothing twice; a CEL rule for long lists would cost too much."""
    return {"x-kubernetes-list-type": "set"}


def map_list(*keys: str) -> dict[str, Any]:
    """Return the schema extension of a list whose items are told apart by `keys`, for server-side apply."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


class Condition(KubeModel):
    """One aspect of an object's state, as in the Kubernetes API conventions (metav1.Condition)."""

    type: str = Field(description="What aspect of the object this is about.", max_length=316)
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")] = Field(
        description="Whether it holds: True, False or Unknown."
    )
    reason: str = Field(description="Why, as one CamelCase word for programs.", max_length=1024)
    message: str = Field(default="", description="Why, as one sentence for people.", max_length=32768)
    observed_generation: int | None = Field(
        default=None, description="The metadata.generation of the object that this was decided for.", ge=0
    )
    last_transition_time: Timestamp = Field(default="", description="When the status last changed.")


class Status(KubeModel):
    """What the status of every kind holds."""

    conditions: list[Condition] = Field(
        default_factory=list,
        description="The state of the object for people and programs; Ready sums the others up.",
        json_schema_extra=map_list("type"),
    )
    observed_generation: int | None = Field(
        default=None, description="The metadata.generation that this status was computed from."
    )


class ObjectMeta(KubeModel):
    """The metadata of an object, as far as this project looks at it."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: list[str] = Field(default_factory=list)
    generation: int = 0
    uid: str = ""
    creation_timestamp: Timestamp = ""
    deletion_timestamp: Timestamp = ""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; priority 1 shows with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


READY_COLUMN = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
REASON_COLUMN = Column("Reason", '.status.conditions[?(@.type=="Ready")].reason')
MESSAGE_COLUMN = Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1)
AGE_COLUMN = Column("Age", ".metadata.creationTimestamp", type="date")
STATE_COLUMNS = (READY_COLUMN, REASON_COLUMN, MESSAGE_COLUMN, AGE_COLUMN)


class Kind(KubeModel):
    """A custom resource. Subclasses name their resource and add `spec` and `status`."""

    resource: ClassVar[Resource]
    short_names: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[Column, ...]] = STATE_COLUMNS

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    @classmethod
    def parse(cls, obj: dict[str, Any]) -> Self:
        """Read an object from the API. Raises `Terminal` with a sentence that names the first wrong field."""
        try:
            return cls.model_validate(obj)
        except ValidationError as error:
            raise Terminal(_sentence(cls.resource.kind, error)) from error

    def wire(self) -> dict[str, Any]:
        """Return the JSON object for the API, with `apiVersion` and `kind`."""
        return {"apiVersion": self.resource.api_version, "kind": self.resource.kind, **super().wire()}


def _sentence(kind: str, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{kind} {where}: {first['msg']} (found {first['input']!r})"
