"""`spec.conversion` of a CustomResourceDefinition: defaults and checks.

Same as upstream, `apiextensions-apiserver/pkg/apis/apiextensions/validation`, whose paths are those
of its internal form: `webhookClientConfig` and `conversionReviewVersions` stand beside `strategy`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from cryptography import x509

from fluvial.cluster import fielderrors
from fluvial.cluster.builtin.webhooks import service_errors, url_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.names import service_name_errors
from fluvial.cluster.objects import Object

__all__ = ["bundle_errors", "conversion_errors", "default_conversion"]

_STRATEGIES = ("None", "Webhook")
_VERSIONS = ("v1", "v1beta1")
_ALONE = "should not be set when strategy is not set to Webhook"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def default_conversion(spec: Object) -> None:
    """Default the strategy, and the port of a service."""
    conversion = spec.setdefault("conversion", {"strategy": "None"})
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if isinstance(service, dict):
        service.setdefault("port", 443)


def conversion_errors(conversion: dict[str, Any]) -> list[Cause]:
    """Check a conversion, all but its bundle: a new definition may have one that is none."""
    path = "spec.conversion"
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    errors: list[Cause] = []
    if not strategy:
        errors.append(fielderrors.required(f"{path}.strategy"))
    elif strategy not in _STRATEGIES:
        errors.append(fielderrors.not_supported(f"{path}.strategy", strategy, _STRATEGIES))
    if strategy == "Webhook":
        errors += _client_errors(config, f"{path}.webhookClientConfig")
        return errors + _version_errors(versions, f"{path}.conversionReviewVersions")
    if config is not None:
        errors.append(fielderrors.forbidden(f"{path}.webhookClientConfig", _ALONE))
    if versions:
        errors.append(fielderrors.forbidden(f"{path}.conversionReviewVersions", _ALONE))
    return errors


def bundle_errors(obj: Object, old: Object) -> list[Cause]:
    """Check the bundle of an update: once a definition is established a good one stays good."""
    conditions = (old.get("status") or {}).get("conditions") or []
    established = any(
        each["type"] == "Established" and each["status"] == "True" for each in conditions
    )
    bundle, before = _bundle(obj), _bundle(old)
    if not bundle or not established or (before and not _is_good(before)) or _is_good(bundle):
        return []
    text = "unable to load root certificates: unable to parse bytes as PEM block"
    return [fielderrors.invalid("spec.conversion.webhookClientConfig.caBundle", bundle, text)]


def _client_errors(config: Any, path: str) -> list[Cause]:
    if config is None:
        return [fielderrors.required(path, "required when strategy is set to Webhook")]
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [fielderrors.required(path, "exactly one of url or service is required")]
    if service is None:
        return url_errors(str(url), f"{path}.url")
    return service_errors(service, f"{path}.service")


def _bundle(definition: Object) -> str:
    webhook = (definition["spec"].get("conversion") or {}).get("webhook") or {}
    return (webhook.get("clientConfig") or {}).get("caBundle") or ""


def _is_good(bundle: str) -> bool:
    """Tell whether a `caBundle` is PEM with certificates that can be read."""
    try:
        found = _PEM.findall(base64.b64decode(bundle, validate=True))
        for block in found:
            x509.load_pem_x509_certificate(block)
    except (binascii.Error, ValueError):
        return False
    return bool(found)


def _version_errors(versions: list[str], path: str) -> list[Cause]:
    if not versions:
        return [fielderrors.required(path)]
    errors: list[Cause] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            errors.append(fielderrors.invalid(f"{path}[{index}]", version, "duplicate version"))
            continue
        errors += [
            fielderrors.invalid(f"{path}[{index}]", version, text)
            for text in service_name_errors(version)
        ]
    if not set(_VERSIONS).intersection(versions):
        text = f"must include at least one of {', '.join(_VERSIONS)}"
        errors.append(fielderrors.invalid(path, versions, text))
    return errors
