"""Who an applied object belongs to."""

from dataclasses import dataclass

from fluvial.apis.ids import Unstructured

__all__ = ["Owner"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The object that applies: `group` is its API group and the prefix of all its labels."""

    group: str
    name: str
    """The owner's name."""
    namespace: str
    """The owner's namespace."""

    @property
    def labels(self) -> dict[str, str]:
        """The two labels that every applied object carries."""
        return {f"{self.group}/name": self.name, f"{self.group}/namespace": self.namespace}

    def owns(self, live: Unstructured) -> bool:
        """Whether both labels are on a live object; nothing else may be deleted."""
        present = live["metadata"].get("labels") or {}
        return all(present.get(key) == value for key, value in self.labels.items())
