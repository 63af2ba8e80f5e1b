"""Keys of labels and annotations that do not survive upstream's way of writing them."""

from collections.abc import Iterable

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.yaml import Dialect, resolve

__all__ = ["check_keys"]


def check_keys(keys: Iterable[str], where: str = "") -> None:
    """Refuse keys that a plain YAML scalar cannot hold as text, as `8`, `true` and the empty one.

    Upstream writes every annotation, and each label that it adds, without the quotes that its key
    had, and fails when it then reads the resource. `where` is what the message names first.
    Raises TransformError.
    """
    for key in keys:
        if resolve(key, Dialect.KYAML) != key:
            raise TransformError(
                f"{where}{': ' * bool(where)}YAML reads the key {key!r} as no string: use another"
            )
