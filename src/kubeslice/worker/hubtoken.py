"""Which token the worker shows to the hub of a project: of two that are in one Secret, `kubeslice-hub` for the first.

`token` is what people bring it to join with, `ownToken` what the worker got for itself (`worker.renewal`). Its own is
used, and the other one when the hub refuses that: so nothing breaks when somebody, or a tool that keeps a Secret as it
was declared, writes the first one again, and a worker whose credential was revoked joins again with what it is brought.
"""

import base64
from collections.abc import Callable
from pathlib import Path

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.config import TokenFile
from kubeslice.kube.informer import Informer
from kubeslice.model import names

KEYS = (names.BROUGHT_TOKEN, names.OWN_TOKEN)


class HubToken:
    """Both tokens as the Secret has them, or its mounted copy while the own API server has not answered yet."""

    def __init__(self, brought: str = "", own: str = "") -> None:
        self._brought = brought
        self._own = own
        self._prefers_brought = False
        self._was_refused = False
        self._subscribers: list[Callable[[], None]] = []

    @classmethod
    def mounted(cls, directory: Path) -> "HubToken":
        """Read the tokens from where the Secret is mounted."""
        return cls(*(_read(directory / key) for key in KEYS))

    def __call__(self) -> str:
        """Return the token for the next request."""
        first, second = (self._brought, self._own) if self._prefers_brought else (self._own, self._brought)
        return first or second

    @property
    def brought(self) -> str:
        """Return what the worker was brought to join with."""
        return self._brought

    def follow(self, secrets: Informer, name: str) -> None:
        """Take the tokens from the Secret of this name from now on. Who subscribed before hears no more."""
        self._subscribers = []
        secrets.subscribe(lambda old, new: self._changed(new) if objects.name(new or old or {}) == name else None)

    def subscribe(self, subscriber: Callable[[], None]) -> None:
        """Call `subscriber` whenever another token is used or brought."""
        self._subscribers.append(subscriber)

    def refused(self) -> bool:
        """Note that the hub refused the token in use; return whether the one that was brought is tried now."""
        self._was_refused = True
        if not (self._own and self._brought):
            return False
        self._prefers_brought = not self._prefers_brought
        return self._prefers_brought

    def _changed(self, new: Object | None) -> None:
        data, before = (new or {}).get("data") or {}, (self(), self._brought)
        brought, own = (base64.b64decode(data.get(key) or "").decode(errors="replace").strip() for key in KEYS)
        if own != self._own:
            self._prefers_brought = self._was_refused = False
        elif brought != self._brought:
            self._prefers_brought = self._was_refused
        self._brought, self._own = brought, own
        if (self(), self._brought) != before:
            for subscriber in self._subscribers:
                subscriber()


def _read(path: Path) -> str:
    try:
        return TokenFile(path)()
    except OSError:
        return ""
