"""Acting as somebody else with `Impersonate-` headers, as `kubectl --as` does, where RBAC allows `impersonate`.

Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation.go.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.authz import Authorizer, refusal
from kubeslice.lab.apiserver.interfaces import ApiError, Attributes, UserInfo

_USER = "impersonate-user"
_GROUP = "impersonate-group"
_UID = "impersonate-uid"
_EXTRA = "impersonate-extra-"
_ACCOUNT = "system:serviceaccount:"
_AUTHENTICATED = "system:authenticated"
_ANONYMOUS = "system:anonymous"

Headers = Mapping[str, Sequence[str]]


def is_asked(headers: Headers) -> bool:
    """Tell whether a request wants to act as somebody else; header names are in lower case."""
    return any(name.startswith("impersonate-") for name in headers)


def impersonate(authorizer: Authorizer, user: UserInfo, headers: Headers) -> UserInfo:
    """Return whom the request acts as. Raises `ApiError` where that is not allowed."""
    wanted = _wanted(headers)
    for asked in _permissions(wanted):
        decision = authorizer.decide(user, asked)
        if not decision.allowed:
            raise refusal(user, asked, decision)
    return _completed(wanted)


def _wanted(headers: Headers) -> UserInfo:
    names = headers.get(_USER, ())
    if len(names) != 1 or not names[0]:
        raise ApiError(
            500,
            "InternalError",
            "Internal Server Error: requested groups, uid or extra without impersonating a user",
            refusals.internal("requested impersonation without impersonating a user").details,
        )
    extra = {
        unquote(name.removeprefix(_EXTRA)): tuple(values) for name, values in headers.items() if name.startswith(_EXTRA)
    }
    uid = headers.get(_UID, ("",))[0]
    return UserInfo(names[0], tuple(headers.get(_GROUP, ())), uid, extra)


def _permissions(wanted: UserInfo) -> Iterator[Attributes]:
    if wanted.name.startswith(_ACCOUNT):
        namespace, _, name = wanted.name.removeprefix(_ACCOUNT).partition(":")
        yield Attributes("impersonate", "", "v1", "serviceaccounts", namespace=namespace, name=name)
    else:
        yield Attributes("impersonate", "", "v1", "users", name=wanted.name)
    for group in wanted.groups:
        yield Attributes("impersonate", "", "v1", "groups", name=group)
    for key, values in wanted.extra.items():
        for value in values:
            yield Attributes("impersonate", "authentication.k8s.io", "v1", "userextras", key, name=value)
    if wanted.uid:
        yield Attributes("impersonate", "authentication.k8s.io", "v1", "uids", name=wanted.uid)


def _completed(wanted: UserInfo) -> UserInfo:
    groups = wanted.groups
    if wanted.name.startswith(_ACCOUNT) and not groups:
        namespace = wanted.name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    if wanted.name == _ANONYMOUS:
        return UserInfo(wanted.name, groups or ("system:unauthenticated",), wanted.uid, wanted.extra)
    if _AUTHENTICATED not in groups:
        groups = (*groups, _AUTHENTICATED)
    return UserInfo(wanted.name, groups, wanted.uid, wanted.extra)
