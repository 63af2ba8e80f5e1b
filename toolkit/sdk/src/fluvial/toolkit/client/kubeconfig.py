"""Kubeconfig documents of our own, loaded with kubernetes-asyncio.

Those of tenants are for `fluvial.toolkit.remote`.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kubernetes_asyncio.client.configuration import Configuration
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.kube_config import (
    KUBE_CONFIG_DEFAULT_LOCATION,
    load_kube_config,
    load_kube_config_from_dict,
)

from fluvial.toolkit.client.config import Credentials, NoCredentials
from fluvial.toolkit.client.errors import ConfigError
from fluvial.toolkit.client.tls import client_context

__all__ = ["load"]

_REFRESH = 60.0
"""Seconds between looks at whether the loader's token has expired."""


class _LoaderCredentials:
    """Bearer tokens from a kubernetes-asyncio loader, which knows how to renew them."""

    def __init__(self, loader: Any, configuration: Configuration) -> None:
        self._loader = loader
        self._configuration = configuration
        self._due = time.monotonic() + _REFRESH
        self._lock = asyncio.Lock()

    async def headers(self, *, refresh: bool = False) -> Mapping[str, str]:
        """Return the current token; expired or refused ones are renewed first."""
        renewable = self._loader.provider or hasattr(self._loader, "exec_plugin_expiry")
        if refresh or (renewable and time.monotonic() >= self._due):
            async with self._lock:
                try:
                    await self._loader.load_and_set(self._configuration)
                except Exception as error:  # a plugin may fail in any way
                    raise ConfigError(f"the credentials were not renewed: {error}") from error
                self._due = time.monotonic() + _REFRESH
        token = self._configuration.api_key.get("BearerToken", "")
        if not token:
            return {}
        return {"Authorization": token if " " in token else f"Bearer {token}"}


async def load(
    source: str | Path | Mapping[str, Any] | None, context: str | None
) -> dict[str, Any]:
    """Read a kubeconfig into the arguments of `ClusterConfig`."""
    configuration = Configuration()
    shown = "the given document" if isinstance(source, Mapping) else str(source or "the default")
    try:
        if isinstance(source, Mapping):
            loader = await load_kube_config_from_dict(dict(source), context, configuration)
        else:
            path = str(source or os.environ.get("KUBECONFIG") or KUBE_CONFIG_DEFAULT_LOCATION)
            loader = await load_kube_config(path, context, configuration, persist_config=False)
        tls = await asyncio.to_thread(_tls, configuration)
    except (ConfigException, OSError, yaml.YAMLError, ssl.SSLError, KeyError) as error:
        raise ConfigError(f"cannot use kubeconfig {shown}: {error}") from error
    context_body = (loader.current_context or {}).get("context") or {}
    credentials: Credentials = _LoaderCredentials(loader, configuration)
    if not configuration.api_key and configuration.cert_file:
        credentials = NoCredentials()
    return {
        "server": (configuration.host or "").rstrip("/"),
        "credentials": credentials,
        "tls": tls,
        "tls_server_name": configuration.tls_server_name,
        "namespace": context_body.get("namespace") or "default",
        "proxy": configuration.proxy,
    }


def _tls(configuration: Configuration) -> ssl.SSLContext | None:
    if not (configuration.host or "").startswith("https"):
        return None
    tls = client_context(ca_file=configuration.ssl_ca_cert, verify=bool(configuration.verify_ssl))
    if configuration.cert_file:
        tls.load_cert_chain(configuration.cert_file, configuration.key_file)
    return tls
