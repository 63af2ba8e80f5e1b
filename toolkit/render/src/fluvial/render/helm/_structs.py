"""Go structs among the objects of templates."""

from typing import Any

from fluvial.render.gotemplate import text_of

__all__ = ["Struct"]


class Struct:
    """A Go struct: fields by name, JSON by its own keys, printed as `text`.

    `promoted` are the fields of a struct that is embedded: they can be asked for, too.
    """

    def __init__(
        self,
        go_type: str,
        fields: dict[str, Any],
        json: dict[str, Any],
        text: str = "",
        *,
        promoted: dict[str, Any] | None = None,
    ) -> None:
        self.go_type = go_type
        self.go_fields = fields if promoted is None else {**promoted, **fields}
        self._own = fields
        self._json = json
        self.go_addressed = text or None
        version = fields.get("Version", "")
        self.go_methods = {"String": lambda: text, "GitVersion": lambda: version} if text else {}

    def __str__(self) -> str:
        return f"{{{' '.join(map(text_of, self._own.values()))}}}"

    def as_json(self) -> dict[str, Any]:
        """Return what the JSON and YAML functions print."""
        return self._json
