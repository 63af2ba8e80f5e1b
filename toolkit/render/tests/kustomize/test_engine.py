from typing import Any

import pytest

from fluvial.render.kustomize import (
    KustomizationError,
    KustomizeError,
    MemoryTree,
    Options,
    TransformError,
    build,
    to_yaml,
)
from fluvial.render.kustomize._ids import Gvk, ResourceId
from fluvial.render.kustomize._jsonpatch import apply_patch
from fluvial.render.kustomize._merge import MISSING, merge
from fluvial.render.kustomize._paths import find, lookup, split
from fluvial.render.kustomize._schema import fields_of, is_cluster_scoped, root_type
from fluvial.render.kustomize._selectors import matches_labels, matches_pattern
from fluvial.render.kustomize._vars import expand
from fluvial.render.kustomize._workloads import split_image


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("app", ("app", "", "")),
        ("app:1", ("app", "1", "")),
        ("reg:5000/app", ("reg:5000/app", "", "")),
        ("reg:5000/app:1@sha256:ab", ("reg:5000/app", "1", "sha256:ab")),
        ("app@sha256:ab", ("app", "", "sha256:ab")),
    ],
)
def test_split_image(image: str, parts: tuple[str, str, str]) -> None:
    assert split_image(image) == parts


@pytest.mark.parametrize(
    ("selector", "hit", "reason"),
    [
        ("", True, "nothing required"),
        ("a=1", True, "equal"),
        ("a==1,b=2", True, "both"),
        ("a=1,b=3", False, "not both"),
        ("a!=2", True, "unequal"),
        ("c!=2", True, "absent is unequal"),
        ("a in (1, 2)", True, "in a set"),
        ("a notin (1,2)", False, "not in a set"),
        ("c notin (1)", True, "absent is in no set"),
        ("a", True, "present"),
        ("!a", False, "absent"),
        ("!c", True, "absent indeed"),
        ("a>0,b<3", True, "numbers"),
        ("c>0", False, "absent is no number"),
    ],
)
def test_label_selectors(selector: str, hit: bool, reason: str) -> None:
    assert matches_labels(selector, {"a": "1", "b": "2"}) is hit, reason


def test_selectors_that_cannot_be_read() -> None:
    with pytest.raises(TransformError, match="cannot read the label selector"):
        matches_labels("a in 1", {})
    with pytest.raises(TransformError, match="'x' is no number"):
        matches_labels("a>x", {})
    with pytest.raises(TransformError, match="'-x' is no label value: use at most 63"):
        matches_labels("b,a=-x", {})
    with pytest.raises(TransformError, match="'a/b/c' is no label"):
        matches_labels("a/b/c", {})
    with pytest.raises(TransformError, match="no regular expression"):
        matches_pattern("(", "x")


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("metadata.name", ["metadata", "name"]),
        (r"data.config\.json", ["data", "config.json"]),
        ("metadata.annotations.[a.b/c]", ["metadata", "annotations", "a.b/c"]),
        ("spec.[name=a.b].x", ["spec", "[name=a.b]", "x"]),
        ("spec.0.*", ["spec", "0", "*"]),
    ],
)
def test_split_path(path: str, parts: list[str]) -> None:
    assert split(path) == parts


TREE: dict[str, Any] = {"l": [{"n": "a", "v": 1}, {"n": "ab", "v": 2}], "p": ["x", "y"], "s": "z"}


@pytest.mark.parametrize(
    ("path", "values", "reason"),
    [
        ("l.0.v", [1], "an index"),
        ("l.[n=a].v", [1, 2], "an expression that is not anchored"),
        ("l.[n=^a$].v", [1], "unless it says so"),
        ("l.*.v", [1, 2], "every element"),
        ("p.[=x]", ["x"], "an element of scalars"),
        ("nope.at.all", [], "nothing"),
    ],
)
def test_find(path: str, values: list[Any], reason: str) -> None:
    assert [place.value for place in find(TREE, split(path))] == values, reason


def test_find_creates_on_demand() -> None:
    root: dict[str, Any] = {}
    (place,) = find(root, split("a.[k=v].b"), "")
    assert root == {"a": [{"k": "v", "b": None}]}
    assert place.made
    assert place.pointer == "/a/0/b"


@pytest.mark.parametrize("path", ["l.7.v", "s.x", "l.x", "s.*"])
def test_find_refuses_what_does_not_fit(path: str) -> None:
    with pytest.raises(TransformError):
        find(TREE, split(path))


def test_lookup() -> None:
    assert lookup(TREE, ["l", "[n=ab]", "v"]) == 2
    assert lookup(TREE, ["l", "9"]) is MISSING
    with pytest.raises(TransformError):
        lookup(TREE, ["s", "x"])


@pytest.mark.parametrize(
    ("operation", "result", "reason"),
    [
        ({"op": "add", "path": "/a", "value": 2}, {"a": 2, "l": [1, 2]}, "add replaces"),
        ({"op": "add", "path": "/l/-", "value": 3}, {"a": 1, "l": [1, 2, 3]}, "at the end"),
        ({"op": "add", "path": "/l/-1", "value": 3}, {"a": 1, "l": [1, 2, 3]}, "from the end"),
        ({"op": "remove", "path": "/l/0"}, {"a": 1, "l": [2]}, "by index"),
        ({"op": "move", "from": "/a", "path": "/b"}, {"b": 1, "l": [1, 2]}, "move"),
        ({"op": "replace", "path": "", "value": {}}, {}, "the whole"),
        ({"op": "test", "path": "/nope", "value": None}, {"a": 1, "l": [1, 2]}, "absent is null"),
        ({"op": "add", "path": "/x/y", "value": 1}, None, "no parent"),
        ({"op": "replace", "path": "/b", "value": 1}, {"a": 1, "b": 1, "l": [1, 2]}, "or adds"),
        ({"op": "copy", "from": "/c", "path": "/a"}, {"a": None, "l": [1, 2]}, "absent is null"),
        ({"op": "replace", "path": "/l/2", "value": 1}, None, "nothing to replace"),
        ({"op": "replace", "path": "/b/c", "value": 1}, None, "no map to replace in"),
        ({"op": "add", "path": "/l/9", "value": 1}, None, "out of bounds"),
        ({"op": "add", "path": "/l/x", "value": 1}, None, "no index"),
        ({"op": "test", "path": "/a", "value": True}, None, "1 is not true"),
        ({"op": "jump", "path": "/a"}, None, "no operation"),
        ({"op": "add", "path": "a", "value": 1}, None, "no pointer"),
    ],
)
def test_json_patch(operation: dict[str, Any], result: Any, reason: str) -> None:
    root = {"a": 1, "l": [1, 2]}
    if result is None:
        with pytest.raises(TransformError, match="JSON patch"):
            apply_patch(root, [operation])
    else:
        assert apply_patch(root, [operation]) == result, reason


def test_merge_by_the_schema() -> None:
    base = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "1"}]}}}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "2"}]}}}}
    merged = merge(base, patch, root_type("apps/v1", "Deployment"))
    assert merged["spec"]["template"]["spec"]["containers"] == [{"name": "a", "image": "2"}]


@pytest.mark.parametrize(("base", "patch"), [({"a": 1}, {"a": {}}), ({"a": []}, {"a": {}})])
def test_merge_refuses_other_shapes(base: Any, patch: Any) -> None:
    with pytest.raises(TransformError, match="patch has a map at a"):
        merge(base, patch, "")


def test_the_schema_table() -> None:
    assert is_cluster_scoped("v1", "Namespace")
    assert not is_cluster_scoped("example.com/v1", "Namespace")
    assert root_type("autoscaling/v2", "HorizontalPodAutoscaler") == ""
    assert fields_of("core.v1.ServiceSpec")["ports"].keys == ("port", "protocol")
    assert fields_of("meta.v1.ObjectMeta")["finalizers"].keys == ()
    assert "resourceClaims" not in fields_of("core.v1.PodSpec")


def test_identities() -> None:
    one = ResourceId(Gvk("", "v1", "ConfigMap"), "a", "")
    assert one.key == one._replace(namespace="default").key
    assert str(one) == "ConfigMap.v1.[noGrp]/a.[noNs]"


@pytest.mark.parametrize(
    ("text", "result"),
    [("$(A)", 1), ("x$(A)y", "x1y"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$", "$"), ("$(", "$(")],
)  # fmt: skip
def test_variables(text: str, result: Any) -> None:
    assert expand(text, {"A": 1}) == result


def test_hash_vector_of_binary_data() -> None:
    tree = MemoryTree(
        {
            "kustomization.yaml": "configMapGenerator: [{name: b, files: [bin.dat]}]",
            "bin.dat": bytes(range(120, 256)),
        }
    )
    (item,) = build(tree)
    assert item.id.name == "b-h7fkcm6km8"
    assert "binaryData" in item.decode()


def test_env_file_with_byte_order_mark_and_crlf() -> None:
    tree = MemoryTree(
        {
            "kustomization.yaml": "configMapGenerator: [{name: b, envs: [e]}]",
            "e": b"\xef\xbb\xbfA=1\r\nB=2\r\n",
        }
    )
    assert build(tree)[0].decode()["data"] == {"A": "1", "B": "2"}


def test_output_is_in_order_of_reading_by_default() -> None:
    tree = MemoryTree(
        {
            "kustomization.yaml": "resources: [a.yaml]",
            "a.yaml": (
                "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}\n---\n"
                "{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n"
            ),
        }
    )
    assert [item.id.kind for item in build(tree)] == ["Deployment", "Namespace"]
    legacy = build(tree, options=Options(order="legacy"))
    assert [item.id.kind for item in legacy] == ["Namespace", "Deployment"]
    assert to_yaml(legacy).count("---\n") == 1


def test_builds_do_not_change_each_other() -> None:
    tree = MemoryTree(
        {
            "kustomization.yaml": "resources: [a.yaml]\nconfigurations: [c.yaml]\nnamePrefix: x-",
            "plain/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: x-",
            "plain/a.yaml": "{apiVersion: v1, kind: Foo, metadata: {name: f}, other: f}",
            "a.yaml": "{apiVersion: v1, kind: Foo, metadata: {name: f}, other: f}",
            "c.yaml": "namePrefix: [{path: other, kind: Foo}]",
        }
    )
    before = to_yaml(build(tree, "plain"))
    assert build(tree)[0].decode()["other"] == "x-f"
    assert to_yaml(build(tree, "plain")) == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"kustomization.yaml": "resources: []\nlabels:\n- pairs: {a: 1}\n"},
            (
                "kustomization.yaml:3: invalid configuration: labels.0.pairs: expected `str`, got "
                "`int`\n    3 | - pairs: {a: 1}"
            ),
        ),
        (
            {"kustomization.yaml": "resources: [a.yaml]", "a.yaml": "kind: X\nmetadata: {}\n"},
            "a.yaml:1: missing metadata.name of the X\n    1 | kind: X",
        ),
        (
            {"kustomization.yaml": "namePrefix: [\n"},
            "kustomization.yaml:2:1: while parsing a flow node: did not find expected node content",
        ),
    ],
)
def test_errors_quote_file_line_and_snippet(files: dict[str, str], message: str) -> None:
    with pytest.raises(KustomizeError) as caught:
        build(MemoryTree(files))
    assert str(caught.value) == message


POD = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: NAME}]}}"
SIDECAR = f"resources: [pod.yaml]\npatches: [{{patch: '{POD.replace('NAME', 'side')}'}}]\n"


def containers_of(kustomization: str) -> list[str]:
    files = {
        "kustomization.yaml": kustomization,
        "pod.yaml": POD.replace("NAME", "main"),
        "schema.json": '{"definitions": {}}',
    }
    (pod,) = build(MemoryTree(files))
    return [container["name"] for container in pod.decode()["spec"]["containers"]]


def test_a_custom_schema_ends_with_its_build() -> None:
    assert containers_of(f"openapi: {{path: schema.json}}\n{SIDECAR}") == ["side"]
    assert containers_of(SIDECAR) == ["side", "main"]


def test_a_custom_schema_of_a_failed_build_ends_too() -> None:
    with pytest.raises(KustomizeError):
        containers_of(f"openapi: {{path: schema.json}}\ncomponents: [nowhere]\n{SIDECAR}")
    assert containers_of(SIDECAR) == ["side", "main"]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("[]", "must be a map with definitions"),
        ("{", "cannot parse the schema"),
        ("{definitions: {a: 1}}", "definition 'a' is no map"),
    ],
)
def test_a_malformed_schema_is_named(schema: str, message: str) -> None:
    files = {"kustomization.yaml": "openapi: {path: s.json}\nnamePrefix: x", "s.json": schema}
    with pytest.raises(KustomizationError, match=message):
        build(MemoryTree(files))
