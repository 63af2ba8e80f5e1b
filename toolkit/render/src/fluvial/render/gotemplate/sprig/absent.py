"""Functions of Sprig that are not implemented: they refuse, and never pretend."""

from collections.abc import Callable
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError

__all__ = ["FUNCTIONS"]

_NAMES: Final = ("bcrypt", "decryptAES", "derivePassword", "encryptAES", "htpasswd")


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(*_arguments: Any) -> Any:
        raise FunctionError(f"the function {name} is not supported by this renderer")

    return refuse


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {name: _refusal(name) for name in _NAMES}
