"""AdmissionReviews: what a webhook is sent and what its answer means.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request and webhook/errors.
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from kubeslice.lab.apiserver.interfaces import AdmissionRequest, ApiError, Object
from kubeslice.lab.apiserver.schema.complaints import quote
from kubeslice.lab.apiserver.webhooks.hook import described_request

_KINDS = {"v1": "admission.k8s.io/v1", "v1beta1": "admission.k8s.io/v1beta1"}
_WITHOUT_EXPLANATION = "without explanation"


class BadReviewError(Exception):
    """The webhook answered something that is no answer; its failure policy decides what follows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook answered."""

    allowed: bool
    status: Object
    patch: list[dict[str, Any]]
    warnings: tuple[str, ...]


def review_version(versions: tuple[str, ...]) -> str:
    """Return the first version of AdmissionReview that the webhook takes and this server speaks."""
    return next((version for version in versions if version in _KINDS), "v1")


def make_review(version: str, uid: str, request: AdmissionRequest, obj: Object | None, old: Object | None) -> Object:
    """Return the review to be sent."""
    asked = described_request(request, uid)
    asked |= {"object": obj, "oldObject": old, "dryRun": request.dry_run, "options": dict(request.options) or None}
    return {"kind": "AdmissionReview", "apiVersion": _KINDS[version], "request": asked}


def read_review(body: bytes, version: str, uid: str, *, mutating: bool) -> Answer:
    """Read what came back. Raises `BadReviewError`."""
    try:
        review = json.loads(body)
        response = review["response"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadReviewError("webhook response was absent") from error
    if not isinstance(response, dict):
        raise BadReviewError("webhook response was absent")
    expected = f"{_KINDS[version]}, Kind=AdmissionReview"
    found = f"{review.get('apiVersion', '')}, Kind={review.get('kind', '')}"
    if version == "v1" and found != expected:
        raise BadReviewError(f"expected webhook response of {expected}, got {found}")
    if version == "v1" and response.get("uid") != uid:
        raise BadReviewError(f"expected response.uid={quote(uid)}, got {quote(str(response.get('uid') or ''))}")
    return Answer(
        allowed=response.get("allowed") is True,
        status=response.get("status") or {},
        patch=_patch(response, version, mutating=mutating),
        warnings=tuple(response.get("warnings") or ()),
    )


def _patch(response: Object, version: str, *, mutating: bool) -> list[dict[str, Any]]:
    encoded, kind = response.get("patch"), response.get("patchType")
    if not encoded:
        return []
    if not mutating:
        raise BadReviewError("validating webhook may not return response.patch")
    if version == "v1" and kind is None:
        raise BadReviewError("webhook returned response.patch but not response.patchType")
    if kind not in (None, "JSONPatch"):
        raise BadReviewError(f"webhook returned invalid response.patchType of {quote(str(kind))}")
    try:
        operations = json.loads(b64decode(encoded))
    except ValueError as error:
        raise BadReviewError(f"webhook returned a patch that is no JSON: {error}") from error
    if not isinstance(operations, list):
        raise BadReviewError("webhook returned a patch that is no list of operations")
    return operations


def denial(name: str, status: Object) -> ApiError:
    """Make the refusal of a write that a webhook denied."""
    why = status.get("message") or status.get("reason") or ""
    denied = f"admission webhook {quote(name)} denied the request"
    message = f"{denied}: {why}" if why else f"{denied} {_WITHOUT_EXPLANATION}"
    code = int(status.get("code") or 0)
    return ApiError(max(code, 400), status.get("reason") or "", message, status.get("details"))
