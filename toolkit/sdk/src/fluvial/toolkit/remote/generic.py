"""Any cluster that trusts the tokens of this one's ServiceAccounts (by OIDC)."""

from collections.abc import Awaitable, Callable

from fluvial.toolkit.client import Client, ClientError, ConfigError
from fluvial.toolkit.clouds import Account, Bearer, Need, own_account, request_token
from fluvial.toolkit.remote.description import Connection, Description, server_of

__all__ = ["Generic", "Issuer"]


class Issuer:
    """Gives the accounts' own tokens, as they are."""

    name = "generic"
    """What specs call it."""

    def __init__(self, local: Client) -> None:
        self._local = local

    async def audiences(self, account: Account) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """Return none: a cluster always says for whom."""
        return ()

    def identity(self, account: Account) -> str:
        """Return the name of the account's user."""
        return f"system:serviceaccount:{account.namespace}:{account.name}"

    async def own(self, need: Need) -> Bearer:
        """Get a token for the account of the controller, wherever that lives."""
        try:
            account = await own_account(self._local)
        except ConfigError:
            raise
        except ClientError as error:
            raise ConfigError(f"no token for the controller's own account: {error}") from error
        return await request_token(self._local, account, need.audiences)

    async def exchange(self, token: Bearer, account: Account, need: Need) -> Bearer:  # noqa: ARG002
        """Return the token."""
        return token


class Generic:
    """Connects to clusters by their address."""

    def __init__(self, issuer: Issuer) -> None:
        self.provider = issuer
        """Who gives the tokens."""

    def check(self, description: Description) -> None:
        """Raise ConfigError for a description without an address, or with one of no server."""
        if not description.address:
            raise ConfigError("address: the provider generic needs the address of the server")
        server_of(description.address)

    async def connect(
        self, description: Description, token: Callable[[Need], Awaitable[Bearer]]
    ) -> Connection:
        """Connect with a token for the audiences, the address where none are named."""
        got = await token(Need(audiences=description.audiences or (description.address,)))
        server = server_of(description.address)
        return Connection(server, description.ca, got.token, got.expires)
