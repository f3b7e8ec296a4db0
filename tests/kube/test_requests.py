"""A request says which kind of object it is about."""

import pytest

from kubeslice.kube import requests
from kubeslice.kube.requests import Request
from kubeslice.model.resources import CLUSTERS, NAMESPACES, SECRETS


@pytest.mark.parametrize(
    ("request_", "collection"),
    [
        (requests.get(SECRETS, "x", "home"), "secrets"),
        (requests.watch(CLUSTERS, "home", "", "metadata.name=a", "5", 240), "clusters"),
        (requests.page(CLUSTERS, None, "", "", ""), "clusters"),
        (
            requests.apply(CLUSTERS, {"metadata": {"name": "a", "namespace": "h"}}, "m", "status", force=True),
            "clusters",
        ),
        (requests.get(NAMESPACES, "home", None), "namespaces"),
        (requests.page(NAMESPACES, None, "", "", ""), "namespaces"),
        (Request("GET", "/version"), ""),
    ],
)
def test_the_collection_of_a_request_is_in_its_path(request_: Request, collection: str) -> None:
    assert request_.collection == collection
