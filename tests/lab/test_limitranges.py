"""What a LimitRange writes into pods, and what it refuses."""

from typing import Any

import pytest

from kubeslice.lab import limitranges

Object = dict[str, Any]


def pod(*containers: Object, init: tuple[Object, ...] = ()) -> Object:
    return {
        "spec": {
            "initContainers": [{"name": "i", "resources": one} for one in init],
            "containers": [{"name": "c", "resources": one} for one in containers],
        }
    }


def limit_range(**item: Object) -> Object:
    return {"spec": {"limits": [{"type": "Container", **item}, {"type": "Pod", "max": {"cpu": "1m"}}]}}


@pytest.mark.parametrize(
    ("item", "said", "filled"),
    [
        ({"defaultRequest": {"cpu": "10m"}}, {}, {"requests": {"cpu": "10m"}}),
        ({"defaultRequest": {"cpu": "10m"}}, {"requests": {"cpu": "1"}}, {"requests": {"cpu": "1"}}),
        (
            {"defaultRequest": {"cpu": "10m"}},
            {"limits": {"cpu": "1"}},
            {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
        ),
        ({"default": {"cpu": "2"}}, {}, {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}),
        (
            {"max": {"cpu": "3"}, "min": {"memory": "1Mi"}},
            {},
            {"limits": {"cpu": "3"}, "requests": {"cpu": "3", "memory": "1Mi"}},
        ),
    ],
)  # fmt: skip
def test_a_container_gets_what_it_does_not_say(item: Object, said: Object, filled: Object) -> None:
    new = pod(dict(said), init=(dict(said),))
    limitranges.fill(limit_range(**item), new)
    assert [one["resources"] for one in new["spec"]["containers"] + new["spec"]["initContainers"]] == [filled, filled]


@pytest.mark.parametrize(
    ("item", "said", "words"),
    [
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "1500m"}}, "cpu usage per Container is 1, but limit is 1500m"),
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, ""),
        ({"min": {"memory": "1Gi"}}, {"requests": {"memory": "1G"}}, "minimum memory usage per Container is 1Gi"),
        ({"min": {"memory": "1Gi"}}, {}, "No request is specified"),
        ({"default": {"cpu": "1"}}, {"limits": {"cpu": "9"}}, ""),
    ],
)  # fmt: skip
def test_what_is_outside_is_refused_in_the_words_of_kubernetes(item: Object, said: Object, words: str) -> None:
    complaint = limitranges.complaint(limit_range(**item), pod(said))
    assert words in complaint
    assert bool(words) == bool(complaint)
