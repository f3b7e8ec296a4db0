"""The page of names: what `model.names` defines, and the environment variables that components read.

Headings and explanations are the comments in the source of `model.names`; the values are the module's own.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubeslice.model import names
from kubeslice.reference import markdown
from kubeslice.reference.sentences import ROOT, constants

DEFINITION = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]+) = .*?(?:  # (?!noqa)(?P<what>.*))?$")
EVERYWHERE = "runtime"
COMPONENTS = (EVERYWHERE, "hub", "worker", "agent", "gateway", "router", "dns", "webhook")
READERS = {"required", "optional", "port", "seconds"}
MEANINGS = {
    "CLUSTER_NAME": "Name of the cluster, as it is registered.",
    "CONTROLLER_ENDPOINT": "URL at which workers reach the hub's API server.",
    "DNS_PORT": "Port of the name server.",
    "GATEWAY_PRIVILEGED": "Whether gateways run privileged, to use the TUN device where the kernel has no WireGuard.",
    "HEALTH_PORT": "Port of `/healthz`, `/readyz` and `/metrics`.",
    "HUB_CREDENTIALS": "Directory with the hub's endpoint, certificate and token.",
    "HUB_PROJECT_NAMESPACE": "The project's namespace on the hub.",
    "IMAGE": "Image of the containers that the component makes.",
    "IMAGE_PULL_POLICY": "Pull policy of these containers.",
    "KEEP_FORGOTTEN_SECONDS": "For how long a slice goes on that is gone from the hub though nobody deleted it.",
    "LEASE_SECONDS": "After how many seconds another hub leads when the leader was killed.",
    "LOG_LEVEL": "What is logged: DEBUG, INFO, WARNING or ERROR.",
    "NETNS_DIRECTORY": "Directory of the node's network namespaces.",
    "NODE_NAME": "Node of the pod, from the downward API.",
    "PATH_SEARCH_SECONDS": "How often it is found out anew how large packets may be; 30 when not set.",
    "PLANE": "Plane of the gateway.",
    "POD_IP": "Address of the pod, from the downward API.",
    "POD_NAME": "Name of the pod, from the downward API.",
    "POD_NAMESPACE": "Namespace of the pod, from the downward API.",
    "ROUTER": "Number of the router.",
    "SLICE": "Name of the slice.",
    "WEBHOOK_PORT": "Port of the webhook server.",
    "WEBHOOK_ROLE": "`hub` or `worker`: which kinds are checked.",
    "WIREGUARD_ENGINE": "`kernel` or `userspace`; found out when not set.",
    "WIREGUARD_KEYS": "Directory with the gateway's key.",
}


@dataclass(frozen=True)
class Name:
    """A constant of `model.names`, under the heading it stands under."""

    heading: str
    constant: str
    what: str


@dataclass(frozen=True)
class Variable:
    """An environment variable that a component reads."""

    name: str
    component: str
    default: str


def page() -> str:
    """Return the page of names."""
    defined = list(definitions(inspect.getsource(names)))
    parts = []
    for heading in dict.fromkeys(one.heading for one in defined):
        rows = [
            (markdown.code(str(getattr(names, one.constant))), one.what) for one in defined if one.heading == heading
        ]
        parts += [f"## {heading}", markdown.table(("name", "what"), rows)]
    return markdown.page("Names", *parts, "## Environment variables of the components", _environment())


def definitions(source: str) -> Iterator[Name]:
    """Read headings, constants and their comments off the source of `model.names`."""
    heading = ""
    for line in source.splitlines():
        found = DEFINITION.match(line)
        if found:
            what = found["what"] or found["name"].lower().replace("_", " ")
            yield Name(heading, found["name"], what)
        elif line.startswith("# ") and not line.startswith("# `"):
            heading = line.removeprefix("# ").partition(",")[0].partition(" (")[0]


def variables() -> Iterator[Variable]:
    """Find the settings that the components read."""
    for component in COMPONENTS:
        for path in sorted((ROOT / component).glob("*.py")):
            tree = ast.parse(path.read_text())
            known = vars(names) | constants(tree)
            for node in ast.walk(tree):
                match node:
                    case ast.Call(func=ast.Attribute(attr=reader), args=[ast.Constant(value=str(name)), *rest]):
                        if name in MEANINGS or (reader in READERS and name.isupper()):
                            yield Variable(name, component, _default(reader, rest, known))


def _default(reader: str, rest: list[ast.expr], known: Mapping[str, object]) -> str:
    if reader == "required":
        return "*required*"
    match rest:
        case [ast.Constant(value=value)]:
            return markdown.code(str(value))
        case [ast.Name(id=name) | ast.Attribute(attr=name)] if name in known:
            return markdown.code(str(known[name]))
    return ""


def _environment() -> str:
    found = sorted(set(variables()), key=lambda one: (one.name, one.component))
    rows = []
    for name in dict.fromkeys(one.name for one in found):
        readers = [_reader(one) for one in found if one.name == name]
        rows.append((markdown.code(name), ", ".join(readers), MEANINGS[name]))
    return markdown.table(("variable", "read by (default)", "what"), rows)


def _reader(variable: Variable) -> str:
    component = "every component" if variable.component == EVERYWHERE else variable.component
    return f"{component} ({variable.default})" if variable.default else component
