"""Service account tokens: issued for TokenRequests and token Secrets, accepted while everything they name still exists.

Source: k8s.io/kubernetes/pkg/serviceaccount and KEP-1205, KEP-4193.
"""

import uuid
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from kubeslice.lab.apiserver.identity.signing import Claims, Signer, TokenError
from kubeslice.lab.apiserver.interfaces import Object, ObjectReader, UserInfo

_PRIVATE = "kubernetes.io"
_EXTRA = "authentication.kubernetes.io"
_LEGACY = "kubernetes.io/serviceaccount"
_LEGACY_ISSUER = _LEGACY
_VERIFIED = 1024
_WARN_AFTER = 3607
_LEEWAY = 60


class Bound(NamedTuple):
    """The object a token is bound to: its life ends with the object's. `kind` is `Pod`, `Secret` or `Node`."""

    kind: str
    name: str
    uid: str


class ServiceAccountTokens:
    """Issues and accepts the tokens of one cluster. `now` returns seconds since the epoch."""

    def __init__(
        self, signer: Signer, reader: ObjectReader, *, issuer: str, audiences: tuple[str, ...], now: Callable[[], float]
    ) -> None:
        self._signer = signer
        self._reader = reader
        self._issuer = issuer
        self.audiences = audiences or (issuer,)
        self._now = now
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    def issue(
        self,
        account: Object,
        *,
        seconds: int,
        audiences: tuple[str, ...] = (),
        bound: Bound | None = None,
        node: Bound | None = None,
    ) -> tuple[str, float]:
        """Return a token for a service account and when it expires (seconds since the epoch).

        `bound` ends the token's life with a pod or secret; `node` names the node of a bound pod, for information.
        """
        meta = account["metadata"]
        now = int(self._now())
        private: Claims = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        for each in (bound, node):
            if each is not None:
                private[each.kind.lower()] = {"name": each.name, "uid": each.uid}
        if bound is not None and bound.kind == "Pod":
            private["warnafter"] = now + _WARN_AFTER
        claims: Claims = {
            "aud": list(audiences or self.audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": self._issuer,
            "jti": str(uuid.uuid4()),
            _PRIVATE: private,
            "nbf": now,
            "sub": _user_name(meta["namespace"], meta["name"]),
        }
        return self._signer.sign(claims), float(now + seconds)

    def issue_legacy(self, account: Object, secret_name: str) -> str:
        """Return the token of a Secret of type `kubernetes.io/service-account-token`; it never expires."""
        meta = account["metadata"]
        return self._signer.sign(
            {
                "iss": _LEGACY_ISSUER,
                f"{_LEGACY}/namespace": meta["namespace"],
                f"{_LEGACY}/secret.name": secret_name,
                f"{_LEGACY}/service-account.name": meta["name"],
                f"{_LEGACY}/service-account.uid": meta["uid"],
                "sub": _user_name(meta["namespace"], meta["name"]),
            }
        )

    def accept(self, token: str, audiences: tuple[str, ...] = ()) -> UserInfo | None:
        """Return whose token this is, or None when it is nobody's (any more).

        Raises nothing: a token that is foreign, expired or bound to something gone is worth no more than none.
        """
        try:
            claims = self._claims(token)
        except TokenError:
            return None
        if claims.get("iss") == _LEGACY_ISSUER:
            return self._accept_legacy(token, claims)
        if claims.get("iss") != self._issuer or not self._is_current(claims):
            return None
        if not set(claims.get("aud") or ()) & set(audiences or self.audiences):
            return None
        return self._accept_bound(claims)

    def _claims(self, token: str) -> Claims:
        known = self._verified.get(token)
        if known is None:
            known = self._verified[token] = self._signer.verify(token)
            if len(self._verified) > _VERIFIED:
                self._verified.popitem(last=False)
        else:
            self._verified.move_to_end(token)
        return known

    def _is_current(self, claims: Claims) -> bool:
        now = self._now()
        return bool(claims.get("nbf", 0) - _LEEWAY <= now < claims.get("exp", 0))

    def _accept_bound(self, claims: Claims) -> UserInfo | None:
        private = claims.get(_PRIVATE) or {}
        namespace, account = private.get("namespace") or "", private.get("serviceaccount") or {}
        if not self._exists("serviceaccounts", namespace, account):
            return None
        extra: dict[str, tuple[str, ...]] = {f"{_EXTRA}/credential-id": (f"JTI={claims.get('jti')}",)}
        for kind, resource in (("pod", "pods"), ("secret", "secrets")):
            bound = private.get(kind)
            if bound is not None and not self._exists(resource, namespace, bound):
                return None
        for kind in ("pod", "node"):
            if private.get(kind):
                extra[f"{_EXTRA}/{kind}-name"] = (private[kind]["name"],)
                extra[f"{_EXTRA}/{kind}-uid"] = (private[kind]["uid"],)
        return _user(namespace, account["name"], account["uid"], extra)

    def _accept_legacy(self, token: str, claims: Claims) -> UserInfo | None:
        namespace = claims.get(f"{_LEGACY}/namespace") or ""
        account = {
            "name": claims.get(f"{_LEGACY}/service-account.name"),
            "uid": claims.get(f"{_LEGACY}/service-account.uid"),
        }
        secret = self._reader.get("", "secrets", namespace, claims.get(f"{_LEGACY}/secret.name") or "")
        if secret is None or self._is_gone(secret) or not _holds(secret, token):
            return None
        if not self._exists("serviceaccounts", namespace, account):
            return None
        return _user(namespace, str(account["name"]), str(account["uid"]), {})

    def _exists(self, resource: str, namespace: str, reference: Any) -> bool:
        found = self._reader.get("", resource, namespace, reference.get("name") or "")
        return found is not None and found["metadata"]["uid"] == reference.get("uid") and not self._is_gone(found)

    def _is_gone(self, obj: Object) -> bool:
        """Tokens outlive the deletion time of what they name by a minute, so that pods can end in order."""
        deleted = obj["metadata"].get("deletionTimestamp")
        return bool(deleted) and datetime.fromisoformat(deleted).timestamp() < self._now() - _LEEWAY


def _holds(secret: Object, token: str) -> bool:
    return b64decode((secret.get("data") or {}).get("token") or "") == token.encode()


def _user_name(namespace: str, name: str) -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def _user(namespace: str, name: str, uid: str, extra: dict[str, tuple[str, ...]]) -> UserInfo:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return UserInfo(_user_name(namespace, name), groups, uid, extra)
