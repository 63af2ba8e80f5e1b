"""In which order Helm deletes kinds: close to the reverse of how it installs them."""

from collections.abc import Iterable

from fluvial.apis.ids import Unstructured
from fluvial.render.helm import UNINSTALL_ORDER

__all__ = ["uninstall_order"]

_RANK = {kind: rank for rank, kind in enumerate(UNINSTALL_ORDER)}


def uninstall_order(objects: Iterable[Unstructured]) -> list[Unstructured]:
    """Sort for deletion; kinds that Helm does not know come last, by name."""
    return sorted(objects, key=lambda obj: (_RANK.get(obj["kind"], len(_RANK)), _unknown(obj)))


def _unknown(obj: Unstructured) -> str:
    return "" if obj["kind"] in _RANK else str(obj["kind"])
