"""Who is asking: turns the credentials of a request into a user, for every request before authorization.

Bearer tokens are static ones of the server's configuration or service accounts'. Without a credential a request is
anonymous; with a wrong one it is refused.
"""

import hmac
from collections.abc import Mapping
from typing import Protocol

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.identity.accounts import ServiceAccountTokens
from kubeslice.lab.apiserver.interfaces import Object, UserInfo

AUTHENTICATED = "system:authenticated"
ANONYMOUS = UserInfo("system:anonymous", ("system:unauthenticated",))


class Authenticator(Protocol):
    """Something that knows some tokens."""

    def accept(self, token: str, audiences: tuple[str, ...] = ()) -> UserInfo | None:
        """Return whose token this is, or None."""


class StaticTokens:
    """The tokens of the server's configuration: administrators and the components of the cluster."""

    def __init__(self, tokens: Mapping[str, UserInfo]) -> None:
        self._tokens = {
            token.encode(): UserInfo(user.name, _with_authenticated(user.groups), user.uid, user.extra)
            for token, user in tokens.items()
        }

    def accept(self, token: str, audiences: tuple[str, ...] = ()) -> UserInfo | None:  # noqa: ARG002 - any audience
        """Return whose token this is, or None; takes the same time for every wrong token."""
        given = token.encode()
        found = None
        for known, user in self._tokens.items():
            if hmac.compare_digest(known, given):
                found = user
        return found


def _with_authenticated(groups: tuple[str, ...]) -> tuple[str, ...]:
    return groups if AUTHENTICATED in groups else (*groups, AUTHENTICATED)


class Authentication:
    """The authenticators of one server, asked in order."""

    def __init__(self, static: StaticTokens, accounts: ServiceAccountTokens) -> None:
        self._authenticators: tuple[Authenticator, ...] = (static, accounts)

    def identify(self, authorization: str | None) -> UserInfo:
        """Return who sent a request with this `Authorization` header. Raises `ApiError` 401 for a wrong credential."""
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        user = self.accept(token.strip())
        if user is None:
            raise refusals.unauthorized()
        return user

    def accept(self, token: str, audiences: tuple[str, ...] = ()) -> UserInfo | None:
        """Return whose token this is, or None."""
        return next((user for each in self._authenticators if (user := each.accept(token, audiences))), None)

    def review(self, spec: Object) -> Object:
        """Return the status of a TokenReview."""
        audiences = tuple(spec.get("audiences") or ())
        user = self.accept(spec.get("token") or "", audiences)
        if user is None:
            return (
                {"user": {}, "error": "[invalid bearer token, Token has been invalidated]"}
                if spec.get("token")
                else {"user": {}}
            )
        return {"authenticated": True, "user": describe(user), "audiences": list(audiences)}


def describe(user: UserInfo) -> Object:
    """Render a user as reviews and admission requests show it."""
    shown: Object = {"username": user.name}
    if user.uid:
        shown["uid"] = user.uid
    if user.groups:
        shown["groups"] = list(user.groups)
    if user.extra:
        shown["extra"] = {key: list(values) for key, values in user.extra.items()}
    return shown
