"""The objects that templates find at their root: `.Files`, `.Capabilities`."""

import base64
import re
from collections.abc import Callable
from typing import Any

from fluvial.render.gotemplate import Strings
from fluvial.render.gotemplate._values import from_bytes
from fluvial.render.helm._encode import to_yaml
from fluvial.render.helm._errors import ChartError
from fluvial.render.helm._globs import file_glob
from fluvial.render.helm._model import Capabilities, File
from fluvial.render.helm._structs import Struct
from fluvial.render.helm._versions import HelmVersion

__all__ = [
    "Files",
    "capabilities_object",
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
    """`.Files`: content by path; printed and ranged over as a map of bytes.

    `empty_is_a_line` makes one line of an empty file, where otherwise it has none.
    """

    def __init__(self, content: dict[str, bytes], *, empty_is_a_line: bool = False) -> None:
        super().__init__(content)
        self._empty_is_a_line = empty_is_a_line

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
        chosen = {path: data for path, data in self.items() if matcher.match(path)}
        return Files(chosen, empty_is_a_line=self._empty_is_a_line)

    def _lines(self, path: str) -> Strings:
        text = self._get(path)
        if path not in self or not (text or self._empty_is_a_line):
            return Strings()
        return Strings(text.removesuffix("\n").split("\n"))

    def _as_config(self) -> str:
        return to_yaml({_leaf(path): self._get(path) for path in self})

    def _as_secrets(self) -> str:
        encoded = {_leaf(path): base64.b64encode(data).decode() for path, data in self.items()}
        return to_yaml(encoded)


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]


def files_object(files: list[File], helm_version: HelmVersion) -> Files:
    """Return `.Files` of a chart."""
    content = {file.name: file.data for file in files}
    return Files(content, empty_is_a_line=helm_version.empty_file_is_a_line)


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


def capabilities_object(capabilities: Capabilities, helm_version: HelmVersion) -> Struct:
    """Return `.Capabilities`."""
    text = capabilities.kube_version
    given = capabilities.kube_version_given
    version, major, minor = kube_version(text, given=given)
    shown = version if given and helm_version.digits_of_given else _with_v(text)
    facts = {"Version": shown, "Major": major, "Minor": minor}
    fields = {"Version": shown, "normalizedVersion": version, "Major": major, "Minor": minor}
    if helm_version.digits_of_given:
        fields, version = facts, shown
    kube = Struct("common.KubeVersion", fields, facts, version)
    known = capabilities.api_versions
    apis = _ApiVersions(_BARE_CLUSTER if known is None else known)
    apis.extend(capabilities.extra_api_versions)
    known_facts = {
        "KubeVersion": kube, "APIVersions": apis, "HelmVersion": _build_object(helm_version)
    }  # fmt: skip
    return Struct("*common.Capabilities", known_facts, known_facts)


def _build_object(helm_version: HelmVersion) -> Struct:
    facts = {
        "Version": helm_version.version,
        "GitCommit": helm_version.git_commit,
        "GitTreeState": helm_version.git_tree_state,
        "GoVersion": helm_version.go_version,
    }
    keys = {
        "version": helm_version.version,
        "git_commit": helm_version.git_commit,
        "git_tree_state": helm_version.git_tree_state,
        "go_version": helm_version.go_version,
    }
    keys = {key: text for key, text in keys.items() if text}
    if helm_version.kube_client_version:
        facts["KubeClientVersion"] = helm_version.kube_client_version
        keys["kube_client_version"] = helm_version.kube_client_version
    return Struct("version.BuildInfo", facts, keys)
