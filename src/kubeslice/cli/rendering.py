"""`kubeslice manifests`: the hub's or a worker's manifests as YAML."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from kubeslice.cli.install import DEFAULT_IMAGE, checked_endpoint
from kubeslice.cli.target import fail
from kubeslice.kube.api import Object
from kubeslice.kube.lease import HUB_DURATION, SHORTEST
from kubeslice.manifests import HubCredentials, HubValues, Image, WorkerValues, hub, worker
from kubeslice.plan.tenants.credentials import DEFAULT_SECONDS, SHORTEST_SECONDS

HUB_SETTINGS = ("endpoint", "image", "replicas", "credential-seconds", "lease-seconds")
CREDENTIALS = ("hub-endpoint", "hub-ca-file", "hub-token-file")
WORKER_SETTINGS = ("cluster", "project", "image", "privileged-gateways", *CREDENTIALS)


def manifests_yaml(part: str, settings: Sequence[str]) -> str:
    """Return the YAML of `part`; ends the program with a clear line when the settings do not fit."""
    match part:
        case "hub":
            values = _parse(settings, HUB_SETTINGS, required=("endpoint",))
            life, term = _credential_seconds(values), _lease_seconds(values)
            place = checked_endpoint(values["endpoint"]), _image(values)
            parts = hub(HubValues(*place, replicas=_replicas(values), credential_seconds=life, lease_seconds=term))
        case "worker":
            values = _parse(settings, WORKER_SETTINGS, required=("cluster", "project"))
            member, privileged = (values["cluster"], values["project"]), _privileged(values)
            parts = worker(WorkerValues(*member, _image(values), _credentials(values), privileged_gateways=privileged))
        case _:
            fail(f"no part {part!r}: there are hub and worker")
    return _dump(parts)


def _parse(settings: Sequence[str], known: Sequence[str], required: Sequence[str]) -> dict[str, str]:
    values = dict(setting.partition("=")[::2] for setting in settings)
    unknown = sorted(set(values) - set(known))
    if unknown:
        fail(f"--set {unknown[0]} is not known; there are {', '.join(known)}")
    missing = [name for name in required if not values.get(name)]
    if missing:
        fail(f"{missing[0]} is missing: add --set {missing[0]}=…")
    return values


def _credentials(values: dict[str, str]) -> HubCredentials | None:
    given = [name for name in CREDENTIALS if values.get(name)]
    if not given:
        return None
    if len(given) < len(CREDENTIALS):
        fail(f"{', '.join(CREDENTIALS)} belong together; without all of them, make the Secret kubeslice-hub yourself")
    ca, token = (Path(values[name]).read_text().strip() for name in CREDENTIALS[1:])
    return HubCredentials(endpoint=values["hub-endpoint"], token=token, ca=ca)


def _replicas(values: dict[str, str]) -> int:
    given = values.get("replicas", str(HubValues.replicas))
    if not given.isdigit() or int(given) < 1:
        fail(f"replicas={given} is not a number of hubs: use 1 or more")
    return int(given)


def _privileged(values: dict[str, str]) -> bool:
    given = values.get("privileged-gateways", "true")
    if given not in ("true", "false"):
        fail(f"privileged-gateways={given} does not do: write true or false")
    return given == "true"


def _credential_seconds(values: dict[str, str]) -> int:
    text = values.get("credential-seconds") or str(DEFAULT_SECONDS)
    if not text.isdecimal() or int(text) < SHORTEST_SECONDS:
        fail(f"credential-seconds={text} does not do: write how many seconds workers' tokens live, 600 or more")
    return int(text)


def _lease_seconds(values: dict[str, str]) -> float:
    text = values.get("lease-seconds") or str(HUB_DURATION)
    if not text.replace(".", "", 1).isdecimal() or float(text) < SHORTEST:
        fail(f"lease-seconds={text} does not do: write after how many seconds another hub leads, {SHORTEST:g} or more")
    return float(text)


def _image(values: dict[str, str]) -> Image:
    return Image(values.get("image") or DEFAULT_IMAGE)


def _dump(manifests: list[Object]) -> str:
    return yaml.safe_dump_all(manifests, sort_keys=False, explicit_start=True, width=120)
