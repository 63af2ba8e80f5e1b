"""The digests in a HelmRelease's status; a swap of controllers depends on every byte of them."""

import hashlib
from typing import Any

import msgspec

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.helm.gojson import encode, sorted_keys
from fluvial.helm.storage.record import Record
from fluvial.render.yaml import dump

__all__ = [
    "ALGORITHMS",
    "common_metadata_digest",
    "config_digest",
    "post_renderers_digest",
    "same_snapshot",
    "snapshot_digest",
]

ALGORITHMS = ("sha256", "sha384", "sha512", "sha1")
"""What `--snapshot-digest-algo` admits; upstream also knows blake3."""

_METADATA = (
    "name", "home", "sources", "version", "description", "keywords", "maintainers", "icon",
    "apiVersion", "condition", "tags", "appVersion", "deprecated", "annotations", "kubeVersion",
    "dependencies", "type",
)  # fmt: skip
_MAINTAINER = ("name", "email", "url")
_DEPENDENCY = (
    "name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias",
)  # fmt: skip
_INFO = ("first_deployed", "last_deployed", "deleted", "description", "status", "notes")
_HOOK = ("name", "kind", "path", "manifest", "events")
_INT64 = 1 << 63


def config_digest(values: dict[str, Any] | None) -> str:
    """Digest composed values: go-yaml's text with keys sorted bytewise; nothing for no values."""
    text = dump(sorted_keys(_integral(values)), sort_keys=False) if values else ""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def snapshot_digest(record: Record, algorithm: str = "sha256", oci_digest: str = "") -> str:
    """Digest a record of the storage, as it was observed. Test hooks do not count."""
    observed: dict[str, Any] = {
        "name": record.name,
        "version": record.version,
        "info": _filled(msgspec.to_builtins(record.info), _INFO),
        "chartMetadata": _metadata(record.metadata),
        "config": sorted_keys(record.config) if record.config else None,
        "manifest": record.manifest,
        "hooks": [_hook(hook) for hook in _plain_hooks(record)] or None,
        "namespace": record.namespace,
    }
    if oci_digest:
        observed["ociDigest"] = oci_digest
    return f"{algorithm}:{hashlib.new(algorithm, encode(observed)).hexdigest()}"


def same_snapshot(record: Record, digest: str, oci_digest: str = "") -> bool:
    """Whether a record is the one that a snapshot was taken of, by the snapshot's own algorithm.

    A digest of an algorithm that is not known here is never the same.
    """
    algorithm = digest.partition(":")[0]
    return algorithm in ALGORITHMS and snapshot_digest(record, algorithm, oci_digest) == digest


def post_renderers_digest(obj: HelmRelease) -> str:
    """Digest `spec.postRenderers`; empty without any."""
    return _json_digest(msgspec.to_builtins(obj.spec.post_renderers))


def common_metadata_digest(obj: HelmRelease) -> str:
    """Digest `spec.commonMetadata`; empty without any."""
    common = obj.spec.common_metadata
    return _json_digest(sorted_keys(msgspec.to_builtins(common))) if common else ""


def _json_digest(value: Any) -> str:
    return f"sha256:{hashlib.sha256(encode(value)).hexdigest()}" if value else ""


def _integral(value: Any) -> Any:
    """Turn whole floats into integers, which is how go-yaml prints what came through JSON."""
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_integral(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _INT64:
        return int(value)
    return value


def _filled(source: Unstructured, keys: tuple[str, ...]) -> dict[str, Any]:
    """Pick keys in Go's order, without empty values."""
    return {key: source[key] for key in keys if source.get(key) not in (None, "", [], {}, False, 0)}


def _metadata(metadata: Unstructured) -> dict[str, Any]:
    found = _filled(metadata, _METADATA)
    if "annotations" in found:
        found["annotations"] = sorted_keys(found["annotations"])
    if "maintainers" in found:
        found["maintainers"] = [_filled(one, _MAINTAINER) for one in found["maintainers"]]
    if "dependencies" in found:
        found["dependencies"] = [_dependency(one) for one in found["dependencies"]]
    return found


def _dependency(dependency: Unstructured) -> dict[str, Any]:
    return _filled(
        {**dependency, "repository": dependency.get("repository") or "\0"}, _DEPENDENCY
    ) | {"repository": dependency.get("repository") or ""}


def _plain_hooks(record: Record) -> list[Unstructured]:
    hooks: list[Unstructured] = msgspec.to_builtins(record.hooks)
    return [hook for hook in hooks if "test" not in (hook.get("events") or ())]


def _hook(hook: Unstructured) -> dict[str, Any]:
    run = hook.get("last_run") or {}
    return {
        **_filled(hook, _HOOK),
        "last_run": {
            **_filled(run, ("started_at", "completed_at")),
            "phase": run.get("phase") or "",
        },
        **_filled(hook, ("weight", "delete_policies", "output_log_policies")),
    }
