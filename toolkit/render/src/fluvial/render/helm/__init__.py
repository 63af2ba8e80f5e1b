"""The Helm engine: charts and values in, manifests, hooks and notes out.

    chart = load_chart(archive)                     # bytes of a .tgz, or a Tree
    done = render(chart, values, Release(name="shop", namespace="shop"))
    print(done.manifest)

Nothing here reaches the network, the environment or a disk. Output is that of `helm template`, byte
for byte. A template cannot run forever: see `fluvial.render.gotemplate.Budget`.

Errors are drawn in `_errors`: HelmError ← ChartError, ValuesError, RenderError, ManifestError.
"""

from fluvial.render.helm._engine import Lookup, render
from fluvial.render.helm._errors import (
    ChartError,
    HelmError,
    ManifestError,
    RenderError,
    ValuesError,
)
from fluvial.render.helm._load import load_chart
from fluvial.render.helm._manifests import (
    INSTALL_ORDER,
    UNINSTALL_ORDER,
    manifest_text,
    sort_manifests,
    split_documents,
)
from fluvial.render.helm._model import (
    Capabilities,
    Chart,
    File,
    Hook,
    Manifest,
    Release,
    RenderedChart,
)
from fluvial.render.helm._provenance import (
    ValueOrigins,
    blame,
    chart_origins,
    set_origins,
    values_origins,
)
from fluvial.render.helm._values import merge_values

__all__ = [
    "INSTALL_ORDER",
    "UNINSTALL_ORDER",
    "Capabilities",
    "Chart",
    "ChartError",
    "File",
    "HelmError",
    "Hook",
    "Lookup",
    "Manifest",
    "ManifestError",
    "Release",
    "RenderError",
    "RenderedChart",
    "ValueOrigins",
    "ValuesError",
    "blame",
    "chart_origins",
    "load_chart",
    "manifest_text",
    "merge_values",
    "render",
    "set_origins",
    "sort_manifests",
    "split_documents",
    "values_origins",
]
