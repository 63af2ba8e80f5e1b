"""The generated definitions are what is checked in, and what an API server accepts."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from fluvial.apis import crds
from fluvial.apis.kinds import ALL

CHECKED_IN = Path(__file__).parents[2] / "deploy" / "crds"


def nodes(schema, path=""):
    """Yield every schema with its path, leaving out the branches of logical junctors."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


def root(kind):
    return crds.crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_what_is_checked_in_is_what_is_generated(kind):
    path = CHECKED_IN / crds.file_name(kind)
    assert path.read_text(encoding="utf-8") == crds.text(kind), "run `make crds`"


def test_nothing_else_is_checked_in():
    generated = {crds.file_name(kind) for kind in ALL}
    assert {path.name for path in CHECKED_IN.glob("*_*.yaml")} == generated


def test_the_command_writes_one_file_per_kind(tmp_path):
    assert crds.main([str(tmp_path / "new")]) == 0
    written = sorted((tmp_path / "new").iterdir())
    assert [path.name for path in written] == sorted(map(crds.file_name, ALL))
    for path in written:
        assert yaml.safe_load(path.read_text(encoding="utf-8")) in [crds.crd(k) for k in ALL]


def test_the_command_says_how_it_is_used(capsys):
    assert crds.main([]) == 2
    assert "DIRECTORY" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_names_agree_with_each_other(kind):
    definition = crds.crd(kind)
    names = definition["spec"]["names"]
    assert definition["metadata"]["name"] == f"{names['plural']}.{definition['spec']['group']}"
    assert names["listKind"] == f"{names['kind']}List"
    version = definition["spec"]["versions"][0]
    assert version["served"]
    assert version["storage"]
    assert version["subresources"] == {"status": {}}


def findings(path, schema):
    """Yield every broken rule of structural schemas (apiextensions.k8s.io/v1) at one node."""
    kind = schema.get("type")
    free = "x-kubernetes-int-or-string" in schema or (
        "x-kubernetes-preserve-unknown-fields" in schema
    )
    if not kind and not free:
        yield f"{path}: neither a type nor free of one"
    if {"properties", "additionalProperties"} & set(schema) and kind != "object":
        yield f"{path}: members of what is no object"
    if {"properties", "additionalProperties"} <= set(schema):
        yield f"{path}: named and free members at once"
    if ("items" in schema) != (kind == "array"):
        yield f"{path}: an array and its items belong together"
    if not set(schema.get("required", [])) <= set(schema.get("properties", {})):
        yield f"{path}: requires what it does not have"
    for branch in schema.get("oneOf", []):
        yield from junctor_findings(f"{path}/oneOf", branch, schema)


def junctor_findings(path, branch, schema):
    """Yield what a branch declares; it may only restrict what stands outside it."""
    for key in {"type", "default", "description", "additionalProperties"} & set(branch):
        yield f"{path}: {key} inside a branch"
    for name in {*branch.get("required", []), *branch.get("properties", {})}:
        if name not in schema["properties"]:
            yield f"{path}: {name} is not outside the branch"
    for name, child in branch.get("properties", {}).items():
        for inner in child.get("oneOf", []):
            yield from junctor_findings(f"{path}.{name}", inner, schema["properties"][name])
    for inner in branch.get("not", {}).get("anyOf", []):
        yield from junctor_findings(f"{path}/not", inner, schema)


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_the_schema_is_structural(kind):
    assert [text for node in nodes(root(kind)) for text in findings(*node)] == []


@pytest.mark.parametrize(
    ("schema", "finding"),
    [
        ({"description": "a"}, "neither a type"),
        ({"type": "string", "properties": {}}, "no object"),
        ({"type": "object", "properties": {}, "additionalProperties": {}}, "at once"),
        ({"type": "array"}, "belong together"),
        ({"type": "object", "properties": {}, "required": ["a"]}, "does not have"),
        ({"type": "object", "properties": {}, "oneOf": [{"required": ["a"]}]}, "not outside"),
        ({"type": "object", "properties": {}, "oneOf": [{"type": "object"}]}, "inside a branch"),
    ],
)
def test_the_check_finds(schema, finding):
    assert any(finding in text for text in findings("a", schema))


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_defaults_agree_with_the_constraints_beside_them(kind):
    for path, schema in nodes(root(kind)):
        re.compile(schema.get("pattern", ""))
        default = schema.get("default", msgspec.UNSET)
        if default is not msgspec.UNSET:
            assert default in schema.get("enum", [default]), path
            assert re.search(schema.get("pattern", ""), str(default)), path


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_every_field_is_described(kind):
    def fields(schema):
        for _, node in nodes(schema):
            yield from node.get("properties", {}).items()

    nameless = [name for name, field in fields(root(kind)) if not field.get("description")]
    assert nameless == []


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_nothing_is_required_at_the_top(kind):
    assert "required" not in root(kind)
    assert set(root(kind)["properties"]) >= {"apiVersion", "kind", "metadata", "spec"}


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_a_fresh_flux_object_is_in_progress(kind):
    expected = None
    if kind.group.endswith("fluxcd.io") and kind.kind != "ExternalArtifact":
        expected = {"observedGeneration": -1}
    assert root(kind)["properties"].get("status", {}).get("default") == expected


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_annotations(kind):
    expected = (
        {"helm.sh/resource-policy": "keep"}
        if kind.group == "flagger.app"
        else {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
    )
    assert crds.crd(kind)["metadata"]["annotations"] == expected
