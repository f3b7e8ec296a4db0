"""Secrets of type `kubernetes.io/service-account-token`: filled when they appear, removed with their account.

What the token controller of kube-controller-manager does; here it needs the signing key, which only the API server has.
"""

import asyncio
import base64

from kubeslice.lab.apiserver.identity.accounts import ServiceAccountTokens
from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.storage.entry import Change, Key
from kubeslice.lab.apiserver.storage.store import Store

_TYPE = "kubernetes.io/service-account-token"
_NAME, _UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
_SECRETS, _ACCOUNTS = "/secrets", "/serviceaccounts"


class TokenSecrets:
    """Keeps the token Secrets of one server complete."""

    def __init__(self, store: Store, tokens: ServiceAccountTokens, authority: bytes) -> None:
        self._store = store
        self._tokens = tokens
        self._authority = base64.b64encode(authority).decode()

    def start(self) -> None:
        """Follow what changes."""
        self._store.listen(self._observe)

    def _observe(self, change: Change) -> None:
        later = asyncio.get_running_loop().call_soon
        if change.key.resource == _SECRETS and change.type != "DELETED":
            if change.entry.obj.get("type") == _TYPE:
                later(self._fill, change.key)
        elif change.key.resource == _ACCOUNTS and change.type == "DELETED":
            later(self._sweep, change.key)

    def _fill(self, key: Key) -> None:
        """Complete one Secret; one whose account does not exist is removed."""
        entry = self._store.find(key)
        if entry is None:
            return
        account = self._account(entry.obj)
        if account is None:
            self._store.delete(key, entry)
            return
        secret = entry.copy()
        data = secret.setdefault("data", {})
        if not data.get("token"):
            text = self._tokens.issue_legacy(account, secret["metadata"]["name"])
            data["token"] = base64.b64encode(text.encode()).decode()
        data["ca.crt"] = self._authority
        data["namespace"] = base64.b64encode(secret["metadata"]["namespace"].encode()).decode()
        secret["metadata"]["annotations"][_UID] = account["metadata"]["uid"]
        if secret != entry.obj:
            self._store.update(key, secret, entry)

    def _account(self, secret: Object) -> Object | None:
        metadata = secret["metadata"]
        annotations = metadata.get("annotations") or {}
        entry = self._store.find(Key(_ACCOUNTS, f"{metadata['namespace']}/{annotations.get(_NAME, '')}"))
        if entry is None or annotations.get(_UID, entry.obj["metadata"]["uid"]) != entry.obj["metadata"]["uid"]:
            return None
        return entry.obj

    def _sweep(self, account: Key) -> None:
        """Remove the token Secrets of an account that is gone."""
        namespace, _, name = account.name.partition("/")
        for entry in self._store.scan(_SECRETS, namespace):
            metadata = entry.obj["metadata"]
            if entry.obj.get("type") == _TYPE and (metadata.get("annotations") or {}).get(_NAME) == name:
                self._store.delete(Key(_SECRETS, f"{namespace}/{metadata['name']}"), entry)
