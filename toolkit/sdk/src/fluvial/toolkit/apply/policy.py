"""What labels and annotations of single objects ask for."""

from typing import Any

from fluvial.apis.ids import Unstructured

__all__ = ["Policy"]


class Policy:
    """The controls `<group>/{ssa,reconcile,prune,force}` of an object, by label or annotation.

    Values compare case-insensitively, as upstream's do. `live` may be None.
    """

    def __init__(self, group: str, manifest: Unstructured, live: Unstructured | None) -> None:
        self._group = group
        self._manifest = manifest
        self._live = live

    @property
    def ignored(self) -> bool:
        """Left alone altogether: never applied, never pruned, not in health checks."""
        return self._asks("reconcile", "disabled") or self._asks("ssa", "ignore")

    @property
    def skipped(self) -> bool:
        """Not applied now: ignored, or to be created only where there is none."""
        if self.ignored:
            return True
        return self._live is not None and _has(self._manifest, f"{self._group}/ssa", "ifnotpresent")

    @property
    def merged(self) -> bool:
        """Fields of other managers survive: no cleaning of field managers."""
        return self._asks("ssa", "merge")

    @property
    def forced(self) -> bool:
        """Recreated when a field is immutable."""
        return self._asks("force", "enabled")

    @property
    def kept(self) -> bool:
        """Never pruned."""
        return self.ignored or self._asks("prune", "disabled")

    def _asks(self, control: str, value: str) -> bool:
        key = f"{self._group}/{control}"
        return any(_has(obj, key, value) for obj in (self._manifest, self._live) if obj is not None)


def _has(obj: Unstructured, key: str, value: str) -> bool:
    metadata: dict[str, Any] = obj.get("metadata") or {}
    return any(
        str((metadata.get(place) or {}).get(key, "")).lower() == value
        for place in ("labels", "annotations")
    )
