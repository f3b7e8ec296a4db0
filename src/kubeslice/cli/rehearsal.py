"""Writing the objects of a file to the hub: for trial, as a dry run, or in earnest.

An object that is there is changed by a merge patch: fields that the file does not name stay as they are.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubeslice.cli.objectfile import Wish
from kubeslice.kube import requests
from kubeslice.kube.api import Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError, Forbidden, Invalid, NotFound
from kubeslice.kube.http import HttpApi
from kubeslice.kube.requests import Request

# The webhook hears of what was written a moment later; a refusal that stays longer is one.
WEBHOOK_PATIENCE = 5.0
# An object that is not there yet is younger than all others.
NOT_YET = "9999-12-31T23:59:59Z"


async def rehearse(api: HttpApi, wish: Wish, seen: Object | None) -> Object | str:
    """Return the object as the hub would store it, or the sentence with which it refuses.

    The webhook does not know the other objects of the file: what only it refuses is judged by the caller.
    """
    request = _request(wish, seen)
    try:
        return await api.send(replace(request, target=f"{request.target}&dryRun=All"))
    except (Invalid, Forbidden) as refusal:
        return merged(seen or _born(wish), _change(wish)) if _is_of_webhook(refusal) else refusal.message


async def rehearse_deletion(api: HttpApi, wish: Wish) -> str:
    """Return why the hub would not delete an object, "" when it would or there is none.

    What the webhook refuses is judged by the caller, who knows what else goes.
    """
    request = requests.delete(wish.resource, wish.name, wish.namespace, "", None)
    try:
        await api.send(replace(request, target=f"{request.target}?dryRun=All"))
    except NotFound:
        return ""
    except (Invalid, Forbidden) as refusal:
        return "" if _is_of_webhook(refusal) else refusal.message
    return ""


async def write(api: HttpApi, wish: Wish, seen: Object | None) -> None:
    """Write an object. Raises `ApiError` when it is refused."""
    backoff, loop = Backoff(), asyncio.get_running_loop()
    deadline = loop.time() + WEBHOOK_PATIENCE
    while True:
        if await _is_written(api, _request(wish, seen), is_last=loop.time() > deadline):
            return
        await asyncio.sleep(backoff.next())


async def _is_written(api: HttpApi, request: Request, *, is_last: bool) -> bool:
    try:
        await api.send(request)
    except ApiError as refusal:
        if is_last or not _is_of_webhook(refusal):
            raise
        return False
    return True


def _request(wish: Wish, seen: Object | None) -> Request:
    """Return the request that writes an object; a field that its kind does not have is refused, not dropped."""
    if seen is None:
        request = requests.create(wish.resource, wish.object)
    else:
        request = requests.patch(wish.resource, wish.name, wish.namespace, _change(wish), "")
    return replace(request, target=f"{request.target}?fieldValidation=Strict")


def _change(wish: Wish) -> Object:
    metadata = {
        key: wish.object["metadata"][key] for key in ("labels", "annotations") if wish.object["metadata"].get(key)
    }
    return {"metadata": metadata, "spec": wish.object.get("spec") or {}}


def _born(wish: Wish) -> Object:
    metadata = {"name": wish.name, "namespace": wish.namespace, "creationTimestamp": NOT_YET}
    return {"apiVersion": wish.resource.api_version, "kind": wish.resource.kind, "metadata": metadata}


def merged(old: Any, change: Any) -> Any:
    """Return what a JSON merge patch makes of a value (RFC 7386)."""
    if not isinstance(change, Mapping):
        return change
    result = dict(old) if isinstance(old, Mapping) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _is_of_webhook(refusal: ApiError) -> bool:
    return "kubeslice.io" in refusal.message and "denied the request" in refusal.message
