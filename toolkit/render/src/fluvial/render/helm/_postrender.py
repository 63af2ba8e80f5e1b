"""Post-rendering: what is done to a chart's documents between its templates and its release.

A post-renderer takes a stream of documents and returns another. As upstream, each document carries
the path of its template in an annotation while it is on its way; what comes back without one was
made by the post-renderer, and its path says so.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fluvial.apis.ids import Unstructured
from fluvial.render.helm._errors import ManifestError
from fluvial.render.helm._manifests import manifest_text, sort_manifests, split_documents
from fluvial.render.helm._marking import generated, marked, template_of, unmarked
from fluvial.render.helm._model import Hook, Manifest, RenderedChart
from fluvial.render.helm._versions import HELM_4_3, HelmVersion
from fluvial.render.kustomize import KustomizeError, MemoryTree, Options, Tree, build, to_yaml
from fluvial.render.kustomize.tree import join
from fluvial.render.objects import Rendered
from fluvial.render.yaml import YamlError, dump, load, load_all, write_unfolded

__all__ = [
    "STREAM",
    "BuiltSteps",
    "PostRenderer",
    "kustomize_folder",
    "kustomize_steps",
    "post_render",
]

PostRenderer = Callable[[str], str]
"""Takes a stream of YAML documents, and returns the one that takes its place."""
STREAM: Final = "all.yaml"
"""The file of a kustomization's folder in which `kustomize_folder` puts what was rendered."""
_MARKER: Final = "---\n"
_CUT: Final = re.compile(r"^---\n", re.MULTILINE)
_HIDDEN_MERGE: Final = "\ue00b"
_STRATEGIES: Final = ("combined", "separate", "nohooks")


def post_render(
    done: RenderedChart,
    renderer: PostRenderer,
    *,
    strategy: str = "",
    helm_version: HelmVersion = HELM_4_3,
) -> RenderedChart:
    """Return `done` with its documents as `renderer` makes them.

    `strategy` says what it sees: `combined`, hooks and templates in one stream; `separate`, one
    stream after the other; `nohooks`, templates only. Empty means `combined`, and for Helm 3
    `nohooks`, the only one that it has. What is a hook, and in which order documents come, is found
    out from what the renderer returned. In Helm 3 the manifest is the renderer's text, and its
    documents have no path. Raises ManifestError.
    """
    if strategy not in {"", *_STRATEGIES}:
        raise ManifestError(f"unknown post-render strategy: '{strategy}'")
    try:
        if not helm_version.hooks_post_rendered:
            return _third(done, renderer)
        return _fourth(done, renderer, strategy or "combined", helm_version)
    except KustomizeError as error:
        # Every line but the first is a quote, perhaps of a Secret.
        problem = str(error).partition("\n")[0]
        raise ManifestError(f"error while running post render: {problem}") from None


def _fourth(
    done: RenderedChart, renderer: PostRenderer, strategy: str, helm_version: HelmVersion
) -> RenderedChart:
    files: dict[str, list[str]] = {}
    if strategy == "combined":
        _run(done.files, renderer, helm_version, "", files)
    else:
        hooks = _by_path(done.hooks)
        if strategy == "separate":
            _run(hooks, renderer, helm_version, "hooks-", files)
        else:
            files = {path: [text] for path, text in hooks.items()}
        _run(_by_path(done.manifests), renderer, helm_version, "manifests-", files)
    texts = {path: "\n---\n".join(parts) for path, parts in files.items()}
    manifests, found = sort_manifests(texts, helm_version)
    return _changed(done, texts, manifests, found, manifest_text(manifests))


def _third(done: RenderedChart, renderer: PostRenderer) -> RenderedChart:
    text = renderer(done.manifest)
    manifests = [
        Manifest(
            path="",
            name=str((obj.get("metadata") or {}).get("name", "")),
            kind=str(obj.get("kind", "")),
            api_version=str(obj.get("apiVersion", "")),
            text=dump(obj),
        )
        for obj in _objects(text)
    ]
    return _changed(done, done.files, manifests, done.hooks, text)


def _changed(
    done: RenderedChart,
    files: dict[str, str],
    manifests: list[Manifest],
    hooks: list[Hook],
    manifest: str,
) -> RenderedChart:
    return RenderedChart(
        manifests=manifests,
        hooks=hooks,
        notes=done.notes,
        manifest=manifest,
        crds=done.crds,
        chart=done.chart,
        files=files,
        traces=done.traces,
    )


def _by_path(documents: list[Manifest] | list[Hook]) -> dict[str, str]:
    files: dict[str, list[str]] = {}
    for one in documents:
        files.setdefault(one.path, []).append(one.text)
    return {path: "\n---\n".join(texts) for path, texts in files.items()}


def _run(
    files: dict[str, str],
    renderer: PostRenderer,
    helm_version: HelmVersion,
    prefix: str,
    out: dict[str, list[str]],
) -> None:
    """Send the documents of `files` through `renderer`, and add the answer's to `out` by path."""
    text = _stream(files, helm_version)
    if not text:
        return
    found: dict[str, list[str]] = {}
    for index, obj in enumerate(_objects(renderer(text))):
        path = template_of(obj) or f"generated-by-postrender-{prefix}{index}.yaml"
        found.setdefault(path, []).append(_written(unmarked(obj)))
    for path, texts in found.items():
        out.setdefault(path, []).append("---\n".join(texts))


def _written(obj: Unstructured) -> str:
    """Print an object as what upstream reads and writes once more: nothing is folded."""
    return write_unfolded(_with_hidden_merge(obj)).replace(_HIDDEN_MERGE, "!!merge <<")


def _with_hidden_merge(value: Any) -> Any:
    """Put another sign in the place of the text that upstream's second writer marks."""
    if value == "<<":
        return _HIDDEN_MERGE
    if isinstance(value, dict):
        return {key: _with_hidden_merge(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_hidden_merge(item) for item in value]
    return value


def _stream(files: dict[str, str], helm_version: HelmVersion) -> str:
    """Join the documents of `files` in order, each marked with its path."""
    found = [
        document if document.endswith("\n") else f"{document}\n"
        for path in sorted(files)
        if not path.rpartition("/")[2].startswith("_")
        for text in split_documents(files[path], helm_version)
        for document in marked(text, path)
    ]
    return _MARKER.join(found)


def _objects(text: str) -> list[Unstructured]:
    try:
        return [obj for obj in load_all(text, file=STREAM) if isinstance(obj, dict)]
    except YamlError as error:
        problem = f"error while parsing post rendered output: {error.problem}"
        raise ManifestError(problem) from None


class BuiltSteps(NamedTuple):
    """What a post-renderer of steps has made of a stream, with provenance.

    `built` are the objects of `stream` by the file `kustomization`, `passing` the documents that
    came behind them untouched.
    """

    kustomization: str
    stream: str
    built: list[Rendered]
    passing: list[str]


def kustomize_steps(
    steps: Mapping[str, Any], tell: Callable[[BuiltSteps], None] | None = None
) -> PostRenderer:
    """Return the post-renderer that applies these fields of a kustomization: patches, images, ….

    An object that the server is to name (`generateName`) passes by, behind the others. `tell` is
    called with what was built, which then has provenance.
    """
    kustomization = dump({**steps, "resources": [STREAM]})
    options = Options(provenance=tell is not None)

    def run(text: str) -> str:
        named, passing = _parted(text)
        content = {"kustomization.yaml": kustomization, STREAM: named}
        built = build(MemoryTree(content), options=options)
        if tell is not None:
            tell(BuiltSteps(kustomization, named, built, passing))
        return _MARKER.join([to_yaml(built), *passing])

    return run


def kustomize_folder(tree: Tree, path: str = "") -> PostRenderer:
    """Return the post-renderer that builds the kustomization in the folder `path` of `tree`.

    What was rendered is in that folder as `all.yaml`, for the kustomization to name among its
    resources; one that does not is refused, for the chart would be lost. As with `kustomize_steps`
    an object without a name passes by.
    """

    def run(text: str) -> str:
        named, passing = _parted(text)
        folder = join("", path)
        overlaid = _Watched(tree, join(folder, STREAM), named)
        built = build(overlaid, folder, options=Options(order="legacy", confined=True))
        if not overlaid.was_read:
            raise ManifestError(
                f"the kustomization of the post-renderer does not read {STREAM}, in which the "
                f"chart's documents are: name {STREAM} among its resources"
            )
        return _MARKER.join([to_yaml(built), *passing])

    return run


def _parted(text: str) -> tuple[str, list[str]]:
    """Part the documents that kustomize knows, as one stream, from those without a name."""
    documents = [part for part in _CUT.split(text) if part.strip()]
    passing = [part for part in documents if "generateName" in part and generated(load(part))]
    return _MARKER.join(part for part in documents if part not in passing), passing


class _Watched(MemoryTree):
    """A tree with one file more, of which it says whether it was read."""

    def __init__(self, tree: Tree, path: str, content: str) -> None:
        super().__init__({path: content}, overlay=tree)
        self._path = path
        self.was_read = False

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        self.was_read |= path == self._path
        return super().read(path)
