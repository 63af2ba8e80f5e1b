"""Who is asked: Prometheus, or what an extension brings."""

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec

from fluvial.apis.flagger import MetricProvider
from fluvial.canary.metrics.model import NoValues, QueryError, UnsupportedMetricProvider
from fluvial.canary.metrics.prometheus import Prometheus
from fluvial.toolkit import extensions
from fluvial.toolkit.extensions import METRIC_PROVIDERS, ExtensionError, MetricProviderFactory

__all__ = ["metric_server"]

_PROMETHEUS: Final = "prometheus"
_TIMEOUT: Final = 30.0
"""Seconds that an extension has for a query."""


def metric_server(
    session: aiohttp.ClientSession, provider: MetricProvider, secret: Mapping[str, bytes] | None
) -> extensions.MetricProvider:
    """Return who answers for a provider. Raises QueryError.

    UnsupportedMetricProvider says what may be used, extensions included.
    """
    if provider.type == _PROMETHEUS:
        return Prometheus(session, provider, secret)
    try:
        factory: MetricProviderFactory | None = extensions.extension(
            METRIC_PROVIDERS, provider.type
        )
    except ExtensionError as error:
        raise QueryError(str(error)) from error
    if factory is None:
        known = [_PROMETHEUS, *(found.name for found in extensions.installed(METRIC_PROVIDERS))]
        raise UnsupportedMetricProvider(
            f"spec.provider.type {provider.type} is not supported; use {' or '.join(known)}, or "
            f"install an extension of the group {METRIC_PROVIDERS}"
        )
    try:
        return _Foreign(factory(session, msgspec.to_builtins(provider), secret))
    except Exception as error:
        raise QueryError(f"{provider.type}: {error}") from error


class _Foreign:
    """An extension's provider: what it raises is a failed check and stops no release."""

    def __init__(self, provider: extensions.MetricProvider) -> None:
        self._provider = provider

    async def value(self, query: str) -> float:
        try:
            async with asyncio.timeout(_TIMEOUT):
                return float(await self._provider.value(query))
        except extensions.NoValues as error:
            raise NoValues(str(error) or "no values found") from error
        except TimeoutError as error:
            raise QueryError(f"no answer within {_TIMEOUT:g} seconds") from error
        except Exception as error:
            raise QueryError(f"{type(error).__name__}: {error}") from error

    async def check_online(self) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._provider.check_online()
        except TimeoutError as error:
            raise QueryError(f"no answer within {_TIMEOUT:g} seconds") from error
        except Exception as error:
            raise QueryError(f"{type(error).__name__}: {error}") from error
