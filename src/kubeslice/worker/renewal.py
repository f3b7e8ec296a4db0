"""The worker's own credential for the hub: getting one, and the next one before that ends.

Called by the operator while it leads. What a worker was brought to join with is replaced as soon as the hub has taken
its first report, so a token of its own in the Secret of the project tells that the worker is registered.
"""

import asyncio
import base64
import logging
from collections.abc import Callable

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError
from kubeslice.kube.tokens import request_token
from kubeslice.model import names
from kubeslice.model.resources import SECRETS
from kubeslice.plan.findings import Finding
from kubeslice.plan.tenants import credentials
from kubeslice.plan.tenants.credentials import Token
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.resting import rest
from kubeslice.worker import notices
from kubeslice.worker.caches import SYSTEM, Caches
from kubeslice.worker.membership import Membership
from kubeslice.worker.metrics import WorkerMetrics

log = logging.getLogger(__name__)

FIRST_RETRY = 1.0
RETRY_CAP = 300.0
# Between two renewals of the worker's own token, whatever its clock makes of the times in it.
PAUSE = 60.0


class Renewal:
    """Keeps the worker in a credential of its own. `finding` tells how that goes; `subscribe` hears of every turn.

    `reporter` is that of the own cluster.
    """

    def __init__(
        self,
        membership: Membership,
        caches: Caches,
        reporter: Reporter,
        metrics: WorkerMetrics,
    ) -> None:
        self.finding = credentials.NOT_YET
        self._membership = membership
        self._token = membership.token
        self._caches = caches
        self._reporter = reporter
        self._expires = metrics.hub_credential_expires.labels(membership.member.project)
        self._failures = metrics.hub_credential_failures.labels(membership.member.project)
        self._backoff = Backoff(FIRST_RETRY, RETRY_CAP)
        self._rests_until = 0.0
        self._changed = asyncio.Event()
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, subscriber: Callable[[], None]) -> None:
        """Call `subscriber` whenever the finding changes."""
        self._subscribers.append(subscriber)

    @property
    def held(self) -> Token | None:
        """Return the token in force when the worker got it for itself."""
        token = credentials.read(self._token())
        return token if token and token.is_own else None

    def refused(self) -> bool:
        """Note that the hub refused the token in use; return whether another one is tried now."""
        return self._token.refused()

    async def run(self) -> None:
        """Renew until cancelled."""
        await self._until_registered()
        while True:
            self._changed.clear()
            token = credentials.read(self._token())
            self._observe(token)
            wait = self._time_left(token)
            if token is not None and wait == 0.0:
                wait = await self._renew(token)
            await rest(wait, self._changed)

    async def _until_registered(self) -> None:
        cluster, link, own = self._membership.caches.cluster, self._membership.link, self._caches.own
        await own.secrets_of(self._membership).synced.wait()
        await cluster.synced.wait()
        link.subscribe(self._changed.set)
        while link.finding.status != "True":
            await self._changed.wait()
            self._changed.clear()
        self._token.subscribe(self._changed.set)
        cluster.subscribe(self._cluster_changed)

    def _cluster_changed(self, old: Object | None, new: Object | None) -> None:
        lives = [credentials.wanted_seconds(objects.status(obj)) if obj else None for obj in (old, new)]
        if lives[0] != lives[1]:
            self._changed.set()

    def _observe(self, token: Token | None) -> None:
        self._expires.set(token.expires.timestamp() if token and token.expires else 0)
        if token is not None and token.is_own and self._time_left(token) != 0.0:
            self._become(credentials.renewed(token))

    def _time_left(self, token: Token | None) -> float | None:
        """Return how many seconds to wait before a token is renewed, None for as long as nothing changes."""
        if token is None:
            return None
        brought, clock = credentials.read(self._token.brought), self._reporter.clock
        due = credentials.due(token, self._wanted_seconds(), brought)
        left = (due - clock.now()).total_seconds() if due else 0.0
        rest = self._rests_until - clock.monotonic() if due else 0.0
        return max(left, rest, 0.0)

    def _wanted_seconds(self) -> int:
        return credentials.wanted_seconds(objects.status(self._membership.caches.registered or {}))

    async def _renew(self, token: Token) -> float:
        """Get another token and put it into the Secret, from where it is used; return how long to rest."""
        member, hub = self._membership.member, self._membership.api
        account, home = names.worker_account(member.name), names.project_namespace(member.project)
        try:
            text = await request_token(hub, account, home, self._wanted_seconds())
            data = {names.OWN_TOKEN: base64.b64encode(text.encode()).decode()}
            await self._reporter.api.patch(SECRETS, self._membership.secret, SYSTEM, {"data": data})
        except ApiError as error:
            await self._failed(token, error)
            return self._backoff.next()
        log.info("the credential for the hub is renewed")
        self._backoff.reset()
        self._rests_until = self._reporter.clock.monotonic() + PAUSE
        return PAUSE

    async def _failed(self, token: Token, error: ApiError) -> None:
        self._failures.inc()
        finding = credentials.not_renewed(token, error.message)
        if self._become(finding):
            await notices.warn(self._reporter, self._caches, finding)

    def _become(self, finding: Finding) -> bool:
        before, self.finding = self.finding, finding
        if finding != before:
            log.log(logging.INFO if finding.status == "True" else logging.ERROR, "%s", finding.message)
            for subscriber in self._subscribers:
                subscriber()
        return (finding.status, finding.reason) != (before.status, before.reason)
