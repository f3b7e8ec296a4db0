"""Events about the isolation of slices: policies that came, that somebody took away, and that others open.

What was told is remembered while the operator runs; what a Slice's status says was isolated before is taken over, so
that a policy which somebody deletes meanwhile is noticed after a restart as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model.resources import NETWORKPOLICIES, SLICES, Resource
from kubeslice.plan.cluster import isolation, isolation_news, localnames, onboarding
from kubeslice.plan.cluster.isolation import Opening
from kubeslice.plan.cluster.isolation_news import Known, News, Post
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import Caches

Finding = tuple[str, Opening]


@dataclass(frozen=True)
class Look:
    """What was seen of a slice before anything was put back; policies of others by their uid and what they open."""

    posts: list[Post]
    opened: dict[Finding, Object]


@dataclass(frozen=True)
class Incidents:
    """Tells each thing once."""

    caches: Caches
    reporter: Reporter
    _known: dict[str, Known] = field(default_factory=dict)

    def look(self, wanted: Iterable[Object], opened: Iterable[Opening]) -> Look:
        """Return what there is of the policies that are wanted, and of those that open namespaces."""
        own = self.caches.own
        posts = []
        for policy in wanted:
            namespace, name = isolation.identity(policy)
            home = own.namespaces.get(namespace)
            posts += [Post(objects.uid(home), policy, own.policies.get(name, namespace))] if home else []
        found = [(opening, own.policies.get(opening.name, opening.namespace)) for opening in opened]
        return Look(posts, {(objects.uid(policy), opening): policy for opening, policy in found if policy})

    async def tell(self, seen: Object, look: Look) -> None:
        """Tell what is new about a Slice."""
        name = objects.name(seen)
        before = self._known.get(name) or Known(self._isolated_before(seen, look.posts))
        known, news = isolation_news.since(before, look.posts)
        self._known[name] = replace(known, opened=frozenset(look.opened))
        for happened in news:
            await self._event(SLICES, seen, happened)
        fresh = {finding: policy for finding, policy in look.opened.items() if finding not in before.opened}
        for (_, opening), policy in fresh.items():
            await self._event(NETWORKPOLICIES, policy, isolation_news.widened(opening, localnames.title(seen)))
        further = isolation_news.further(before, [opening for _, opening in fresh])
        if further:
            await self._event(SLICES, seen, further)

    def forget(self, slice_name: str) -> None:
        """Forget a slice that is gone."""
        self._known.pop(slice_name, None)

    async def _event(self, resource: Resource, obj: Object, happened: News) -> None:
        await self.reporter.event(resource, obj, happened.reason, happened.sentence, warning=happened.is_bad)

    def _isolated_before(self, seen: Object, posts: list[Post]) -> frozenset[str]:
        status = objects.status(seen)
        told = set(status.get("applicationNamespaces") or []) if status.get("networkPoliciesInstalled") else set()
        homes = [(post, self.caches.own.namespaces.get(post.namespace)) for post in posts if post.namespace in told]
        # One that was made anew meanwhile has lost its label.
        return frozenset(post.uid for post, home in homes if home and onboarding.is_labelled(home))
