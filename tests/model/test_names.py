"""Every name made of names at their longest still fits where Kubernetes puts it."""

from kubeslice.model import names

PROJECT = "p" * names.MAX_PROJECT_LENGTH
CLUSTER = "c" * names.MAX_CLUSTER_LENGTH
SLICE = "s" * names.MAX_SLICE_LENGTH


def test_names_used_as_labels_namespaces_and_services_fit_into_63_characters() -> None:
    for name in (
        names.project_namespace(PROJECT),
        names.cluster_namespace(PROJECT, CLUSTER),
        names.worker_slice_config(SLICE, CLUSTER),
        names.slice_gateway(SLICE, CLUSTER, CLUSTER),
        names.gateway_deployment(SLICE, 3),
        names.worker_account(CLUSTER),
    ):
        assert len(name) <= 63, name


def test_pods_of_deployments_have_their_whole_name_as_host_name() -> None:
    suffix = "-0123456789-01234"
    assert len(names.gateway_deployment(SLICE, 3) + suffix) <= 63
    assert len(names.router_deployment(SLICE, 0) + suffix) <= 63


def test_interfaces_fit_into_15_characters() -> None:
    assert len(names.port("0b6cd0f1-3c9e-4a58-8a7d-5f1f6f1b2c3d")) == 11
    assert names.port("a") != names.port("b")


def test_a_project_is_found_from_its_namespace() -> None:
    assert names.project_of(names.project_namespace("demo")) == "demo"
