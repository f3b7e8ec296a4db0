"""Which namespaces of which clusters a slice means."""

from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.hub import namespaces

SPEC = SliceConfigSpec.model_validate(
    {
        "clusters": ["a", "b"],
        "namespaceIsolationProfile": {
            "applicationNamespaces": [
                {"namespace": "till", "clusters": ["a"]},
                {"namespace": "shop", "clusters": ["*"]},
            ],
            "allowedNamespaces": [{"namespace": "watch", "clusters": ["b"]}],
        },
    }
)


def test_a_star_means_every_member() -> None:
    assert namespaces.in_cluster(namespaces.application(SPEC), "a") == ["shop", "till"]
    assert namespaces.in_cluster(namespaces.application(SPEC), "b") == ["shop"]
    assert namespaces.in_cluster(namespaces.allowed(SPEC), "a") == []
    assert namespaces.in_cluster(namespaces.allowed(SPEC), "b") == ["watch"]


def test_claims_are_of_members_and_application_namespaces_only() -> None:
    assert namespaces.claims(SPEC) == {"till": {"a"}, "shop": {"a", "b"}}
    assert namespaces.claims(SliceConfigSpec()) == {}
