"""What happened to the isolation of a slice since the last look, for events: each thing once, however often one looks.

Called by the worker operator, which remembers what is `Known` while it runs, and tells the news.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kubeslice.model import names
from kubeslice.plan.cluster import isolation
from kubeslice.plan.cluster.isolation import MOST_NAMED, Opening

Object = dict[str, Any]


class News(NamedTuple):
    """Something that happened, for an event."""

    reason: str
    sentence: str
    is_bad: bool = False


class Post(NamedTuple):
    """A namespace to isolate by its uid, for one that is made anew is another; its policy as it should be and as it is.

    A policy that is as it should be is in force, whatever its labels are.
    """

    uid: str
    wanted: Object
    present: Object | None

    @property
    def is_in_force(self) -> bool:
        """Tell whether the policy is there and says what it should."""
        return not isolation.altered([self.wanted], [self.present] if self.present else [])

    @property
    def loss(self) -> str:
        """Return what somebody did to the policy; nothing when it is in force, or waits for a change of our own."""
        if self.is_in_force:
            return ""
        return _change(self.present, self.wanted["spec"]) if self.present else "deleted"

    @property
    def namespace(self) -> str:
        """Return the namespace's name."""
        return isolation.identity(self.wanted)[0]


@dataclass(frozen=True)
class Known:
    """The namespaces, by uid, that were seen isolated, those of them whose loss was told, and openings that were."""

    isolated: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    opened: frozenset[tuple[str, Opening]] = frozenset()


def since(known: Known, posts: Sequence[Post]) -> tuple[Known, list[News]]:
    """Return what is known after a look at all namespaces of a slice, and the news for its Slice."""
    added = [post for post in posts if post.is_in_force and post.uid not in known.isolated]
    taken = [post for post in posts if post.loss and post.uid in known.isolated - known.lost]
    here, in_force = {post.uid for post in posts}, {post.uid for post in posts if post.is_in_force}
    isolated = (known.isolated & here) | in_force
    lost = (known.lost & here | {post.uid for post in taken}) - in_force
    return Known(isolated, lost, known.opened), [*_added(added), *_put_back(taken)]


def widened(opening: Opening, slice_name: str) -> News:
    """Return the news for a NetworkPolicy of somebody else that opens a namespace of a slice."""
    if opening.blocks:
        sentence = f"it lets in addresses that slice {slice_name} keeps out: delete it, or switch isolation off"
        return News("NetPolScopeWidenedIPBlock", sentence, is_bad=True)
    sentence = f"it lets in more namespaces than slice {slice_name} allows: delete it, or add them to allowedNamespaces"
    return News("NetPolScopeWidenedNamespace", sentence, is_bad=True)


def further(known: Known, fresh: Sequence[Opening]) -> News | None:
    """Return the news for a Slice about openings that came; none when its condition turns and says so."""
    before = [opening for _, opening in known.opened]
    if not before or not fresh or isolation.widening(before).reason != isolation.widening([*before, *fresh]).reason:
        return None
    found = isolation.widening(fresh)
    return News(found.reason, found.message, is_bad=True)


def _added(posts: Sequence[Post]) -> list[News]:
    if not posts:
        return []
    return [News("NetPolAdded", f"NetworkPolicy {_name(posts)} is in {_listed(post.namespace for post in posts)}")]


def _put_back(posts: Sequence[Post]) -> list[News]:
    if not posts:
        return []
    what = _listed(f"{post.namespace} ({post.loss})" for post in posts)
    return [News("NetPolViolation", f"NetworkPolicy {_name(posts)} was put back in {what}", is_bad=True)]


def _name(posts: Sequence[Post]) -> str:
    return isolation.identity(posts[0].wanted)[1]


def _listed(texts: Iterable[str]) -> str:
    found = sorted(texts)
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(found[:MOST_NAMED]) + more


def _change(present: Object, wanted: Collection[str]) -> str:
    """Return who changed a policy; nothing when all of its spec is as the operator wrote it last.

    Who writes a field takes it from its owner (Server-Side Apply, KEP-555), so the API server remembers it for us.
    """
    owners = {
        (entry.get("manager", ""), entry.get("operation")): (entry.get("fieldsV1") or {}).get("f:spec")
        for entry in present["metadata"].get("managedFields") or []
    }
    if {f"f:{part}" for part in wanted} <= (owners.pop((names.WORKER_MANAGER, "Apply"), None) or {}).keys():
        return ""
    others = sorted({manager for (manager, _), fields in owners.items() if fields})
    return f"changed by {', '.join(others)}" if others else "changed"
