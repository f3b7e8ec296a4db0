"""Admission by webhooks and policies: what may change or refuse a write before it is stored. REST asks for every write.

Configurations are read again only after they changed; without any, a write costs two comparisons.
Source: k8s.io/apiserver/pkg/admission/plugin/webhook.
"""

import asyncio
import logging
import uuid

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import AdmissionRequest, Object, ObjectReader
from kubeslice.lab.apiserver.patching import json_patch
from kubeslice.lab.apiserver.policies import Policies
from kubeslice.lab.apiserver.schema.complaints import quote
from kubeslice.lab.apiserver.webhooks.client import CallError, Client
from kubeslice.lab.apiserver.webhooks.hook import (
    ConditionError,
    Hook,
    conditions_hold,
    hooks_of,
    selects_namespace,
)
from kubeslice.lab.apiserver.webhooks.review import (
    Answer,
    BadReviewError,
    denial,
    make_review,
    read_review,
    review_version,
)

log = logging.getLogger(__name__)

_GROUP = "admissionregistration.k8s.io"
_MUTATING, _VALIDATING = "mutatingwebhookconfigurations", "validatingwebhookconfigurations"


class Webhooks:
    """Calls the webhooks that the stored configurations name."""

    def __init__(self, reader: ObjectReader, client: Client | None = None) -> None:
        self._reader = reader
        self._client = client or Client(reader)
        self._policies = Policies(reader)
        self._hooks: dict[str, tuple[int, list[Hook]]] = {}

    async def close(self) -> None:
        """Close the connections to webhooks."""
        await self._client.close()

    async def mutate(self, request: AdmissionRequest, obj: Object | None, old: Object | None) -> Object | None:
        """Return the object as the mutating webhooks want it. Raises `ApiError` when one refuses."""
        hooks = self._current(_MUTATING)
        if not hooks:
            return obj
        called: dict[int, Object | None] = {}
        for index, hook in enumerate(hooks):
            obj, was_called = await self._mutate_by(hook, request, obj, old)
            if was_called:
                called[index] = obj
        for index, seen in called.items():
            if hooks[index].reinvoked and seen != obj:
                obj, _ = await self._mutate_by(hooks[index], request, obj, old)
        return obj

    async def _mutate_by(
        self, hook: Hook, request: AdmissionRequest, obj: Object | None, old: Object | None
    ) -> tuple[Object | None, bool]:
        if not self._concerns(hook, request, obj, old):
            return obj, False
        answer = await self._ask(hook, request, obj, old, mutating=True)
        if answer is None or not answer.patch:
            return obj, True
        if obj is None:
            why = "attempted to modify the object, which is not supported for this operation"
            raise refusals.internal(f"admission webhook {quote(hook.name)} {why}")
        try:
            patched: Object = json_patch.apply(obj, answer.patch)
        except json_patch.PatchFailed as error:
            raise refusals.internal(str(error)) from error
        return patched, True

    async def validate(self, request: AdmissionRequest, obj: Object | None, old: Object | None) -> None:
        """Ask policies, then the validating webhooks, all at once. Raises the `ApiError` of the first that refuses."""
        self._policies.check(request, obj, old)
        hooks = self._current(_VALIDATING)
        concerned = [hook for hook in hooks if self._concerns(hook, request, obj, old)] if hooks else []
        if not concerned:
            return
        asked = (self._ask(hook, request, obj, old, mutating=False) for hook in concerned)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _current(self, resource: str) -> list[Hook]:
        revision = self._reader.changed_at(_GROUP, resource)
        known = self._hooks.get(resource)
        if known is None or known[0] != revision:
            known = self._hooks[resource] = (revision, hooks_of(self._reader.list(_GROUP, resource)))
        return known[1]

    def _concerns(self, hook: Hook, request: AdmissionRequest, obj: Object | None, old: Object | None) -> bool:
        if not hook.has_rule_for(request):
            return False
        if not selects_namespace(self._reader, hook.namespace_selector, request, obj, old):
            return False
        if not hook.selects_object(obj, old):
            return False
        try:
            return conditions_hold(hook, request, obj, old)
        except ConditionError as error:
            if hook.ignores_failure:
                return False
            raise refusals.forbidden(
                request.resource.group, request.resource.resource, request.name, str(error)
            ) from error

    async def _ask(
        self, hook: Hook, request: AdmissionRequest, obj: Object | None, old: Object | None, *, mutating: bool
    ) -> Answer | None:
        """Return the answer of a webhook that allows the write, None where its failure is ignored."""
        if request.dry_run and hook.has_side_effects:
            raise refusals.bad_request(f"admission webhook {quote(hook.name)} does not support dry run")
        version, uid = review_version(hook.versions), str(uuid.uuid4())
        try:
            body = await self._client.post(hook.client, make_review(version, uid, request, obj, old), hook.timeout)
            answer = read_review(body, version, uid, mutating=mutating)
        except (CallError, BadReviewError) as error:
            _raise_failure(hook, error)
            return None
        request.warnings.extend(answer.warnings)
        if not answer.allowed:
            raise denial(hook.name, answer.status)
        return answer


def _raise_failure(hook: Hook, error: Exception) -> None:
    if hook.ignores_failure:
        log.warning("webhook %s failed and is ignored, as its failurePolicy says: %s", hook.name, error)
        return
    what = "failed to call webhook" if isinstance(error, CallError) else "received invalid webhook response"
    raise refusals.internal(f"failed calling webhook {quote(hook.name)}: {what}: {error}")
