"""Kubeconfig documents: loading them with kubernetes-asyncio, and disarming those of tenants."""

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

__all__ = ["load", "sanitize"]

_REFRESH = 60.0
"""Seconds between looks at whether the loader's token has expired."""

_FILES = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
"""Fields that name a file on the reader's disk, and the inline field that replaces each."""


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
    tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    # Authorities made by cluster tools often lack a subject key identifier (Go does not ask).
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        tls.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def sanitize(
    document: Mapping[str, Any], *, allow_exec: bool = False, allow_insecure: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Return a tenant's kubeconfig without what could act on this machine, and what was dropped.

    Exec plugins and auth providers go unless `allow_exec`; `insecure-skip-tls-verify` goes unless
    `allow_insecure`; fields that name files go always, since they would be read with this
    process's rights. The dropped fields are named as `users[name].user.exec`. Same as upstream,
    see `--insecure-kubeconfig-exec` and `--insecure-kubeconfig-tls`. Raises ConfigError for a
    document that is no kubeconfig.
    """
    dropped: list[str] = []
    clean: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    if isinstance(document.get("current-context"), str):
        clean["current-context"] = document["current-context"]
    for plural, singular in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        clean[plural] = []
        entries = document.get(plural) or []
        if not isinstance(entries, list):
            raise ConfigError(f"kubeconfig: {plural} must be a list")
        for entry in entries:
            body = entry.get(singular) if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(body or {}, dict):
                raise ConfigError(f"kubeconfig: every entry of {plural} must be a mapping")
            kept = {}
            for key, value in (body or {}).items():
                unsafe = (
                    key in _FILES
                    or (key in {"exec", "auth-provider"} and not allow_exec)
                    or (key == "insecure-skip-tls-verify" and not allow_insecure)
                )
                if unsafe:
                    dropped.append(f"{plural}[{entry.get('name')}].{singular}.{key}")
                else:
                    kept[key] = value
            clean[plural].append({"name": entry.get("name"), singular: kept})
    return clean, dropped
