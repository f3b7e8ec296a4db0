"""How long a worker's credential is good, when the worker renews it, and whether it needs one to join with.

Called by the worker's renewal and by the hub's cluster reconciler. Tokens are read here, never verified: whether one
is genuine is the API server's to say.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kubeslice.model import names
from kubeslice.model.cluster import Cluster, CredentialWishes, HeldCredential
from kubeslice.plan.findings import Finding
from kubeslice.plan.moments import moment, stamp

RENEWED = "CredentialRenewed"
DEFAULT_SECONDS = 86_400
# An API server gives out no token for less (TokenRequest, k8s.io/api/authentication/v1).
SHORTEST_SECONDS = 600
# A credential is renewed when this part of its life is over, so that the last third is left for a hub that is away.
RENEWAL_PART = 2 / 3

_PRIVATE = "kubernetes.io"
_OF_SECRETS = "kubernetes.io/serviceaccount/service-account.uid"

NOT_YET = Finding(RENEWED, "Unknown", "WaitingForRenewal", "the worker uses the credential that it was brought")


@dataclass(frozen=True)
class Token:
    """What the token of a ServiceAccount says of itself. `expires` is None for the token of a Secret, which never does.

    `is_bound` tells that it ends with a Secret as well: it was made to join with.
    """

    account_uid: str
    issued: datetime | None = None
    expires: datetime | None = None
    is_bound: bool = False

    @property
    def is_own(self) -> bool:
        """Tell whether the worker got this one for itself: it ends, and with nothing but time and its account."""
        return self.expires is not None and not self.is_bound

    def wire(self) -> dict[str, str]:
        """Return what a worker reports of it."""
        return {"accountUID": self.account_uid, "issuedAt": stamp(self.issued), "expiresAt": stamp(self.expires)}


@dataclass(frozen=True)
class Custody:
    """What the hub does about the credential of a cluster's worker.

    `is_revoked` asks for another account, so that every token of the present one is worthless. `held_until` is None
    while the worker has no good credential of its own; then it needs the Secret to join with.
    """

    revision: str
    is_revoked: bool
    held_until: datetime | None
    wants_secret: bool


def custody(cluster: Cluster, account: Mapping[str, Any] | None, now: datetime) -> Custody:
    """Decide about a worker's credential from what was wished, what it reports and the account that there is."""
    wishes, metadata = cluster.spec.credential or CredentialWishes(), (account or {}).get("metadata") or {}
    made_for = (metadata.get("annotations") or {}).get(names.CREDENTIAL_REVISION_ANNOTATION, "")
    is_revoked = account is not None and made_for != wishes.revision
    uid = "" if is_revoked else str(metadata.get("uid") or "")
    held = _held_until(cluster.status.credential or HeldCredential(), uid, now)
    return Custody(wishes.revision, is_revoked, held, wants_secret=held is None or wishes.keep_secret)


def read(text: str) -> Token | None:
    """Read the claims of a token (RFC 7519); None for what is no token of a ServiceAccount."""
    try:
        payload = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        private = claims.get(_PRIVATE) or {}
        account = (private.get("serviceaccount") or {}).get("uid") or claims.get(_OF_SECRETS) or ""
        issued, expires = _time(claims.get("iat")), _time(claims.get("exp"))
    except (IndexError, AttributeError, TypeError, ValueError, OverflowError, OSError):
        return None
    return Token(str(account), issued, expires, is_bound="secret" in private)


def due(token: Token, seconds: int, brought: Token | None = None) -> datetime | None:
    """Return when a token is to be renewed; None for at once. `seconds` is the life that the hub wants tokens to have.

    A token that lives longer than that is renewed as one that does not: a shorter life takes effect early. One that is
    older than the token that was last `brought` to join with is renewed at once: whoever brought it waits for that.
    """
    if not token.is_own or token.expires is None or token.issued is None:
        return None
    if brought is not None and not follows(token, brought):
        return None
    life = min(token.expires - token.issued, timedelta(seconds=seconds))
    return token.issued + life * RENEWAL_PART


def wanted_seconds(cluster_status: Mapping[str, Any]) -> int:
    """Return how long the hub wants a worker's tokens to live."""
    return int(cluster_status.get("credentialSeconds") or DEFAULT_SECONDS)


def follows(own: Token, brought: Token) -> bool:
    """Tell whether a worker's own token was made after the one that it was brought, so that this one is used up."""
    return own.issued is None or brought.issued is None or own.issued >= brought.issued


def renewed(token: Token) -> Finding:
    """Return the finding that a worker looks after its credential itself."""
    return Finding(RENEWED, "True", "Renewed", f"the worker's own credential is good until {stamp(token.expires)}")


def not_renewed(token: Token, problem: str) -> Finding:
    """Return the finding that a credential could not be renewed, and how much time is left to see to it."""
    ends = f"it ends at {stamp(token.expires)}" if token.expires else "it is used as long as the hub accepts it"
    sentence = f"the worker's credential could not be renewed, which is tried again and again: {problem}; {ends}"
    return Finding(RENEWED, "False", "RenewalFailed", sentence)


def _held_until(told: HeldCredential, account_uid: str, now: datetime) -> datetime | None:
    # A credential of an account that was replaced since is worth nothing.
    ends = moment(told.expires_at)
    return ends if ends and ends > now and account_uid and told.account_uid == account_uid else None


def _time(claim: Any) -> datetime | None:
    return None if claim is None else datetime.fromtimestamp(int(claim), UTC)
