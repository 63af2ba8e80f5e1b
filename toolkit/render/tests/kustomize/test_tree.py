"""Threats B1 to B3: nothing outside the root is read, nothing remote is fetched, nothing runs."""

import os
import pathlib

import pytest

from fluvial.render.kustomize import DiskTree, KustomizeError, LoadError, MemoryTree, build
from fluvial.render.kustomize.tree import join

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("base", "path", "result"),
    [("", "a", "a"), ("a/b", "../c", "a/c"), ("a", "./b/./c", "a/b/c"), ("a", "..", "")],
)
def test_join(base: str, path: str, result: str) -> None:
    assert join(base, path) == result


@pytest.mark.parametrize("path", ["..", "../x", "b/../../x", "/etc/passwd", "a\0b"])
def test_join_never_leaves_the_root(path: str) -> None:
    with pytest.raises(LoadError):
        join("", path)


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "secret.yaml").write_text(CONFIG_MAP)
    inside = tmp_path / "root"
    (inside / "base").mkdir(parents=True)
    (inside / "base" / "a.yaml").write_text(CONFIG_MAP)
    return inside


def test_disk_reads_inside(root: pathlib.Path) -> None:
    tree = DiskTree(root)
    assert tree.read("base/a.yaml") == CONFIG_MAP.encode()
    assert tree.exists("base/a.yaml")
    assert not tree.exists("base")
    assert tree.is_dir("base")
    assert tree.list("") == ["base"]


def test_links_inside_the_root_are_followed(root: pathlib.Path) -> None:
    (root / "link").symlink_to("base")
    assert DiskTree(root).read("link/a.yaml") == CONFIG_MAP.encode()


@pytest.mark.parametrize("target", ["../secret.yaml", "/etc/passwd", "/proc/self/environ"])
def test_links_that_lead_outside_are_refused(root: pathlib.Path, target: str) -> None:
    (root / "link.yaml").symlink_to(target)
    tree = DiskTree(root)
    with pytest.raises(LoadError, match="leads outside the root"):
        tree.read("link.yaml")
    assert not tree.exists("link.yaml")


def test_a_linked_folder_outside_is_no_base(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kustomization.yaml").write_text("resources: [../secret.yaml]\n")
    (root / "base" / "other").symlink_to(tmp_path / "other")
    (root / "kustomization.yaml").write_text("resources: [base/other]\n")
    with pytest.raises(KustomizeError, match="must resolve to a directory"):
        build(DiskTree(root))


def test_what_is_no_regular_file_is_refused_without_blocking(root: pathlib.Path) -> None:
    os.mkfifo(root / "pipe.yaml")
    with pytest.raises(LoadError, match="not a regular file"):
        DiskTree(root).read("pipe.yaml")
    with pytest.raises(LoadError):
        DiskTree(root).read("base")
    with pytest.raises(LoadError, match="No such file"):
        DiskTree(root).read("nope")


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "/etc/passwd", "/proc/self/environ", "../secret.yaml"]
)
@pytest.mark.parametrize(
    "kustomization",
    [
        "resources: [{path}]",
        "configMapGenerator: [{{name: a, files: [{path}]}}]",
        "configMapGenerator: [{{name: a, envs: [{path}]}}]",
        "resources: [base/a.yaml]\npatches: [{{path: {path}}}]",
        "resources: [base/a.yaml]\nreplacements: [{{path: {path}}}]",
        "resources: [base/a.yaml]\ntransformers: [{path}]",
        "resources: [base/a.yaml]\nconfigurations: [{path}]",
        "resources: [base/a.yaml]\ncomponents: [{path}]",
        "crds: [{path}]\nnamePrefix: x",
    ],
)
def test_no_field_reads_outside(root: pathlib.Path, path: str, kustomization: str) -> None:
    (root / "kustomization.yaml").write_text(kustomization.format(path=path))
    with pytest.raises(KustomizeError, match=r"inside the root|leaves the root"):
        build(DiskTree(root))


@pytest.mark.parametrize(
    "path",
    [
        "https://example.com/a.yaml",
        "http://169.254.169.254/latest/meta-data",
        "git::https://example.com/r.git",
        "https://github.com/o/r//sub?ref=main",
        "github.com/o/r/sub",
        "git@github.com:o/r.git",
        "ssh://git@example.com/r",
        "file:///etc",
    ],
)
@pytest.mark.parametrize("field", ["resources", "components", "bases"])
def test_remote_bases_are_refused(path: str, field: str) -> None:
    tree = MemoryTree({"kustomization.yaml": f"{field}: ['{path}']\nnamePrefix: x-\n"})
    with pytest.raises(LoadError, match=r"remote resource .* is not allowed"):
        build(tree)


@pytest.mark.parametrize(
    ("kustomization", "problem"),
    [
        ("helmCharts: [{name: x}]", "Helm inflation"),
        ("generators: [g.yaml]", "not allowed: only those with apiVersion builtin"),
        ("transformers: [g.yaml]", "not allowed: only those with apiVersion builtin"),
        ("validators: [g.yaml]", "not allowed: only those with apiVersion builtin"),
        ("generators: [h.yaml]", "generator 'HelmChartInflationGenerator' is not allowed"),
    ],
)
def test_plugins_are_refused(kustomization: str, problem: str) -> None:
    run = "metadata: {name: x, annotations: {config.kubernetes.io/function: 'exec: {path: x}'}}\n"
    tree = MemoryTree(
        {
            "kustomization.yaml": kustomization,
            "g.yaml": f"apiVersion: example.com/v1\nkind: Exec\n{run}",
            "h.yaml": f"apiVersion: builtin\nkind: HelmChartInflationGenerator\n{run}",
        }
    )
    with pytest.raises(KustomizeError, match=problem):
        build(tree)


def test_memory_tree_over_another() -> None:
    tree = MemoryTree({"a/new": "n", "b": "over"}, overlay=MemoryTree({"a/old": "o", "b": "under"}))
    assert tree.list("a") == ["new", "old"]
    assert tree.read("b") == b"over"
    assert tree.read("a/old") == b"o"
    assert tree.is_dir("a")
    with pytest.raises(LoadError, match="no such file"):
        tree.read("nope")
    with pytest.raises(LoadError, match="is a directory"):
        MemoryTree({"a/b": ""}).read("a")
    with pytest.raises(LoadError, match="no such folder"):
        MemoryTree({}).list("x")
