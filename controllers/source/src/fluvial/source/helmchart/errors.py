"""Why a chart cannot be had or put together; the reasons are upstream's.

ChartError
├── InvalidChartReference   no chart where the spec points: only an edit mends it
├── MetadataPatchError      the version cannot take the metadata that the spec asks for: the same
├── ValuesFilesError        a values file is missing or unreadable: the same
├── ChartPullError          the chart is there but cannot be read
├── DependencyBuildError    a dependency cannot be had
└── ChartPackageError       the chart cannot be packed
"""

from typing import ClassVar, Final

from fluvial.source.conditions import BUILD_FAILED, FETCH_FAILED

__all__ = [
    "KINDS",
    "ChartError",
    "ChartPackageError",
    "ChartPullError",
    "DependencyBuildError",
    "InvalidChartReference",
    "MetadataPatchError",
    "ValuesFilesError",
]


class ChartError(Exception):
    """Base: `condition` is the one that becomes True, with the class's name as its reason.

    `summary` begins the message; `persistent` says that only an edit can mend it.
    """

    condition: ClassVar[str] = FETCH_FAILED
    summary: ClassVar[str] = "chart error"
    persistent: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """What users see."""
        return f"{self.summary}: {self}"


class InvalidChartReference(ChartError):  # noqa: N818  (upstream's reason)
    """There is no valid chart where the spec points."""

    summary = "invalid chart reference"
    persistent = True


class MetadataPatchError(ChartError):
    """The chart's version cannot take build metadata."""

    condition = BUILD_FAILED
    summary = "chart metadata patch error"
    persistent = True


class ValuesFilesError(ChartError):
    """The values files cannot be merged."""

    condition = BUILD_FAILED
    summary = "values files merge error"
    persistent = True


class ChartPullError(ChartError):
    """The packaged chart cannot be copied."""

    summary = "chart pull error"


class DependencyBuildError(ChartError):
    """A dependency is neither in `charts/` nor in the source."""

    condition = BUILD_FAILED
    summary = "dependency build error"


class ChartPackageError(ChartError):
    """The chart's files cannot be read or packed."""

    condition = BUILD_FAILED
    summary = "chart package error"


KINDS: Final[dict[str, type[ChartError]]] = {
    kind.__name__: kind
    for kind in (
        InvalidChartReference,
        MetadataPatchError,
        ValuesFilesError,
        ChartPullError,
        DependencyBuildError,
        ChartPackageError,
    )
}
"""By reason: a worker sends the name only."""
