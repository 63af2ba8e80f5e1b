"""Clusters of Amazon EKS: a token is a signed question, who am I, that the cluster sends on."""

import base64
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from fluvial.toolkit.client import ConfigError
from fluvial.toolkit.clock import Clock
from fluvial.toolkit.clouds import Aws, Keys, Need
from fluvial.toolkit.remote.description import Connection, Description, server_of

__all__ = ["Eks"]

_ARN: Final = r"^arn:aws[\w-]*:eks:([^:]{1,100}):[0-9]{1,30}:cluster/(.{1,200})$"
_LIFE: Final = 900
"""Seconds that a cluster takes a token, however long its signature says."""

_QUESTION: Final = "Action=GetCallerIdentity&Version=2011-06-15"


class Eks:
    """Connects to clusters by their ARN, which names the region too."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self.provider = aws
        """Who gives the tokens."""
        self._clock = clock

    def check(self, description: Description) -> None:
        """Raise ConfigError for a cluster that is no ARN; it is needed in any case."""
        _parse(description.cluster)

    async def connect(
        self, description: Description, token: Callable[[Need], Awaitable[Keys]]
    ) -> Connection:
        """Look the cluster up, where its address or authority is not known, and sign."""
        expires = self._clock.now() + timedelta(seconds=_LIFE)
        region, name = _parse(description.cluster)
        keys = await token(Need(audiences=description.audiences, region=region))
        address, ca = description.address, description.ca
        if not description.complete:
            async with self.provider.client("eks", region, keys) as eks:
                found = (await eks.describe_cluster(name=name))["cluster"]
            try:
                address = address or found["endpoint"]
                ca = ca or base64.b64decode(found["certificateAuthority"]["data"]).decode()
            except (KeyError, ValueError) as error:
                raise ConfigError(
                    f"the cluster {description.cluster} has no endpoint or authority yet"
                ) from error
        async with self.provider.client("sts", region, keys) as sts:
            endpoint = sts.meta.endpoint_url
        signed = _signed(f"{endpoint}/?{_QUESTION}", region, name, keys)
        word = base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")
        return Connection(server_of(address), ca, f"k8s-aws-v1.{word}", expires)


def _parse(cluster: str) -> tuple[str, str]:
    """Return region and name."""
    match = re.fullmatch(_ARN, cluster, re.ASCII)
    if match is None:
        raise ConfigError(f"cluster: {cluster!r} is no ARN of EKS: it must match {_ARN}")
    return match[1], match[2]


def _signed(url: str, region: str, name: str, keys: Keys) -> str:
    """Sign a URL; the cluster's name is part of what is signed, so no other one takes it."""
    from botocore.auth import SigV4QueryAuth  # noqa: PLC0415 - where AWS is used
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    request = AWSRequest(method="GET", url=url, headers={"x-k8s-aws-id": name})
    who = Credentials(keys.access, keys.secret, keys.session or None)
    SigV4QueryAuth(who, "sts", region, expires=_LIFE).add_auth(request)
    signed: str = request.url
    return signed
