"""Finding and reading the kustomization file of a folder."""

from typing import NamedTuple

from fluvial.render.kustomize._decode import load_config
from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.kustomize._model import HelmChart, HelmGlobals, Kustomization
from fluvial.render.kustomize.tree import Tree, join
from fluvial.render.yaml import load_documents

__all__ = ["COMPONENT", "NAMES", "Read", "check", "find", "read", "refuse_charts"]

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
COMPONENT = "Component"
_MOVED = {"bases", "imagetags", "helmchartinflationgenerator"}
_VERSIONS = {
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
    COMPONENT: "kustomize.config.k8s.io/v1alpha1",
}


def find(tree: Tree, folder: str) -> str:
    """Return the path of the folder's kustomization file, or an empty string.

    Raises KustomizationError when there is more than one.
    """
    found = [path for name in NAMES if tree.exists(path := join(folder, name))]
    if len(found) > 1:
        raise KustomizationError(
            f"found multiple kustomization files under {folder or '.'!r}: {', '.join(found)}; "
            "keep one"
        )
    return found[0] if found else ""


class Read(NamedTuple):
    """A kustomization file: its decoded form, its path, and its content."""

    file: Kustomization
    path: str
    content: bytes


def read(tree: Tree, folder: str, *, lenient: bool = False) -> Read:
    """Read a folder's kustomization file; `lenient` drops unknown fields.

    The deprecated spellings `bases`, `imageTags` and `env` are moved to today's. Raises
    KustomizationError for a file that is missing, malformed, empty or of a wrong kind.
    """
    path = find(tree, folder)
    if not path:
        raise KustomizationError(
            f"unable to find one of {', '.join(NAMES)} in directory {folder or '.'!r}"
        )
    content = tree.read(path)
    return check(load_config(content, Kustomization, file=path, lenient=lenient), path, content)


def check(file: Kustomization, path: str, content: bytes) -> Read:
    """Check a decoded file and move the deprecated spellings; see `read`."""
    if _is_empty(file, content, path):
        raise KustomizationError("kustomization.yaml is empty", file=path)
    file.kind = file.kind or "Kustomization"
    required = _VERSIONS.get(file.kind)
    if required is None:
        raise KustomizationError(
            f"kind should be Kustomization or Component, not {file.kind!r}", file=path
        )
    if file.apiVersion and file.apiVersion != required:
        raise KustomizationError(
            f"apiVersion for {file.kind} should be {required}, not {file.apiVersion!r}", file=path
        )
    file.resources = [*file.resources, *file.bases]
    file.images = [*file.images, *file.imageTags]
    for args in (*file.configMapGenerator, *file.secretGenerator):
        if args.env:
            args.envs = [*args.envs, args.env]
    _modernize_charts(file)
    return Read(file, path, content)


def _is_empty(file: Kustomization, content: bytes, path: str) -> bool:
    """Say whether a file asks for nothing; a list or map that is given, even an empty one, does."""
    if file != Kustomization(apiVersion=file.apiVersion, kind=file.kind):
        return False
    documents = load_documents(content, file=path, first=True)
    given = documents[0].value if documents else {}
    return not any(
        isinstance(value, dict | list) and name.lower() not in _MOVED
        for name, value in given.items()
    )


def _modernize_charts(file: Kustomization) -> None:
    """Move helmChartInflationGenerator to helmCharts; of its homes, the last that is given wins."""
    old = file.helmChartInflationGenerator
    homes = HelmGlobals()
    for one in old:
        homes.chartHome = one.chartHome or homes.chartHome
        homes.configHome = one.helmHome or homes.configHome
    if file.helmGlobals is None and homes != HelmGlobals():
        file.helmGlobals = homes
    file.helmCharts = [
        *file.helmCharts,
        *(
            HelmChart(
                name=one.chartName,
                version=one.chartVersion,
                repo=one.chartRepoUrl,
                valuesFile=one.values,
                valuesInline=one.valuesLocal,
                valuesMerge=one.valuesMerge,
                releaseName=one.releaseName,
            )
            for one in old
        ),
    ]
    file.helmChartInflationGenerator = []


def refuse_charts(file: Kustomization, path: str) -> None:
    """Raise KustomizationError for a file with charts, where they are not to be inflated."""
    if file.helmCharts or file.helmGlobals:
        raise KustomizationError(
            "Helm inflation (helmCharts) is not allowed here: use a HelmRelease", file=path
        )
