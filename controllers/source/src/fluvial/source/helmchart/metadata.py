"""What a Chart.yaml says, held against Helm's rules."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from fluvial.render.yaml import YamlError, load
from fluvial.source.helmchart.errors import InvalidChartReference
from fluvial.source.semver import coerce_version

__all__ = ["CHART_FILE", "ChartMetadata", "Dependency", "Lock", "read_yaml"]

S = TypeVar("S", bound=msgspec.Struct)

CHART_FILE: Final = "Chart.yaml"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_ALIAS = re.compile(r"[a-zA-Z0-9_-]*")
_NAME_LENGTH: Final = 250


class Dependency(msgspec.Struct, frozen=True):
    """A chart that another one needs."""

    name: str = ""
    version: str = ""
    repository: str = ""
    alias: str = ""


class Lock(msgspec.Struct, frozen=True):
    """Chart.lock: the dependencies that were resolved."""

    dependencies: list[Dependency] | None = None


class ChartMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """The part of Chart.yaml that matters for packaging."""

    api_version: str = ""
    name: str = ""
    version: str = ""
    type: str = ""
    dependencies: list[Dependency] | None = None

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> "ChartMetadata":
        """Read the metadata from a chart's files by path. Raises InvalidChartReference.

        A chart of the API v1 has its dependencies in requirements.yaml.
        """
        if CHART_FILE not in files:
            raise InvalidChartReference(f"{CHART_FILE} is missing")
        found = read_yaml(files[CHART_FILE], CHART_FILE, cls)
        found.validate()
        if found.api_version == "v1" and "requirements.yaml" in files:
            required = read_yaml(files["requirements.yaml"], "requirements.yaml", Lock)
            found = msgspec.structs.replace(found, dependencies=required.dependencies)
        return found

    def validate(self) -> None:
        """Hold it against Helm's rules. Raises InvalidChartReference."""
        for field, value in (
            ("apiVersion", self.api_version),
            ("name", self.name),
            ("version", self.version),
        ):
            if not value:
                _refuse(f"chart.metadata.{field} is required")
        if self.api_version not in {"v1", "v2"}:
            _refuse(f"chart.metadata.apiVersion {self.api_version!r} is neither v1 nor v2")
        if len(self.name) > _NAME_LENGTH or not _NAME.fullmatch(self.name):
            _refuse(f"chart.metadata.name {self.name!r} is invalid")
        if coerce_version(self.version) is None:
            _refuse(f"chart.metadata.version {self.version!r} is invalid")
        if self.type not in {"", "application", "library"}:
            _refuse("chart.metadata.type must be application or library")
        seen: set[str] = set()
        for dependency in self.dependencies or ():
            name = dependency.alias or dependency.name
            if not _ALIAS.fullmatch(dependency.alias):
                _refuse(f"dependency {dependency.name!r} has disallowed characters in the alias")
            if name in seen:
                _refuse(f"more than one dependency with name or alias {name!r}")
            seen.add(name)


def read_yaml(data: bytes, name: str, kind: type[S]) -> S:
    """Read a YAML file of a chart as a Struct. Raises InvalidChartReference."""
    try:
        return msgspec.convert(load(data, file=name) or {}, kind)
    except YamlError as error:
        raise InvalidChartReference(f"cannot load {error}") from error
    except msgspec.ValidationError as error:
        raise InvalidChartReference(f"cannot load {name}: {error}") from error


def _refuse(text: str) -> None:
    raise InvalidChartReference(f"validation: {text}")
