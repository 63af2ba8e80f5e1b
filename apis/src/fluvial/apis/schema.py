"""What models declare about themselves, once, for decoding, for the CRDs and for the docs.

A field's Python type and default decide how it is decoded and encoded. Everything that only the
API server checks (patterns, enums, bounds) stands beside the type as a `Schema` marker, which
decoding ignores: an object that is in the cluster was admitted, and one odd value in it must not
make it unreadable. The string below a field is its description.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Protocol, TypeAlias, TypeVar, cast

import msgspec

__all__ = [
    "INTERVAL",
    "TIMEOUT",
    "Always",
    "Default",
    "Int32",
    "Int64",
    "Interval",
    "Model",
    "Number",
    "Rule",
    "Schema",
    "Timeout",
    "Timestamp",
    "always",
    "defaulted",
    "json_name",
    "unobserved",
]

T = TypeVar("T")


class _Observing(Protocol):
    observed_generation: int


S = TypeVar("S", bound=_Observing)

_SPELLING = {
    "disable_openapi_validation": "disableOpenAPIValidation",
    "disable_tls": "disableTLS",
    "from_": "from",
    "match_oidc_identity": "matchOIDCIdentity",
    "skip_crds": "skipCRDs",
}


def json_name(attribute: str) -> str:
    """Spell an attribute as it stands in JSON: camelCase, but for the acronyms Go writes out."""
    if attribute in _SPELLING:
        return _SPELLING[attribute]
    head, *rest = attribute.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


class Schema(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Constraints of one field that the API server checks and decoding does not.

    The names are those of OpenAPI. `type` overrides what the Python type says, `int_or_string`
    and `preserve_unknown` stand for the Kubernetes extensions of these names. A field without a
    default is required anyway; `required` says so of one that the API server fills in.
    """

    required: bool = False
    type: str = ""
    format: str = ""
    pattern: str = ""
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    int_or_string: bool = msgspec.field(default=False, name="x-kubernetes-int-or-string")
    preserve_unknown: bool = msgspec.field(
        default=False, name="x-kubernetes-preserve-unknown-fields"
    )


class Rule(NamedTuple):
    """A CEL rule of an object, with the message that users see when it is broken."""

    rule: str
    message: str


@dataclasses.dataclass(frozen=True)
class Default:
    """A default that the API server fills in too; the CRD carries it."""

    make: Callable[[], Any]

    def __call__(self) -> Any:
        """Return a fresh value."""
        return self.make()


@dataclasses.dataclass(frozen=True)
class Always:
    """A value that is encoded even when it is the zero value, and is no default of the CRD."""

    make: Callable[[], Any]

    def __call__(self) -> Any:
        """Return a fresh value."""
        return self.make()


def defaulted(value: T) -> T:
    """Give a field the CRD's default: absent means `value`, and encoding writes it out.

    So an object that no API server has defaulted yet behaves as if one had. `value` must be
    immutable.
    """
    return cast("T", msgspec.field(default_factory=Default(lambda: value)))


def unobserved(status: type[S]) -> S:
    """Give `status` the CRD's default: no generation was observed yet, so kstatus waits."""

    def make() -> S:
        fresh = status()
        fresh.observed_generation = -1
        return fresh

    return cast("S", msgspec.field(default_factory=Default(make)))


def always(value: T) -> T:
    """Give a field a Python default that is still encoded, as Go does without `omitempty`."""
    return cast("T", msgspec.field(default_factory=Always(lambda: value)))


class Model(msgspec.Struct, kw_only=True, omit_defaults=True, rename=json_name):
    """The base of every model: snake_case here, Go's spelling in JSON, zero values left out.

    Unknown fields are ignored when decoding, so a model is a view and never what is written back
    as a whole. `kw_only` is not inherited, so every model says it again.
    """

    cel_rules: ClassVar[tuple[Rule, ...]] = ()
    """Rules across the fields of this object, checked by the API server."""

    one_of: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """OpenAPI `oneOf` branches of this object, checked by the API server."""


INTERVAL: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
TIMEOUT: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"

Interval: TypeAlias = Annotated[str, Schema(pattern=INTERVAL)]
"""A Go duration in milliseconds to hours, e.g. `1h30m`; read it with `fluvial.apis.duration`."""

Timeout: TypeAlias = Annotated[str, Schema(pattern=TIMEOUT)]
"""A Go duration in milliseconds to minutes, e.g. `90s`."""

Timestamp: TypeAlias = Annotated[str, Schema(format="date-time")]
"""An RFC 3339 time, e.g. `2026-11-24T08:00:00Z`."""

Int32: TypeAlias = Annotated[int, Schema(format="int32")]
"""A whole number of 32 bits."""

Int64: TypeAlias = Annotated[int, Schema(format="int64")]
"""A whole number of 64 bits."""

Number: TypeAlias = Annotated[int, Schema(type="number")]
"""A whole number whose schema also admits fractions; decoding rounds them, halves to even."""
