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
from fluvial.render.helm._globs import path_matches
from fluvial.render.helm._layers import ValueLayers, ValueOrigins
from fluvial.render.helm._listing import (
    check_installable,
    document_text,
    listed,
    listing,
    missing_dependencies,
    shown_hooks,
)
from fluvial.render.helm._load import load_chart, read_values
from fluvial.render.helm._loaded import LOADED, LoadedCharts
from fluvial.render.helm._manifests import (
    INSTALL_ORDER,
    UNINSTALL_ORDER,
    manifest_text,
    sort_manifests,
    split_documents,
)
from fluvial.render.helm._marking import template_of
from fluvial.render.helm._model import (
    Capabilities,
    Chart,
    File,
    Hook,
    Manifest,
    Release,
    RenderedChart,
)
from fluvial.render.helm._names import check_release_name, release_name
from fluvial.render.helm._notices import Notice
from fluvial.render.helm._objects import kube_version
from fluvial.render.helm._postrender import (
    STREAM,
    PostRenderer,
    kustomize_folder,
    kustomize_steps,
    post_render,
)
from fluvial.render.helm._provenance import FieldOrigin, ValueSource, blame, explain
from fluvial.render.helm._strvals import (
    set_file,
    set_json,
    set_literal,
    set_string,
    set_value,
)
from fluvial.render.helm._values import merge_files, merge_values
from fluvial.render.helm._versions import HELM_3, HELM_4_2, HELM_4_3, HelmVersion, helm_version

__all__ = [
    "HELM_3",
    "HELM_4_2",
    "HELM_4_3",
    "INSTALL_ORDER",
    "LOADED",
    "STREAM",
    "UNINSTALL_ORDER",
    "Capabilities",
    "Chart",
    "ChartError",
    "FieldOrigin",
    "File",
    "HelmError",
    "HelmVersion",
    "Hook",
    "LoadedCharts",
    "Lookup",
    "Manifest",
    "ManifestError",
    "Notice",
    "PostRenderer",
    "Release",
    "RenderError",
    "RenderedChart",
    "ValueLayers",
    "ValueOrigins",
    "ValueSource",
    "ValuesError",
    "blame",
    "check_installable",
    "check_release_name",
    "document_text",
    "explain",
    "helm_version",
    "kube_version",
    "kustomize_folder",
    "kustomize_steps",
    "listed",
    "listing",
    "load_chart",
    "manifest_text",
    "merge_files",
    "merge_values",
    "missing_dependencies",
    "path_matches",
    "post_render",
    "read_values",
    "release_name",
    "render",
    "set_file",
    "set_json",
    "set_literal",
    "set_string",
    "set_value",
    "shown_hooks",
    "sort_manifests",
    "split_documents",
    "template_of",
]
