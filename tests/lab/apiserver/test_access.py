"""RBAC: decisions, refusals, escalation, reviews; and how tokens and impersonation say who asks."""

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.apiserver.access import bootstrap, reviews
from kubeslice.lab.apiserver.access.escalation import check_write
from kubeslice.lab.apiserver.access.rules import Rule, uncovered
from kubeslice.lab.apiserver.authn import ANONYMOUS, Authentication, StaticTokens
from kubeslice.lab.apiserver.authz import Authorizer, refusal
from kubeslice.lab.apiserver.identity.accounts import Bound, ServiceAccountTokens
from kubeslice.lab.apiserver.identity.impersonation import impersonate, is_asked
from kubeslice.lab.apiserver.identity.signing import Signer, TokenError, dump_key, load_key, new_key
from kubeslice.lab.apiserver.interfaces import ApiError, Attributes, UserInfo
from tests.lab.apiserver.stored import Stored

Json = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
JIM = UserInfo("jim", ("dev", "system:authenticated"))
MASTER = UserInfo("root", ("system:masters",))
ACCOUNT = UserInfo("system:serviceaccount:a:bot", ("system:serviceaccounts", "system:serviceaccounts:a"))


NAMESPACE_REFUSED = (
    'namespaces is forbidden: User "x" cannot create resource "namespaces" in API group "" at the cluster scope'
)
DEPLOYMENT_REFUSED = (
    'deployments.apps "d" is forbidden: User "x" cannot get resource "deployments/scale" in API group "apps" '
    'in the namespace "y"'
)


def role(name: str, *rules: Json, namespace: str = "", **more: Any) -> Json:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"kind": kind, "metadata": metadata, "rules": list(rules), **more}


def binding(name: str, to: Json, *subjects: Json, namespace: str = "") -> Json:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    reference = {"apiGroup": RBAC, "kind": to["kind"], "name": to["metadata"]["name"]}
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    return {"kind": kind, "metadata": metadata, "roleRef": reference, "subjects": list(subjects)}


def allow(verbs: str, resources: str, *, group: str = "", names: tuple[str, ...] = ()) -> Json:
    rule = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return rule | ({"resourceNames": list(names)} if names else {})


def user(name: str) -> Json:
    return {"kind": "User", "apiGroup": RBAC, "name": name}


@pytest.fixture
def stored() -> Stored:
    found = Stored()
    found.put(RBAC, "clusterroles", *bootstrap.cluster_roles())
    found.put(RBAC, "clusterrolebindings", *bootstrap.cluster_role_bindings())
    reader = role("reader", allow("get list", "pods pods/log configmaps"), namespace="a")
    one = role("one", allow("get", "secrets", names=("mine",)), namespace="a")
    found.put(RBAC, "roles", reader, one)
    found.put(
        RBAC,
        "rolebindings",
        binding("jim-reads", reader, user("jim"), namespace="a"),
        binding("bot-one", one, {"kind": "ServiceAccount", "name": "bot"}, namespace="a"),
        binding("dev-views", role("view"), {"kind": "Group", "apiGroup": RBAC, "name": "dev"}, namespace="b"),
        binding("lost", role("missing"), user("ann"), namespace="a"),
    )
    return found


@pytest.mark.parametrize(
    ("who", "asked", "allowed"),
    [
        (JIM, Attributes("get", resource="pods", namespace="a", name="x"), True),
        (JIM, Attributes("delete", resource="pods", namespace="a", name="x"), False),
        (JIM, Attributes("get", resource="pods", subresource="log", namespace="a"), True),
        (JIM, Attributes("get", resource="pods", subresource="exec", namespace="a"), False),
        (JIM, Attributes("get", resource="pods", namespace="b"), True),
        (JIM, Attributes("get", resource="secrets", namespace="b"), False),
        (JIM, Attributes("get", resource="pods", namespace="c"), False),
        (JIM, Attributes("list", resource="pods"), False),
        (JIM, Attributes("get", "apps", resource="pods", namespace="a"), False),
        (ACCOUNT, Attributes("get", resource="secrets", namespace="a", name="mine"), True),
        (ACCOUNT, Attributes("get", resource="secrets", namespace="a", name="yours"), False),
        (ACCOUNT, Attributes("list", resource="secrets", namespace="a"), False),
        (MASTER, Attributes("escalate", "x", "v1", "anything"), True),
        (JIM, Attributes("get", path="/apis/apps"), True),
        (ANONYMOUS, Attributes("get", path="/version"), True),
        (ANONYMOUS, Attributes("get", path="/apis"), False),
        (JIM, Attributes("create", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"), True),
        (ANONYMOUS, Attributes("create", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"), False),
    ],
)
def test_decisions(stored: Stored, who: UserInfo, asked: Attributes, allowed: bool) -> None:
    assert Authorizer(stored).decide(who, asked).allowed is allowed


def test_decisions_name_their_binding(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    assert authorizer.decide(JIM, Attributes("get", resource="pods", namespace="a")).reason == (
        'RBAC: allowed by RoleBinding "jim-reads/a" of Role "reader" to User "jim"'
    )
    assert authorizer.decide(ACCOUNT, Attributes("get", resource="secrets", namespace="a", name="mine")).reason == (
        'RBAC: allowed by RoleBinding "bot-one/a" of Role "one" to ServiceAccount "bot/a"'
    )
    assert authorizer.decide(UserInfo("ann"), Attributes("get", resource="pods", namespace="a")).reason == (
        'RBAC: clusterrole.rbac.authorization.k8s.io "missing" not found'
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            Attributes("list", resource="pods", namespace="y"),
            'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "y"',
        ),
        (
            Attributes("get", "apps", "v1", "deployments", "scale", "y", "d"),
            DEPLOYMENT_REFUSED,
        ),
        (
            Attributes("create", resource="namespaces"),
            NAMESPACE_REFUSED,
        ),
        (Attributes("get", path="/metrics"), 'forbidden: User "x" cannot get path "/metrics"'),
    ],
)
def test_refusals(stored: Stored, asked: Attributes, message: str) -> None:
    who = UserInfo("x")
    error = refusal(who, asked, Authorizer(stored).decide(who, asked))
    assert (error.code, error.reason, error.message) == (403, "Forbidden", message)


def test_a_change_of_roles_counts_at_once(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    asked = Attributes("delete", resource="pods", namespace="a")
    assert not authorizer.decide(JIM, asked).allowed
    stored.put(RBAC, "roles", role("reader", allow("*", "*"), namespace="a"))
    assert authorizer.decide(JIM, asked).allowed
    stored.remove(RBAC, "rolebindings", "a", "jim-reads")
    assert not authorizer.decide(JIM, asked).allowed


def test_roles_are_aggregated(stored: Stored) -> None:
    more = role("slices-view", allow("get", "slices", group="example.com"))
    more["metadata"]["labels"] = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    stored.put(RBAC, "clusterroles", more)
    authorizer = Authorizer(stored)
    assert authorizer.decide(JIM, Attributes("get", "example.com", "v1", "slices", namespace="b")).allowed
    stored.put(RBAC, "clusterrolebindings", binding("kim", role("admin"), user("kim")))
    assert authorizer.decide(UserInfo("kim"), Attributes("get", "example.com", "v1", "slices")).allowed


def test_a_decision_is_cheap(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    asked = [Attributes("get", resource="pods", namespace="a", name=f"p{index}") for index in range(200)]
    for each in asked:
        authorizer.decide(JIM, each)
    start = time.perf_counter()
    for each in asked * 10:
        authorizer.decide(JIM, each)
    assert (time.perf_counter() - start) / 2000 < 50e-6


def test_nobody_grants_what_they_do_not_hold(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    wanted = role("more", allow("get list", "pods"), allow("get", "secrets"), namespace="a")
    refused = check_write(authorizer, JIM, wanted, None)
    assert refused is not None
    assert refused.message == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "jim" (groups=["dev" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    assert check_write(authorizer, JIM, role("less", allow("get", "pods"), namespace="a"), None) is None
    assert check_write(authorizer, MASTER, wanted, None) is None
    assert check_write(authorizer, JIM, wanted, wanted) is None
    assert check_write(authorizer, JIM, {"kind": "Pod", "metadata": {"name": "p"}}, None) is None


def test_binding_needs_the_rules_or_the_verb(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    powerful = binding("mine", role("cluster-admin"), user("jim"), namespace="a")
    refused = check_write(authorizer, JIM, powerful, None)
    assert refused is not None
    assert '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in refused.message
    lost = check_write(authorizer, JIM, binding("b", role("nothing"), user("jim"), namespace="a"), None)
    assert lost is not None
    assert lost.message == 'rolebindings.rbac.authorization.k8s.io "nothing" not found'
    may_bind = role("binder", allow("bind", "clusterroles", group=RBAC, names=("cluster-admin",)), namespace="a")
    stored.put(RBAC, "roles", may_bind)
    stored.put(RBAC, "rolebindings", binding("binds", may_bind, user("jim"), namespace="a"))
    assert check_write(authorizer, JIM, powerful, None) is None


_WORDS = st.frozensets(st.sampled_from(["a", "b", "*"]), min_size=1)
_RULES = st.builds(Rule, _WORDS, _WORDS, st.frozensets(st.sampled_from(["p", "p/s", "*/s", "*"]), min_size=1),
                   st.frozensets(st.sampled_from(["n", "m"])))  # fmt: skip
_ASKED = st.builds(
    Attributes, st.sampled_from("ab"), st.sampled_from("ab"), st.just("v1"), st.sampled_from("pq"),
    st.sampled_from(["", "s"]), st.just(""), st.sampled_from(["", "n", "m"]),
)  # fmt: skip


@given(st.lists(_RULES, max_size=3), st.lists(_RULES, max_size=3), _ASKED)
def test_covered_rules_allow_nothing_more(held: list[Rule], wanted: list[Rule], asked: Attributes) -> None:
    if not uncovered(held, wanted) and any(rule.allows(asked) for rule in wanted):
        assert any(rule.allows(asked) for rule in held)


@given(st.lists(_RULES, max_size=3))
def test_everybody_may_grant_what_they_hold(held: list[Rule]) -> None:
    assert uncovered(held, held) == []


def test_reviews(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    spec = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "a"}}
    assert reviews.review_access(authorizer, JIM, spec) == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "jim-reads/a" of Role "reader" to User "jim"',
    }
    assert reviews.review_access(authorizer, JIM, {"nonResourceAttributes": {"verb": "post", "path": "/x"}}) == {
        "allowed": False
    }
    rules = reviews.review_rules(authorizer, JIM, "a")
    assert {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps", "pods", "pods/log"]} in rules[
        "resourceRules"
    ]
    assert reviews.check_review(spec, names_user=False) == []
    assert len(reviews.check_review({}, names_user=True)) == 2


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


def account(uid: str = "u1") -> Json:
    return {"metadata": {"namespace": "a", "name": "bot", "uid": uid}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(stored: Stored, clock: Clock) -> ServiceAccountTokens:
    stored.put("", "serviceaccounts", account())
    return ServiceAccountTokens(Signer(new_key()), stored, issuer="https://issuer", audiences=("api",), now=clock)


def test_a_token_says_who_its_account_is(tokens: ServiceAccountTokens) -> None:
    token, expires = tokens.issue(account(), seconds=3600)
    found = tokens.accept(token)
    assert found is not None
    assert (found.name, found.uid) == ("system:serviceaccount:a:bot", "u1")
    assert found.groups == ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated")
    assert found.extra["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")
    assert expires == 1_700_003_600


def test_a_token_ends_with_its_time_audience_and_account(
    tokens: ServiceAccountTokens, stored: Stored, clock: Clock
) -> None:
    token, _ = tokens.issue(account(), seconds=600)
    other, _ = tokens.issue(account(), seconds=600, audiences=("vault",))
    assert tokens.accept(other) is None
    assert tokens.accept(other, ("vault",)) is not None
    stored.put("", "serviceaccounts", account("u2"))
    assert tokens.accept(token) is None
    stored.put("", "serviceaccounts", account())
    assert tokens.accept(token) is not None
    clock.seconds += 600
    assert tokens.accept(token) is None


def test_a_bound_token_ends_with_its_pod(tokens: ServiceAccountTokens, stored: Stored, clock: Clock) -> None:
    pod = {"metadata": {"namespace": "a", "name": "p", "uid": "pu"}}
    stored.put("", "pods", pod)
    token, _ = tokens.issue(account(), seconds=3600, bound=Bound("Pod", "p", "pu"), node=Bound("Node", "n", "nu"))
    found = tokens.accept(token)
    assert found is not None
    assert found.extra["authentication.kubernetes.io/pod-name"] == ("p",)
    assert found.extra["authentication.kubernetes.io/node-name"] == ("n",)
    stored.put("", "pods", {"metadata": {**pod["metadata"], "deletionTimestamp": "2023-11-14T22:13:20Z"}})
    assert tokens.accept(token) is not None
    clock.seconds += 61
    assert tokens.accept(token) is None
    stored.put("", "pods", pod)
    assert tokens.accept(token) is not None
    stored.remove("", "pods", "a", "p")
    assert tokens.accept(token) is None


def test_a_legacy_token_ends_with_its_secret(tokens: ServiceAccountTokens, stored: Stored) -> None:
    import base64  # noqa: PLC0415

    token = tokens.issue_legacy(account(), "bot-token")
    assert tokens.accept(token) is None
    data = {"token": base64.b64encode(token.encode()).decode()}
    stored.put("", "secrets", {"metadata": {"namespace": "a", "name": "bot-token", "uid": "s"}, "data": data})
    assert tokens.accept(token) is not None
    stored.remove("", "secrets", "a", "bot-token")
    assert tokens.accept(token) is None


@pytest.mark.parametrize("key", [new_key(), rsa.generate_private_key(public_exponent=65537, key_size=2048)])
def test_signatures_are_verified(key: Any) -> None:
    signer = Signer(load_key(dump_key(key)))
    token = signer.sign({"a": 1})
    assert signer.verify(token) == {"a": 1}
    head, body, signature = token.split(".")
    other = Signer(new_key()).sign({"a": 1})
    for bad in (f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}x.{signature}", other, "x", "a.b.c", ""):
        with pytest.raises(TokenError):
            signer.verify(bad)
    assert signer.key_set()["keys"][0]["kid"] == signer.key_id


def test_requests_are_identified(tokens: ServiceAccountTokens) -> None:
    authentication = Authentication(StaticTokens({"secret": UserInfo("admin", ("system:masters",))}), tokens)
    assert authentication.identify(None) is ANONYMOUS
    assert authentication.identify("Bearer secret").groups == ("system:masters", "system:authenticated")
    token, _ = tokens.issue(account(), seconds=600)
    assert authentication.identify(f"Bearer {token}").name == "system:serviceaccount:a:bot"
    with pytest.raises(ApiError) as refused:
        authentication.identify("Bearer wrong")
    assert (refused.value.code, refused.value.message) == (401, "Unauthorized")
    assert authentication.review({"token": token})["user"]["username"] == "system:serviceaccount:a:bot"
    assert "authenticated" not in authentication.review({"token": "wrong"})


def test_impersonation_needs_permission(stored: Stored) -> None:
    authorizer = Authorizer(stored)
    assert not is_asked({"accept": ["x"]})
    found = impersonate(authorizer, MASTER, {"impersonate-user": ["kim"], "impersonate-group": ["g"]})
    assert (found.name, found.groups) == ("kim", ("g", "system:authenticated"))
    bot = impersonate(authorizer, MASTER, {"impersonate-user": ["system:serviceaccount:a:bot"]})
    assert bot.groups == ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated")
    with pytest.raises(ApiError) as refused:
        impersonate(authorizer, JIM, {"impersonate-user": ["kim"]})
    assert refused.value.message == (
        'users "kim" is forbidden: User "jim" cannot impersonate resource "users" in API group "" at the cluster scope'
    )
    with pytest.raises(ApiError):
        impersonate(authorizer, MASTER, {"impersonate-group": ["g"]})
