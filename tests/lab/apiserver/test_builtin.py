"""Built-in kinds: decoding as Go does, rules in kube-apiserver's words, merge keys, and the price of loading them."""

import subprocess
import sys
from typing import Any

import pytest

from kubeslice.lab.apiserver.interfaces import ApiError, FieldShape, GroupVersionKind
from kubeslice.lab.apiserver.schema.builtin import BuiltinSchema, builtin_schema

Json = dict[str, Any]

CORE = {name: BuiltinSchema(GroupVersionKind("", "v1", name)) for name in (
    "Pod", "Service", "Secret", "ConfigMap", "Namespace", "Node", "ServiceAccount", "Event",
)}  # fmt: skip
DEPLOYMENT = BuiltinSchema(GroupVersionKind("apps", "v1", "Deployment"))
LEASE = BuiltinSchema(GroupVersionKind("coordination.k8s.io", "v1", "Lease"))
POD = {"containers": [{"name": "a", "image": "i"}]}


def pod(**spec: Any) -> Json:
    return {"metadata": {"name": "p"}, "spec": {**POD, **spec}}


def deployment(**spec: Any) -> Json:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
    return {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}}


def service(**spec: Any) -> Json:
    return {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}


def complaints(schema: BuiltinSchema, obj: Json, old: Json | None = None) -> dict[str, str]:
    return {error.path: error.message for error in schema.validate(obj, old)}


def test_there_is_no_schema_for_what_is_not_built_in() -> None:
    assert builtin_schema(GroupVersionKind("", "v1", "Nothing")) is None
    assert builtin_schema(GroupVersionKind("example.com", "v1", "Pod")) is None
    assert builtin_schema(GroupVersionKind("networking.k8s.io", "v1", "NetworkPolicy")) is not None


def test_decoding_keeps_what_go_keeps() -> None:
    obj = {
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {}, "creationTimestamp": None, "strange": 1},
        "spec": {
            "containers": [{"name": "a", "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}, "args": []}],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "nodeSelector": {"a": "b"},
        },
    }
    assert CORE["Pod"].prune(obj) == {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "nodeSelector": {"a": "b"},
        },
    }
    assert CORE["Pod"].unknown_fields(obj) == ["metadata.strange"]


@pytest.mark.parametrize(
    ("schema", "obj", "why"),
    [
        (
            DEPLOYMENT,
            {"spec": {"replicas": "two"}},
            (
                'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go '
                "struct field DeploymentSpec.spec.replicas of type int32"
            ),
        ),
        (
            CORE["Pod"],
            {"spec": {"containers": {}}},
            (
                'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field '
                "PodSpec.spec.containers of type []v1.Container"
            ),
        ),
        (
            CORE["ConfigMap"],
            {"data": {"a": 1}},
            (
                'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go '
                "struct field ConfigMap.data of type string"
            ),
        ),
        (
            CORE["Secret"],
            {"data": {"a": "%"}},
            'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
        ),
        (
            LEASE,
            {"spec": {"renewTime": "soon"}},
            (
                'Lease in version "v1" cannot be handled as a Lease: parsing time "soon" as "2006-01-02T15:04:05Z07:00"'
                ': cannot parse "soon" as "2006"'
            ),
        ),
        (
            CORE["Pod"],
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "much"}}}]}},
            (
                'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
        ),
    ],
)
def test_values_of_the_wrong_type_are_refused(schema: BuiltinSchema, obj: Json, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        schema.prune(obj)
    assert (refused.value.code, refused.value.reason, refused.value.message) == (400, "BadRequest", why)


@pytest.mark.parametrize(
    ("schema", "obj"),
    [
        (CORE["Pod"], pod()),
        (CORE["Service"], service()),
        (CORE["Service"], service(ports=[], clusterIP="None")),
        (CORE["Service"], service(type="ExternalName", ports=[], externalName="example.com")),
        (CORE["Secret"], {"metadata": {"name": "a.b"}, "data": {"a_.b": "eA=="}}),
        (CORE["Namespace"], {"metadata": {"name": "a-b", "labels": {"example.com/a": "B_1"}}}),
        (DEPLOYMENT, deployment()),
        (DEPLOYMENT, deployment(selector={"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]})),
    ],
)
def test_good_objects_are_accepted(schema: BuiltinSchema, obj: Json) -> None:
    assert complaints(schema, obj) == {}


@pytest.mark.parametrize(
    ("schema", "obj", "path", "message"),
    [
        (CORE["Pod"], {"metadata": {"name": "p"}, "spec": {}}, "spec.containers", "Required value"),
        (CORE["Pod"], pod(containers=[{"image": "i"}]), "spec.containers[0].name", "Required value"),
        (CORE["Pod"], pod(containers=[{"name": "a"}]), "spec.containers[0].image", "Required value"),
        (
            CORE["Pod"],
            pod(containers=[POD["containers"][0]] * 2),
            "spec.containers[1].name",
            'Duplicate value: "a"',
        ),
        (
            CORE["Pod"],
            pod(restartPolicy="Sometimes"),
            "spec.restartPolicy",
            'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        ),
        (
            CORE["Pod"],
            pod(containers=[{"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]),
            "spec.containers[0].volumeMounts[0].name",
            'Not found: "v"',
        ),
        (
            CORE["Pod"],
            pod(containers=[{"name": "a", "image": "i", "readinessProbe": {}}]),
            "spec.containers[0].readinessProbe",
            "Required value: must specify a handler type",
        ),
        (CORE["Service"], service(ports=[]), "spec.ports", "Required value"),
        (
            CORE["Service"],
            service(ports=[{"port": 0}]),
            "spec.ports[0].port",
            "Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            CORE["Service"],
            service(ports=[{"port": 1, "name": "a"}, {"port": 2}]),
            "spec.ports[1].name",
            "Required value",
        ),
        (
            CORE["Service"],
            service(type="Magic"),
            "spec.type",
            'Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        ),
        (DEPLOYMENT, deployment(selector=None), "spec.selector", "Required value"),
        (
            DEPLOYMENT,
            deployment(selector={}),
            "spec.selector",
            "Invalid value: {}: empty selector is invalid for deployment",
        ),
        (
            DEPLOYMENT,
            deployment(selector={"matchLabels": {"a": "c"}}),
            "spec.template.metadata.labels",
            'Invalid value: {"a":"b"}: `selector` does not match template `labels`',
        ),
        (DEPLOYMENT, deployment(replicas=-1), "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        (
            CORE["Secret"],
            {"metadata": {"name": "a"}, "data": {"k": "A" * (1024 * 1024 * 4 // 3 + 8)}},
            "data",
            "Too long: may not be more than 1048576 bytes",
        ),
        (
            CORE["Secret"],
            {"metadata": {"name": "a"}, "type": "kubernetes.io/service-account-token"},
            "metadata.annotations[kubernetes.io/service-account.name]",
            "Required value",
        ),
        (CORE["ConfigMap"], {"metadata": {}}, "metadata.name", "Required value: name or generateName is required"),
        (
            CORE["ConfigMap"],
            {"metadata": {"name": "a", "labels": {"a": "x" * 64}}},
            "metadata.labels",
            f'Invalid value: "{"x" * 64}": must be no more than 63 bytes',
        ),
        (
            CORE["ConfigMap"],
            {"metadata": {"name": "n" * 254}},
            "metadata.name",
            f'Invalid value: "{"n" * 254}": must be no more than 253 bytes',
        ),
        (
            CORE["ConfigMap"],
            {"metadata": {"name": "a", "finalizers": ["mine"]}},
            "metadata.finalizers[0]",
            'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
        ),
    ],
)
def test_bad_objects_are_refused(schema: BuiltinSchema, obj: Json, path: str, message: str) -> None:
    assert complaints(schema, obj)[path] == message


def test_what_may_not_change() -> None:
    selector = {"matchLabels": {"a": "b", "c": "d"}}
    template = {"metadata": {"labels": selector["matchLabels"]}, "spec": POD}
    assert complaints(DEPLOYMENT, deployment(selector=selector, template=template), deployment()) == {
        "spec.selector": 'Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable'
    }
    old = service(type="ClusterIP", clusterIP="10.96.0.5", clusterIPs=["10.96.0.5"])
    new = service(type="ClusterIP", clusterIP="10.96.0.6", clusterIPs=["10.96.0.6"])
    assert complaints(CORE["Service"], new, old) == {
        "spec.clusterIPs[0]": 'Invalid value: ["10.96.0.6"]: may not change once set'
    }
    renamed = complaints(CORE["Pod"], pod(nodeName="n"), pod())
    assert renamed["spec"].startswith("Forbidden: pod updates may not change fields other than")
    image = pod(containers=[{"name": "a", "image": "other"}])
    assert complaints(CORE["Pod"], image, pod()) == {}


@pytest.mark.parametrize(
    ("schema", "path", "shape"),
    [
        (CORE["Pod"], "spec.containers", FieldShape("map", ("name",), {}, "name")),
        (
            CORE["Pod"],
            "spec.containers.*.ports",
            FieldShape("map", ("containerPort", "protocol"), {"protocol": "TCP"}, "containerPort"),
        ),
        (CORE["Pod"], "spec.containers.*.env", FieldShape("map", ("name",), {}, "name")),
        (CORE["Pod"], "spec.containers.*.args", FieldShape("atomic")),
        (CORE["Pod"], "spec.tolerations", FieldShape("atomic")),
        (CORE["Pod"], "spec.nodeSelector", FieldShape("atomic")),
        (CORE["Pod"], "metadata.labels", FieldShape("granular")),
        (CORE["Pod"], "metadata.finalizers", FieldShape("set", patch_merge=True)),
        (CORE["Pod"], "metadata.ownerReferences", FieldShape("map", ("uid",), {}, "uid")),
        (CORE["Pod"], "status.conditions", FieldShape("map", ("type",), {}, "type")),
        (CORE["Service"], "spec.ports", FieldShape("map", ("port", "protocol"), {"protocol": "TCP"}, "port")),
        (CORE["Service"], "spec.selector", FieldShape("atomic")),
        (DEPLOYMENT, "spec.selector", FieldShape("atomic")),
        (DEPLOYMENT, "spec.strategy", FieldShape("granular", patch_retain_keys=True)),
        (
            DEPLOYMENT,
            "spec.template.spec.containers.*.volumeMounts",
            FieldShape("map", ("mountPath",), {}, "mountPath"),
        ),
        (CORE["Secret"], "data", FieldShape("granular")),
        (CORE["Secret"], "data.key", FieldShape("atomic")),
    ],
)
def test_merge_keys(schema: BuiltinSchema, path: str, shape: FieldShape) -> None:
    assert schema.merge_key(tuple(path.split("."))) == shape


def test_loading_the_schemas_costs_no_import_of_the_models() -> None:
    program = (
        "import sys, time; start = time.process_time();"
        "from kubeslice.lab.apiserver.interfaces import GroupVersionKind as K;"
        "from kubeslice.lab.apiserver.schema.builtin import BuiltinSchema;"
        "BuiltinSchema(K('', 'v1', 'Pod')).prune({'spec': {}});"
        "assert 'lightkube.models.core_v1' not in sys.modules and 'cel_expr_python' not in sys.modules;"
        "print(time.process_time() - start)"
    )
    spent = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30)
    assert float(spent.stdout) < 0.5
