import hashlib
from typing import Any

import pytest

from fluvial.render.kustomize import (
    KustomizationError,
    KustomizeError,
    LoadError,
    MemoryTree,
    Options,
    ResourceError,
    SubstitutionError,
    to_yaml,
)
from fluvial.render.kustomize._model import Image, Patch, Selector
from fluvial.render.kustomize.flux import (
    Layers,
    PostBuild,
    build_kustomization,
    digest_of,
    find_or_generate,
)


def config_map(name: str, **data: str) -> str:
    lines = "".join(f"  {key}: '{value}'\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  x: y\n{lines}"


def names(tree: MemoryTree, path: str = "", layers: Layers | None = None) -> list[str]:
    return [item.id.name for item in build_kustomization(tree, path, layers)]


def test_manifests_without_kustomization_file() -> None:
    tree = MemoryTree(
        {
            "app/b.yaml": config_map("b"),
            "app/.hidden.yml": config_map("hidden"),
            "app/notes.txt": "not YAML: [",
            "app/deep/er/c.yaml": config_map("c"),
            "app/own/kustomization.yaml": "namePrefix: own-\nresources: [d.yaml]",
            "app/own/d.yaml": config_map("d"),
            "app/own/never.yaml": "not: an object",
            "other.yaml": config_map("other"),
        }
    )
    read = find_or_generate(tree, "./app")
    assert read is not None
    assert read.file.resources == ["./.hidden.yml", "./b.yaml", "./deep/er/c.yaml", "./own"]
    assert names(tree, "app") == ["hidden", "b", "c", "own-d"]


def test_an_empty_folder_builds_nothing() -> None:
    assert build_kustomization(MemoryTree({"app/readme.md": "x"}), "app") == []


def test_a_missing_folder_is_an_error() -> None:
    with pytest.raises(LoadError, match="kustomization path not found: 'nope'"):
        build_kustomization(MemoryTree({"app/a.yaml": ""}), "nope")


@pytest.mark.parametrize("content", ["a: b", "kind: X", "a: [", "metadata: {name: x}"])
def test_a_file_that_is_no_manifest_fails_the_generation(content: str) -> None:
    with pytest.raises(ResourceError, match=r"a\.yaml"):
        build_kustomization(MemoryTree({"a.yaml": content}), "")


def test_the_root_file_is_read_leniently_and_others_strictly() -> None:
    files = {
        "kustomization.yaml": "resources: [base]\nunknown: 1\n",
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": config_map("a"),
    }
    assert names(MemoryTree(files)) == ["a"]
    files["base/kustomization.yaml"] += "unknown: 1\n"
    with pytest.raises(KustomizationError, match=r"base/kustomization\.yaml:2: .*'unknown'"):
        names(MemoryTree(files))


BASE = {
    "kustomization.yaml": (
        "resources: [a.yaml]\nnamePrefix: file-\nnamespace: file\n"
        "images: [{name: app, newTag: '1'}, {name: keep, newTag: '1'}]\n"
    ),
    "a.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
        "spec: {containers: [{name: a, image: app}, {name: b, image: keep}, {name: c, image: new}]}"
    ),
    "comp/kustomization.yaml": (
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "commonAnnotations: {from: component}\n"
    ),
}


def pod(layers: Layers, **files: str) -> dict[str, Any]:
    (item,) = build_kustomization(MemoryTree({**BASE, **files}), "", layers)
    return item.decode()


def test_layers_win_over_the_file() -> None:
    data = pod(Layers(targetNamespace="spec", namePrefix="spec-", nameSuffix="-x"))
    assert data["metadata"] == {"name": "spec-a-x", "namespace": "spec"}


def test_images_are_merged_by_name() -> None:
    images = (
        Image(name="app", newName="registry/app", digest="sha256:ab"),
        Image(name="new", newTag="9"),
    )
    containers = pod(Layers(images=images))["spec"]["containers"]
    assert [one["image"] for one in containers] == ["registry/app@sha256:ab", "keep:1", "new:9"]


def test_patches_come_behind_those_of_the_file() -> None:
    patch = Patch(
        target=Selector(kind="Pod"),
        patch='[{"op": "add", "path": "/spec/nodeName", "value": "n"}]',
    )
    assert pod(Layers(patches=(patch,)))["spec"]["nodeName"] == "n"


def test_components_of_the_spec() -> None:
    layers = Layers(components=("comp", "missing"), ignoreMissingComponents=True)
    assert pod(layers)["metadata"]["annotations"] == {"from": "component"}
    with pytest.raises(LoadError, match="'missing' must resolve to a directory"):
        pod(Layers(components=("missing",)))


@pytest.mark.parametrize(
    "path", ["https://example.com/x", "git::x", "gh:o/r", "git@github.com:o/r", "/abs"]
)
def test_components_must_be_local(path: str) -> None:
    with pytest.raises(KustomizationError, match="must be local and relative"):
        pod(Layers(components=(path,)))


def test_build_metadata_replaces_the_files_list() -> None:
    data = pod(Layers(buildMetadata=("originAnnotations",)))
    assert data["metadata"]["annotations"] == {"config.kubernetes.io/origin": "path: a.yaml\n"}


def test_a_root_without_resources_gets_origin_annotations() -> None:
    tree = MemoryTree({"kustomization.yaml": "configMapGenerator: [{name: a}]"})
    (item,) = build_kustomization(tree, "")
    assert "config.kubernetes.io/origin" in item.decode()["metadata"]["annotations"]


def test_a_base_above_the_path_is_inside_the_artifact() -> None:
    tree = MemoryTree(
        {
            "apps/kustomization.yaml": "resources: [../base, ../extra/x.yaml]",
            "base/kustomization.yaml": "resources: [a.yaml]",
            "base/a.yaml": config_map("a"),
            "extra/x.yaml": config_map("x"),
        }
    )
    assert names(tree, "apps") == ["a", "x"]
    with pytest.raises(KustomizeError, match="fs-security-constraint"):
        names(MemoryTree({"kustomization.yaml": "resources: [../../etc]"}))


def substituted(text: str, post_build: PostBuild | None) -> list[dict[str, Any]]:
    tree = MemoryTree({"a.yaml": text})
    built = build_kustomization(tree, "", post_build=post_build)
    return [item.decode() for item in built]


def test_substitution_types_anew_as_yaml_11() -> None:
    text = config_map("${name}", a="${a}", b="${b}", c="$${a}")
    (data,) = substituted(text, PostBuild(variables={"name": "web", "a": "yes", "b": '"5"'}))
    assert data["metadata"]["name"] == "web"
    assert data["data"] == {"x": "y", "a": True, "b": "5", "c": "${a}"}


def test_no_variables_no_substitution_unless_always() -> None:
    text = config_map("a", a="${b:=d}", y="")
    assert substituted(text, None)[0]["data"]["a"] == "${b:=d}"
    assert substituted(text, PostBuild())[0]["data"]["a"] == "${b:=d}"
    assert substituted(text, PostBuild(always=True))[0]["data"]["a"] == "d"


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_objects_may_opt_out(field: str) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
        f"  {field}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {{a: '${{a}}'}}\n"
    )
    assert substituted(text, PostBuild(variables={"b": "c"}))[0]["data"] == {"a": "${a}"}


def test_strictness_is_the_default() -> None:
    text = config_map("a", a="${no}")
    with pytest.raises(SubstitutionError, match=r'ConfigMap/a: .*variable not set .*"no"'):
        substituted(text, PostBuild(variables={"a": "b"}))
    (data,) = substituted(text, PostBuild(variables={"a": "b"}, strict=False))
    assert data["data"]["a"] is None


def test_what_is_no_yaml_afterwards_names_the_object() -> None:
    with pytest.raises(SubstitutionError, match="ConfigMap/a: not YAML after substitution"):
        substituted(config_map("a", a="${v}"), PostBuild(variables={"v": "a: b: c"}))


def test_decryption_comes_before_substitution() -> None:
    def decrypt(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "data": {"secret": "${v}"}}

    (item,) = build_kustomization(
        MemoryTree({"a.yaml": config_map("a")}),
        "",
        post_build=PostBuild(variables={"v": "open"}),
        decrypt=decrypt,
    )
    assert item.decode()["data"] == {"secret": "open"}


def test_provenance_survives_substitution() -> None:
    tree = MemoryTree({"a.yaml": config_map("a", a="${v}")})
    options = Options(provenance=True)
    (item,) = build_kustomization(
        tree, "", post_build=PostBuild(variables={"v": "w"}), options=options
    )
    assert str(item.blame()["/data/a"]) == "a.yaml:7:3 (substitution)"
    assert str(item.blame()["/metadata/name"]) == "a.yaml:4:3 (resource)"


def test_the_digest_is_that_of_the_yaml_text() -> None:
    built = build_kustomization(MemoryTree({"a.yaml": config_map("a")}), "")
    text = 'apiVersion: v1\ndata:\n  x: "y"\nkind: ConfigMap\nmetadata:\n  name: a\n'
    assert to_yaml(built) == text
    assert digest_of(built) == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
