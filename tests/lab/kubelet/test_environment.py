"""A container's environment, files, names and powers, computed."""

import base64
from typing import Any

import pytest

from kubeslice.lab.images import Image
from kubeslice.lab.kubelet import environment, identity, payloads, spec
from kubeslice.lab.kubelet.environment import Missing, expand, field, variables
from kubeslice.lab.kubelet.payloads import File, Sources
from kubeslice.lab.pods.credentials import CAPABILITIES, USUAL, bounding_set

POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u-1", "labels": {"app": "x", "a": 'say "hi"'}},
    "spec": {"nodeName": "node-1", "containers": [], "serviceAccountName": "robot"},
    "status": {"podIP": "10.244.1.2", "hostIP": "172.31.1.11"},
}
SECRETS = {"s": {"kind": "Secret", "data": {"word": base64.b64encode(b"hidden").decode()}}}
CONFIGS = {"c": {"kind": "ConfigMap", "data": {"one": "1", "two": "2"}}}


def of(container: dict[str, Any]) -> dict[str, str]:
    return variables(container, POD, SECRETS.get, CONFIGS.get, {"BASE": "b"})


def test_values_come_from_everywhere() -> None:
    origins = {
        "S": {"secretKeyRef": {"name": "s", "key": "word"}},
        "C": {"configMapKeyRef": {"name": "c", "key": "one"}},
        "F": {"fieldRef": {"fieldPath": "metadata.labels['app']"}},
        "N": {"fieldRef": {"fieldPath": "spec.nodeName"}},
        "O": {"secretKeyRef": {"name": "none", "key": "x", "optional": True}},
        "L": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}},
    }
    container = {
        "env": [{"name": name, "valueFrom": origin} for name, origin in origins.items()],
        "resources": {"limits": {"memory": "64Mi"}},
    }
    assert of(container) == {"BASE": "b", "S": "hidden", "C": "1", "F": "x", "N": "node-1", "L": "64"}


def test_later_wins_and_may_use_earlier() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "c"}, "prefix": "P_"}, {"secretRef": {"name": "no", "optional": True}}],
        "env": [{"name": "P_one", "value": "own"}, {"name": "ALL", "value": "$(P_one) $(P_two) $$(P_two) $(P_none)"}],
    }
    assert of(container)["ALL"] == "own 2 $(P_two) $(P_none)"


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [
        ({"secretKeyRef": {"name": "none", "key": "x"}}, 'secret "none" not found'),
        ({"configMapKeyRef": {"name": "c", "key": "x"}}, "key 'x' in configmap \"c\" not found"),
        ({"fieldRef": {"fieldPath": "spec.nothing"}}, "unsupported fieldPath: spec.nothing"),
    ],
)
def test_what_is_missing_is_named(origin: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Missing, match=sentence.replace('"', ".")):
        of({"env": [{"name": "X", "valueFrom": origin}]})


def test_fields_and_quantities() -> None:
    assert field(POD, "metadata.labels") == 'a="say \\"hi\\""\napp="x"'
    assert expand("$(A)", {"A": "$(B)", "B": "no"}) == "$(B)"
    assert [environment.quantity(text) for text in ("1", "250m", "1Ki", "2G")] == [1, 0.25, 1024, 2e9]


def test_payloads() -> None:
    tokens = {("", 3600): "token", ("vault", 600): "other"}
    sources = Sources(SECRETS.get, CONFIGS.get, tokens)
    projected = {
        "projected": {
            "defaultMode": 0o400,
            "sources": [
                {"serviceAccountToken": {"path": "token"}},
                {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 600}},
                {"configMap": {"name": "c", "items": [{"key": "one", "path": "d/uno", "mode": 0o600}]}},
                {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
                {"secret": {"name": "none", "optional": True}},
            ],
        }
    }
    assert payloads.files(projected, POD, sources) == {
        "token": File(b"token", 0o400),
        "vault": File(b"other", 0o400),
        "d/uno": File(b"1", 0o600),
        "ns": File(b"n", 0o400),
    }
    assert payloads.files({"secret": {"secretName": "s"}}, POD, sources) == {"word": File(b"hidden", 0o644)}
    with pytest.raises(Missing, match="non-existent key: three"):
        payloads.files({"configMap": {"name": "c", "items": [{"key": "three", "path": "x"}]}}, POD, sources)


def test_every_reference_is_watched() -> None:
    subject = {
        "spec": {
            "containers": [{"name": "m", "envFrom": [{"secretRef": {"name": "a"}}]}],
            "initContainers": [
                {"name": "i", "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "b", "key": "k"}}}]}
            ],
            "volumes": [
                {"name": "1", "secret": {"secretName": "c"}},
                {"name": "2", "projected": {"sources": [{"configMap": {"name": "d"}}]}},
                {"name": "3", "emptyDir": {}},
            ],
        }
    }
    assert payloads.references(subject) == {("Secret", "a"), ("ConfigMap", "b"), ("Secret", "c"), ("ConfigMap", "d")}


NODE_FILES = {"hosts": "node hosts\n", "hostname": "node\n", "resolv.conf": "nameserver 9.9.9.9\nsearch corp\n"}


def resolver(**more: Any) -> list[str]:
    return identity.identity_files({**POD, "spec": more}, "10.244.1.2", NODE_FILES)["resolv.conf"].splitlines()


def test_name_servers_by_policy() -> None:
    cluster = [
        "nameserver 10.96.0.10",
        "search n.svc.cluster.local svc.cluster.local cluster.local",
        "options ndots:5",
    ]
    assert resolver() == cluster
    assert resolver(hostNetwork=True) == ["nameserver 9.9.9.9", "search corp"]
    assert resolver(hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet") == cluster
    own = {"nameservers": ["1.1.1.1"], "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}
    assert resolver(dnsPolicy="None", dnsConfig=own) == ["nameserver 1.1.1.1", "options ndots:2 edns0"]
    assert resolver(dnsConfig=own)[0::2] == ["nameserver 10.96.0.10", cluster[1]]


def test_hosts() -> None:
    subject = {
        **POD,
        "spec": {"hostname": "h", "subdomain": "sub", "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}]},
    }
    files = identity.identity_files(subject, "10.244.1.2", NODE_FILES)
    assert "10.244.1.2\th.sub.n.svc.cluster.local\th" in files["hosts"]
    assert files["hosts"].endswith("1.2.3.4\ta\n")
    assert files["hostname"] == "h\n"


def test_powers() -> None:
    assert set(bounding_set({})) == USUAL
    assert bounding_set({"privileged": True}) == list(CAPABILITIES)
    assert bounding_set({"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "CAP_NET_RAW"]}}) == [
        "NET_ADMIN",
        "NET_RAW",
    ]
    assert "NET_RAW" not in bounding_set({"capabilities": {"drop": ["NET_RAW"]}})
    assert bounding_set({"capabilities": {"add": ["ALL"]}}) == list(CAPABILITIES)


def test_the_instruction_for_the_shim() -> None:
    container = {
        "name": "m",
        "args": ["--at", "$(WHERE)"],
        "volumeMounts": [
            {"name": "v", "mountPath": "/a/b", "subPathExpr": "$(WHERE)", "readOnly": True},
            {"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"},
        ],
        "securityContext": {"runAsUser": 5, "allowPrivilegeEscalation": False},
    }
    subject = {**POD, "spec": {"securityContext": {"runAsUser": 1, "runAsGroup": 7, "fsGroup": 9}}}
    known = {"WHERE": "x"}
    mounted = spec.mounts(subject, container, {"v": "/vol"}, known)
    made = spec.container_spec(subject, container, Image(entrypoint=("run",)), known, mounted, "id1", 2)
    assert made["command"] == ["run", "--at", "x"]
    assert made["cgroup"] == "kubepods/podu-1/id1"
    assert made["log"] == "/var/log/pods/n_p_u-1/m/2.log"
    own = [
        (mount["source"], mount["target"], mount["propagation"]) for mount in made["mounts"] if "/a" in mount["target"]
    ]
    assert own == [("/vol", "/a", "shared"), ("/vol/x", "/a/b", "")]
    assert {key: made["credentials"][key] for key in ("user", "group", "groups", "noNewPrivileges")} == {
        "user": 5,
        "group": 7,
        "groups": [9],
        "noNewPrivileges": True,
    }
