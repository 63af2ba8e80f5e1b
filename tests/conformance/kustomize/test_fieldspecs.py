"""Every built-in field spec, one by one: references are followed and fields set, as upstream does.

The objects of all entries stand in one tree, so that the oracle is asked once for each transformer.
"""

import functools
import pathlib
import subprocess
import tempfile
from typing import Any

import msgspec
import pytest

from fluvial.render.kustomize import DiskTree, Options, build, to_yaml
from fluvial.render.kustomize._defaults import DEFAULTS, name_references
from fluvial.render.kustomize._fieldspec import FieldSpec, split_path
from fluvial.render.kustomize._ids import Gvk
from fluvial.render.yaml import load_all

ORACLE = pathlib.Path(__file__).parents[3] / ".venv" / "oracles" / "kubectl"
TARGET = "target"
VERSIONS = {
    **dict.fromkeys(("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"), "apps/v1"),
    **dict.fromkeys(("Job", "CronJob"), "batch/v1"),
    **dict.fromkeys(("Role", "ClusterRole"), "rbac.authorization.k8s.io/v1"),
    "Ingress": "networking.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
}
REFERENCES = [(target, spec) for target, specs in name_references() for spec in specs]
SETTERS = {
    "namespace": "namespace: moved\n",
    "commonLabels": "commonLabels: {added: here}\n",
    "templateLabels": (
        "labels:\n- pairs: {added: here}\n  includeTemplates: true\n  includeSelectors: false\n"
    ),
    "commonAnnotations": "commonAnnotations: {added: here}\n",
    "images": "images:\n- {name: old, newName: new, newTag: v2}\n",
    "replicas": "replicas:\n- {name: scaled, count: 7}\n",
    "varReference": (
        "vars:\n- name: VALUE\n  objref: {apiVersion: v1, kind: Marker, name: marker}\n"
        "  fieldref: {fieldpath: data.value}\n"
    ),
}
FIELDS = [(section, spec) for section in SETTERS for spec in DEFAULTS[section]]
MARKER = {"apiVersion": "v1", "kind": "Marker", "metadata": {"name": "marker"}}


def _object(gvk: Gvk, name: str) -> dict[str, Any]:
    version = f"{gvk.group}/{gvk.version or 'v1'}" if gvk.group else gvk.version
    kind = gvk.kind or "Widget"
    return {
        "apiVersion": version or VERSIONS.get(kind, "v1"),
        "kind": kind,
        "metadata": {"name": name},
    }


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = [part.removesuffix("[]") for part in split_path(path)]
    for part in parents:
        data = data.setdefault(part, {})
    data[last] = value


def _referrer(number: int) -> dict[str, Any]:
    """Return an object with one reference, in the form that its field asks for."""
    target, spec = REFERENCES[number]
    data = _object(spec.gvk, f"referrer-{number}")
    if spec.path == "roleRef/name":
        data["roleRef"] = {"apiGroup": target.group, "kind": target.kind, "name": TARGET}
    elif spec.path == "subjects":
        data["subjects"] = [{"kind": "ServiceAccount", "name": TARGET, "namespace": "default"}]
    elif spec.path.endswith("clientConfig/service"):
        _put(data, spec.path, {"name": TARGET, "namespace": "default"})
    else:
        many = spec.path.endswith("resourceNames")
        _put(data, spec.path, [TARGET, "other"] if many else TARGET)
    return data


def _field(spec: FieldSpec, section: str, number: int) -> dict[str, Any]:
    """Return an object with what a transformer sets at a path; nothing where it must create."""
    data = _object(spec.gvk, "scaled" if section == "replicas" else f"object-{number}")
    values: dict[str, Any] = {
        "namespace": "old",
        "commonLabels": {"own": "label"},
        "images": "old:v1",
        "varReference": "$(VALUE)/$(VALUE)",
    }
    if section == "varReference" and spec.path.endswith(("labels", "annotations")):
        _put(data, spec.path, {"key": "$(VALUE)"})
    elif section in values and spec.path != "metadata/name" and not _makes(spec, section):
        _put(data, spec.path, values[section])
    return data


def _makes(spec: FieldSpec, section: str) -> bool:
    return spec.create and section != "images"


def _built(objects: list[dict[str, Any]], top: str) -> tuple[str, str | None]:
    """Return our output and the oracle's, None where it is not installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "kustomization.yaml").write_text(f"resources: [objects.yaml]\n{top}")
        text = b"\n---\n".join(msgspec.json.encode(one) for one in objects)
        (folder / "objects.yaml").write_bytes(text)
        options = Options(order="legacy", confined=True)
        ours = to_yaml(build(DiskTree(folder), options=options))
        if not ORACLE.exists():
            return ours, None
        command = [ORACLE, "kustomize", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return ours, done.stdout


@functools.cache
def _references() -> tuple[str, str | None]:
    targets = {target: _object(target, TARGET) for target, _ in REFERENCES}
    referrers = [_referrer(number) for number in range(len(REFERENCES))]
    return _built([*targets.values(), *referrers], "namePrefix: new-\n")


@functools.cache
def _fields(section: str) -> tuple[str, str | None]:
    objects = [_field(spec, section, n) for n, (name, spec) in enumerate(FIELDS) if name == section]
    unique = {(one["apiVersion"], one["kind"], one["metadata"]["name"]): one for one in objects}
    more = [{**MARKER, "data": {"value": "found"}}] if section == "varReference" else []
    return _built([*unique.values(), *more], SETTERS[section])


@functools.cache
def _by_name(output: str) -> dict[tuple[str, str], Any]:
    return {(one["kind"], one["metadata"]["name"]): one for one in load_all(output)}


def _one(output: str, name: str, kind: str) -> Any:
    return _by_name(output)[kind, name]


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_texts(item) for item in value.values()), value.keys())
    if isinstance(value, list):
        return set().union(*(_texts(item) for item in value))
    return {str(value)}


@pytest.mark.parametrize("number", range(len(REFERENCES)))
def test_a_reference_follows_its_target(number: int) -> None:
    kind = REFERENCES[number][1].gvk.kind
    ours, theirs = _references()
    name = f"referrer-{number}" if kind == "APIService" else f"new-referrer-{number}"
    found = _one(ours, name, kind)
    assert f"new-{TARGET}" in _texts(found), REFERENCES[number]
    if theirs is not None:
        assert found == _one(theirs, name, kind)


@pytest.mark.parametrize("number", range(len(FIELDS)))
def test_a_field_is_set(number: int) -> None:
    section, spec = FIELDS[number]
    ours, theirs = _fields(section)
    if spec.path == "metadata/name":
        name = "moved"  # the Namespace itself
    else:
        name = "scaled" if section == "replicas" else f"object-{number}"
    kind = spec.gvk.kind or "Widget"
    found = _one(ours, name, kind)
    marks = {"moved", "added", "new:v2", "7", "found", "found/found"}
    misspelled = spec.path == "spec/jobTemplate/spec/template/volumes/nfs/server"
    assert (marks & _texts(found)) or misspelled, spec
    if theirs is not None:
        assert found == _one(theirs, name, kind)


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle kubectl is not installed")
@pytest.mark.parametrize("section", SETTERS)
def test_the_whole_output(section: str) -> None:
    ours, theirs = _fields(section)
    assert ours == theirs


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle kubectl is not installed")
def test_the_whole_output_of_references() -> None:
    ours, theirs = _references()
    assert ours == theirs
