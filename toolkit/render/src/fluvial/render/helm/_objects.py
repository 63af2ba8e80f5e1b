"""The objects that templates find at their root: `.Chart`, `.Files`, `.Capabilities`."""

import base64
import re
from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate import PlainMap, StringMap, Strings, text_of
from fluvial.render.gotemplate._values import NilMap, from_bytes
from fluvial.render.helm._encode import to_yaml
from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._globs import file_glob
from fluvial.render.helm._model import Capabilities, Chart, File

__all__ = [
    "ChartValues",
    "Files",
    "capabilities_object",
    "chart_object",
    "files_object",
    "kube_version",
]

_VERSION = re.compile(r"v?((\d+)\.(\d+)(?:\.\d+)*)", re.ASCII)
_BARE_CLUSTER = (
    "v1", "admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1", "internal.apiserver.k8s.io/v1alpha1", "apps/v1",
    "apps/v1beta1", "apps/v1beta2", "authentication.k8s.io/v1", "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1", "authorization.k8s.io/v1", "authorization.k8s.io/v1beta1",
    "autoscaling/v1", "autoscaling/v2", "batch/v1", "batch/v1beta1", "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1", "certificates.k8s.io/v1alpha1", "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1", "coordination.k8s.io/v1", "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1", "events.k8s.io/v1", "events.k8s.io/v1beta1", "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1", "networking.k8s.io/v1", "networking.k8s.io/v1beta1",
    "node.k8s.io/v1", "node.k8s.io/v1alpha1", "node.k8s.io/v1beta1", "policy/v1", "policy/v1beta1",
    "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1", "resource.k8s.io/v1", "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1", "resource.k8s.io/v1alpha3", "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1", "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1", "storage.k8s.io/v1alpha1", "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1", "apiextensions.k8s.io/v1beta1", "apiextensions.k8s.io/v1",
)  # fmt: skip


class Files(dict[str, bytes]):
    """`.Files`: content by path; printed and ranged over as a map of bytes."""

    go_type = "engine.files"
    go_zero = b""

    @property
    def go_methods(self) -> dict[str, Callable[..., Any]]:
        """Return what templates may call."""
        return {
            "Get": self._get,
            "GetBytes": self._get_bytes,
            "Glob": self._glob,
            "Lines": self._lines,
            "AsConfig": self._as_config,
            "AsSecrets": self._as_secrets,
        }

    def _get(self, path: str) -> str:
        return from_bytes(self.get(path, b""))

    def _get_bytes(self, path: str) -> bytes:
        return self.get(path, b"")

    def _glob(self, pattern: str) -> "Files":
        matcher = file_glob(pattern)
        return Files({path: data for path, data in self.items() if matcher.match(path)})

    def _lines(self, path: str) -> Strings:
        if path not in self:
            return Strings()
        return Strings(self._get(path).removesuffix("\n").split("\n"))

    def _as_config(self) -> str:
        return to_yaml({_leaf(path): self._get(path) for path in self})

    def _as_secrets(self) -> str:
        encoded = {_leaf(path): base64.b64encode(data).decode() for path, data in self.items()}
        return to_yaml(encoded)


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]


def files_object(files: list[File]) -> Files:
    """Return `.Files` of a chart."""
    return Files({file.name: file.data for file in files})


class ChartValues(PlainMap):
    """`.Values`: a map with a type name of its own."""

    go_type = "common.Values"


class _Struct:
    """A Go struct: fields by name, JSON by its own keys, printed as `text`."""

    def __init__(
        self, go_type: str, fields: dict[str, Any], json: dict[str, Any], text: str = ""
    ) -> None:
        self.go_type = go_type
        self.go_fields = fields
        self._json = json
        self.go_addressed = text or None
        version = fields.get("Version", "")
        self.go_methods = {"String": lambda: text, "GitVersion": lambda: version} if text else {}

    def __str__(self) -> str:
        return f"{{{' '.join(map(text_of, self.go_fields.values()))}}}"

    def as_json(self) -> dict[str, Any]:
        """Return what the JSON and YAML functions print."""
        return self._json


class _ApiVersions(Strings):
    """`.Capabilities.APIVersions`."""

    go_type = "common.VersionSet"

    @property
    def go_methods(self) -> dict[str, Callable[..., Any]]:
        """Return what templates may call."""
        return {"Has": self._has}

    def _has(self, version: str) -> bool:
        return version in self


def kube_version(text: str, *, given: bool = False) -> tuple[str, str, str]:
    """Return the version as ranges are checked against it, major and minor. Raises ChartError.

    What a cluster says counts as it is, with its vendor's suffix; of what was `given` on a command
    line only the digits do, as upstream.
    """
    match = _VERSION.match(text)
    if not match:
        raise ChartError(f"could not parse {text!r} as a Kubernetes version (as in v1.36.0)")
    digits, major, minor = match.groups()
    return f"v{digits}" if given else _with_v(text), major, minor


def _with_v(version: str) -> str:
    return f"v{version.removeprefix('v')}"


def capabilities_object(capabilities: Capabilities) -> _Struct:
    """Return `.Capabilities`."""
    text = capabilities.kube_version
    version, major, minor = kube_version(text, given=capabilities.kube_version_given)
    shown = _with_v(text)
    facts = {"Version": shown, "Major": major, "Minor": minor}
    fields = {"Version": shown, "normalizedVersion": version, "Major": major, "Minor": minor}
    kube = _Struct("common.KubeVersion", fields, facts, version)
    known = capabilities.api_versions
    apis = _ApiVersions(_BARE_CLUSTER if known is None else known)
    apis.extend(capabilities.extra_api_versions)
    build = capabilities.helm
    helm_json = {
        "version": build.version,
        "git_commit": build.git_commit,
        "git_tree_state": build.git_tree_state,
        "go_version": build.go_version,
        "kube_client_version": build.kube_client_version or f"v{major}.{minor}",
    }
    names = ("Version", "GitCommit", "GitTreeState", "GoVersion", "KubeClientVersion")
    helm = _Struct(
        "version.BuildInfo", dict(zip(names, helm_json.values(), strict=True)), helm_json
    )
    known_facts = {"KubeVersion": kube, "APIVersions": apis, "HelmVersion": helm}
    return _Struct("*common.Capabilities", known_facts, known_facts)


def chart_object(chart: Chart) -> dict[str, Any]:
    """Return `.Chart`: every field of the metadata under its Go name, empty ones included."""
    meta = chart.metadata
    return {
        **{name: meta.get(key, "") for name, key in (
            ("Name", "name"), ("Home", "home"), ("Version", "version"),
            ("Description", "description"), ("Icon", "icon"), ("APIVersion", "apiVersion"),
            ("Condition", "condition"), ("Tags", "tags"), ("AppVersion", "appVersion"),
            ("KubeVersion", "kubeVersion"), ("Type", "type"),
        )},
        "Sources": list(meta.get("sources", [])),
        "Keywords": list(meta.get("keywords", [])),
        "Maintainers": [
            {name: one.get(name.lower(), "") for name in ("Name", "Email", "URL")}
            for one in meta.get("maintainers", [])
        ],
        "Deprecated": meta.get("deprecated", False),
        "Annotations": StringMap(meta["annotations"]) if meta.get("annotations") else NilMap(),
        "Dependencies": [
            {
                "Name": one.get("name", ""),
                "Version": one.get("version", ""),
                "Repository": one.get("repository", ""),
                "Condition": one.get("condition", ""),
                "Tags": list(one.get("tags", [])),
                "Enabled": one.get("enabled", False),
                "ImportValues": list(one.get("import-values", [])),
                "Alias": one.get("alias", ""),
            }
            for one in meta.get("dependencies", [])
        ],
        "IsRoot": chart.parent is None,
    }  # fmt: skip
