"""Identities in clouds: tokens for ServiceAccounts of this cluster, and for the controller.

```python
cache = TokenCache(100, clock=clock, metrics=metrics)
tokens = Tokens(client, cache)
account = await find_account(client, namespace, "deployer", default="")
token = await tokens.access(Gcp(Services(clock)), account, Need())
```

Nothing of a cloud is stored: the cluster issues a token for the account, and the cloud, which
trusts the cluster's issuer, gives one of its own for it (workload identity). Everything here raises
ConfigError, whose messages name who refused and why, and never hold a token.
"""

from fluvial.toolkit.clouds.accounts import Account, find_account, own_account, request_token
from fluvial.toolkit.clouds.aws import Aws, Keys
from fluvial.toolkit.clouds.azure import Azure, Management
from fluvial.toolkit.clouds.cache import LONGEST, Bearer, Expiring, Involved, TokenCache
from fluvial.toolkit.clouds.gcp import Gcp
from fluvial.toolkit.clouds.services import Services
from fluvial.toolkit.clouds.tokens import Need, Provider, Tokens, digest

__all__ = [
    "LONGEST",
    "Account",
    "Aws",
    "Azure",
    "Bearer",
    "Expiring",
    "Gcp",
    "Involved",
    "Keys",
    "Management",
    "Need",
    "Provider",
    "Services",
    "TokenCache",
    "Tokens",
    "digest",
    "find_account",
    "own_account",
    "request_token",
]
