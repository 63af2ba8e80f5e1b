"""ServiceAccounts of this cluster, and the tokens that it issues for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fluvial.toolkit.client import Client, ClientError, ConfigError, NotFound, Resource
from fluvial.toolkit.clouds.cache import Bearer

__all__ = ["Account", "find_account", "own_account", "request_token"]

_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
_SELF: Final = Resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False
)
_PREFIX: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Account:
    """A ServiceAccount, and what it says about who it is elsewhere."""

    namespace: str
    """Its namespace."""
    name: str
    """Its name."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Its annotations, which name identities of clouds."""

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"ServiceAccount '{self.namespace}/{self.name}'"


async def find_account(local: Client, namespace: str, named: str, default: str) -> Account | None:
    """Read the account `named`, else `default`; None where there is neither.

    It is read as the controller. Raises ConfigError where the account is not there, and what
    reading an object can raise.
    """
    name = named or default
    if not name:
        return None
    try:
        found = await local.get(_ACCOUNTS, name, namespace, metadata_only=True)
    except NotFound as error:
        why = "" if named else ", and is the one that this controller uses where none is named"
        raise ConfigError(f"ServiceAccount '{namespace}/{name}' not found{why}") from error
    return Account(namespace, name, found["metadata"].get("annotations") or {})


async def own_account(local: Client) -> Account:
    """Ask as which account the controller itself is known. Raises ConfigError, ClientError."""
    body = {"apiVersion": _SELF.api_version, "kind": _SELF.kind}
    review = await local.create(_SELF, body)
    user = str(((review.get("status") or {}).get("userInfo") or {}).get("username") or "")
    namespace, _, name = user.removeprefix(_PREFIX).partition(":")
    if not user.startswith(_PREFIX) or not name:
        raise ConfigError(
            f"the controller acts as {user or 'nobody'!r}, which is no ServiceAccount and has no "
            "tokens: name one in serviceAccountName"
        )
    return Account(namespace, name)


async def request_token(local: Client, account: Account, audiences: Sequence[str]) -> Bearer:
    """Let the cluster issue a token for an account, of the server's usual life.

    Without audiences it is for the API server. Raises ConfigError naming the account.
    """
    spec = {"audiences": list(audiences)} if audiences else {}
    try:
        answer = await local.create(
            _ACCOUNTS,
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
            account.namespace,
            name=account.name,
            subresource="token",
        )
    except NotFound as error:
        raise ConfigError(f"{account.title} not found") from error
    except ClientError as error:
        raise ConfigError(f"no token for {account.title}: {error}") from error
    status = answer["status"]
    return Bearer(status["token"], datetime.fromisoformat(status["expirationTimestamp"]))
