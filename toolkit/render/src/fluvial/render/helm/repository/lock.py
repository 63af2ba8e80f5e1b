"""Chart.lock: which version each dependency of a chart has, and whether that still fits."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from fluvial.apis.semver import Constraint, ConstraintInvalid, coerce_version
from fluvial.render.gotemplate.gojson import encode
from fluvial.render.helm._model import Chart
from fluvial.render.helm.repository._errors import LockInvalid
from fluvial.render.yaml import dump

__all__ = ["Locked", "check_lock", "lock_digest", "lock_name", "lock_text", "satisfies"]

Declared = list[dict[str, Any]]
"""Dependencies as `Chart.metadata` has them."""

_OUT_OF_SYNC_V1: Final = (
    "the lock file (requirements.lock) is out of sync with the dependencies file "
    "(requirements.yaml). Please update the dependencies"
)
_OUT_OF_SYNC: Final = (
    "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please "
    "update the dependencies with 'helm dependency update'"
)


class Locked(msgspec.Struct, frozen=True):
    """One dependency, with the version that was chosen."""

    name: str
    """The chart's name."""
    version: str = ""
    """The exact version; for a chart without repository its range."""
    repository: str = ""
    """Where it comes from."""


class _Lock(msgspec.Struct):
    dependencies: list[Locked] | None = None
    digest: str = ""


def lock_digest(declared: Declared, locked: list[Locked]) -> str:
    """Return the digest that ties a lock to what it was made for: of both as Go's JSON."""
    chosen = []
    for one in locked:
        fields = {"name": one.name}
        if one.version:
            fields["version"] = one.version
        fields["repository"] = one.repository
        chosen.append(_Struct(fields))
    return _digest(encode([_wanted(declared), chosen]))


def _wanted(declared: Declared) -> list["_Struct"]:
    return [_Struct(one) for one in declared]


class _Struct:
    """Something whose fields JSON keeps in their order, as it does for a Go struct."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.go_fields = fields


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def lock_name(chart: Chart) -> str:
    """Return the name of a chart's lock file."""
    return "requirements.lock" if chart.metadata["apiVersion"] == "v1" else "Chart.lock"


def lock_text(declared: Declared, locked: list[Locked], generated: datetime) -> str:
    """Write a lock file, as helm does."""
    return dump(
        {
            "dependencies": [
                {key: value for key, value in msgspec.structs.asdict(one).items() if value}
                | {"repository": one.repository}
                for one in locked
            ],
            "digest": lock_digest(declared, locked),
            "generated": generated.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
    )


def check_lock(chart: Chart, declared: Declared | None = None) -> list[Locked]:
    """Return what a chart's lock file names; `declared` has names of repositories resolved.

    Raises LockInvalid for a lock that was made for other dependencies.
    """
    v1 = chart.metadata["apiVersion"] == "v1"
    original: Declared = chart.metadata.get("dependencies", [])
    wanted = original if declared is None else declared
    try:
        lock = msgspec.convert(chart.lock or {}, _Lock)
    except msgspec.ValidationError as error:
        raise LockInvalid(f"{lock_name(chart)}: {error}") from None
    locked = lock.dependencies or []
    fits = {lock_digest(wanted, locked)}
    if v1:
        # As Helm 2 had it: of the dependencies alone.
        fits.add(_digest(encode({"dependencies": _wanted(original)})))
    if lock.digest not in fits:
        raise LockInvalid(_OUT_OF_SYNC_V1 if v1 else _OUT_OF_SYNC)
    return locked


def satisfies(name: str, wanted: str, version: str) -> bool:
    """Say whether a version is in the range that a dependency declares. Raises LockInvalid."""
    try:
        constraint = Constraint.parse(wanted)
    except ConstraintInvalid:
        raise LockInvalid(
            f'dependency "{name}" has an invalid version/constraint format: improper constraint: '
            f'"{wanted}"'
        ) from None
    found = coerce_version(version)
    return found is not None and constraint.check(found)
