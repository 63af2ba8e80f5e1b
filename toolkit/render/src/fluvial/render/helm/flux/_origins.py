"""Where composed values are written: what `compose` tells a ValueLayers, step by step."""

from collections.abc import Mapping
from typing import Any, Final

from fluvial.apis.meta import ValuesReference
from fluvial.render.helm._layers import ValueLayers
from fluvial.render.helm._values import copied
from fluvial.render.helm.flux._place import ReleasePlace
from fluvial.render.helm.flux._setting import set_path
from fluvial.render.yaml import load_documents

__all__ = ["Origins"]

_REFERENCE: Final = "valuesFrom"
_INLINE: Final = "spec.values"


class Origins:
    """The origins of one composition. `values` are the inline ones, which its steps change.

    A value at a path lands in the inline values, too, where the maps on its way are theirs; then
    the last merge puts it on top again. So after each such step they are compared with before.
    """

    def __init__(
        self,
        layers: ValueLayers,
        namespace: str,
        values: dict[str, Any],
        place: ReleasePlace | None,
    ) -> None:
        self._layers = layers
        self._namespace = namespace
        self._values = values
        self._pristine = self._known = copied(values)
        self._place = place
        self._landed: list[tuple[Mapping[str, Any], str]] = []

    def add(self, ref: ValuesReference, key: str, text: str) -> None:
        """Add what a step has just put over the others: never the text of a value."""
        name = f"{ref.kind} {self._namespace}/{ref.name} {key}"
        if not ref.target_path:
            for document in load_documents(text, file=key, positions=True)[:1]:
                self._layers.add_document(name, document, _REFERENCE)
            return
        self.add_inline()
        alone: dict[str, Any] = {}
        set_path(alone, ref.target_path, text, literal=ref.literal)
        source = f"{name} →"
        self._layers.add_values(alone, _REFERENCE, source)
        if landed := _landed(alone, self._known, self._values):
            self._landed.append((landed, source))
        self._known = copied(self._values)

    def add_inline(self) -> None:
        """Put the inline values on top, with what has landed in them."""
        if self._place is None:
            self._layers.add_values(self._pristine, _INLINE)
        elif self._pristine:
            file, document, inside = self._place
            values = (*inside, "spec", "values")
            self._layers.add_document(file, document, _INLINE, inside=values)
        for part, source in self._landed:
            self._layers.add_values(part, _REFERENCE, source)


def _landed(part: Mapping[str, Any], before: Any, after: Any) -> dict[str, Any]:
    """Return of `part` what is another value in `after` than it was in `before`."""
    kept: dict[str, Any] = {}
    for key, item in part.items():
        old, new = _entry(before, key), _entry(after, key)
        if isinstance(item, dict):
            if below := _landed(item, old, new):
                kept[key] = below
        elif (type(old), old) != (type(new), new):
            kept[key] = item
    return kept


def _entry(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
