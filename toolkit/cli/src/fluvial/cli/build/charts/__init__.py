"""Where `fluvial build helm` finds a chart that is no file: repositories, registries, addresses.

`locating` has helm's order of places; `dependencies` fills `charts/`. What asks servers is imported
when something has to be fetched, for most builds fetch nothing.
"""

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.settings import FLAGS, ChartSettings

__all__ = ["FLAGS", "ChartSettings", "ChartUnavailable"]
