"""B1 to B4: what a hostile kustomization cannot do: read around, fetch, run, or blow up.

B1 files outside of the root, B2 remote bases, B3 plugins, B4 variable substitution.
"""

import socket
import subprocess
import time
import tracemalloc

import pytest

from fluvial.render.kustomize import DiskTree, KustomizeError, MemoryTree, Options, build
from fluvial.render.kustomize.flux import Layers, PostBuild, build_kustomization

pytestmark = pytest.mark.faults

FUNCTION = """\
metadata:
  name: x
  annotations:
    config.kubernetes.io/function: |
      {}
"""
SECRET = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside}\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  x: {value}\n"


@pytest.fixture
def root(tmp_path):
    """Make a root with an empty folder `app`, beside a folder with something to steal."""
    (tmp_path / "root" / "app").mkdir(parents=True)
    (tmp_path / "stolen").mkdir()
    (tmp_path / "stolen" / "a.yaml").write_text(SECRET)
    (tmp_path / "stolen" / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    return tmp_path / "root"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("resources: [../../../etc/passwd]", "a file above the root"),
        ("resources: [/proc/self/environ]", "an absolute path to a process' secrets"),
        ("resources: [../../stolen/a.yaml]", "a manifest beside the root"),
        ("resources: [../../stolen]", "a base beside the root"),
        ("components: [../../stolen]", "a component beside the root"),
        ("bases: [../../stolen]", "a base by its deprecated field"),
        ("crds: [../../stolen/a.yaml]", "a file of CRDs"),
        ("configurations: [../../stolen/a.yaml]", "a transformer configuration"),
        ("patches: [{path: ../../stolen/a.yaml}]", "a patch"),
        ("patchesStrategicMerge: [../../stolen/a.yaml]", "a deprecated patch"),
        ("replacements: [{path: ../../stolen/a.yaml}]", "a replacement"),
        ("configMapGenerator: [{name: x, files: [/etc/passwd]}]", "a generator's file"),
        ("configMapGenerator: [{name: x, files: [k=../../stolen/a.yaml]}]", "a file with key"),
        ("secretGenerator: [{name: x, envs: [../../stolen/a.yaml]}]", "a generator's env file"),
        ("transformers: [../../stolen]", "a folder of transformers"),
        ("generators: [../../stolen/a.yaml]", "a generator's configuration"),
        ("validators: [../../stolen/a.yaml]", "a validator's configuration"),
        ("openapi: {path: ../../stolen/a.yaml}", "a schema"),
    ],
)
@pytest.mark.parametrize("confined", [False, True])
def test_b1_paths_stay_inside_the_root(root, entry, reason, confined):
    (root / "app" / "kustomization.yaml").write_text(f"{entry}\n")
    with pytest.raises(KustomizeError) as caught:
        build(DiskTree(root), "app", options=Options(confined=confined))
    assert "outside" not in str(caught.value).replace("outside the root", ""), reason


@pytest.mark.parametrize(
    ("link", "target", "entry", "reason"),
    [
        ("app/base", "../../stolen", "resources: [base]", "a base"),
        ("app/a.yaml", "../../stolen/a.yaml", "resources: [a.yaml]", "a file"),
        ("app/p", "/proc/self", "configMapGenerator: [{name: x, files: [p/environ]}]", "/proc"),
        ("app/one", "two", "resources: [one]", "a link to a link"),
        ("app/loop", "loop", "resources: [loop]", "a link to itself"),
    ],
)
def test_b1_links_do_not_lead_out(root, link, target, entry, reason):
    (root / link).symlink_to(target)
    (root / "app" / "two").symlink_to(root.parent / "stolen")
    (root / "app" / "kustomization.yaml").write_text(f"{entry}\n")
    with pytest.raises(KustomizeError):
        build(DiskTree(root), "app")
    assert build(DiskTree(root.parent), "stolen"), reason


def test_b1_a_generated_file_list_passes_by_links_that_lead_out(root):
    (root / "app" / "a.yaml").symlink_to(root.parent / "stolen" / "a.yaml")
    (root / "app" / "folder").symlink_to(root.parent / "stolen")
    assert build_kustomization(DiskTree(root), "app") == []


def test_b1_a_path_that_leaves_the_root(root):
    with pytest.raises(KustomizeError, match="leaves the root"):
        build_kustomization(DiskTree(root), "../stolen")


@pytest.fixture
def _offline(monkeypatch):
    """Make every connection and every process an error of the test."""

    def refuse(*_arguments, **_named):
        raise AssertionError("a build has reached out")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("field", ["resources", "bases", "components"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.com/a.yaml", "a file by HTTPS"),
        ("http://169.254.169.254/latest/meta-data", "a cloud's metadata address"),
        ("https://github.com/org/repo//sub?ref=v1", "a Git repository by URL"),
        ("github.com/org/repo", "a Git repository without a scheme"),
        ("git@example.com:org/repo.git", "a Git repository over SSH, in scp's form"),
        ("ssh://git@example.com/org/repo", "a Git repository over SSH"),
        ("git::https://example.com/repo", "a forced getter"),
        ("file:///etc", "a Git repository on this machine"),
    ],
)
def test_b2_remote_bases_are_refused(field, url, reason):
    with pytest.raises(KustomizeError) as caught:
        build(MemoryTree({"kustomization.yaml": f"{field}: ['{url}']\n"}))
    assert url in str(caught.value), reason


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("field", ["patches", "replacements"])
def test_b2_patches_are_not_fetched(field):
    file = f"{field}: [{{path: 'https://example.com/a.yaml'}}]\n"
    with pytest.raises(KustomizeError):
        build(MemoryTree({"kustomization.yaml": file}))


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("component", ["https://example.com/c", "git@example.com:c", "/etc"])
def test_b2_components_of_the_spec_are_local(component):
    tree = MemoryTree({"kustomization.yaml": "resources: []\n"})
    with pytest.raises(KustomizeError, match="local and relative"):
        build_kustomization(tree, "", Layers(components=(component,)))


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("field", ["generators", "transformers", "validators"])
@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (FUNCTION.format("exec: {path: ./run.sh}"), "a program"),
        (FUNCTION.format("container: {image: example.com/x}"), "a container"),
        (FUNCTION.format("starlark: {path: x.star, name: x}"), "a Starlark script"),
        ("metadata: {name: x}\n", "a program of the plugin folder"),
    ],
)
def test_b3_plugins_are_refused(field, head, reason):
    files = {
        "kustomization.yaml": f"{field}: [x.yaml]\n",
        "x.yaml": f"apiVersion: example.com/v1\nkind: Runner\n{head}",
        "run.sh": "#!/bin/sh\ntouch ran\n",
    }
    with pytest.raises(KustomizeError, match="plugin Runner") as caught:
        build(MemoryTree(files))
    assert "x.yaml" in str(caught.value), reason


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize(
    "entry",
    [
        "helmCharts: [{name: x, repo: 'https://example.com'}]",
        "helmChartInflationGenerator: [{chartName: x}]",
        "helmGlobals: {chartHome: /}\nhelmCharts: [{name: x}]",
    ],
)
def test_b3_charts_are_refused(entry):
    with pytest.raises(KustomizeError, match="Helm"):
        build(MemoryTree({"kustomization.yaml": f"{entry}\n"}))


def _substituted(value, variables):
    tree = MemoryTree({"a.yaml": CONFIG_MAP.format(value=value)})
    post_build = PostBuild(variables=variables, always=True, strict=False)
    (item,) = build_kustomization(tree, "", post_build=post_build)
    return item.decode()


@pytest.mark.parametrize(
    ("value", "variables", "result", "reason"),
    [
        ("${v}", {"v": "${v}"}, "${v}", "a value is not expanded again"),
        ("${v}", {"v": "$(touch /tmp/x)"}, "$(touch /tmp/x)", "nothing is executed"),
        ("a ${v}", {"v": "`id`"}, "a `id`", "nothing is executed in backquotes"),
        ("${v}", {"v": "{b: 1}"}, {"b": 1}, "a value that is YAML is read as YAML"),
        ("${v}", {"v": "x\n---\nkind:Pod"}, "x---kind:Pod", "line breaks cannot add a document"),
    ],
)
def test_b4_values_are_text(value, variables, result, reason):
    found = _substituted(value, variables)
    assert found["data"]["x"] == result, reason
    assert found["kind"] == "ConfigMap"


@pytest.mark.parametrize(
    ("value", "variables", "reason"),
    [
        ("${a:=" * 20_000 + "}" * 20_000, {}, "nesting without an end"),
        ("${x:=" + "${v}" * 5_000 + "}", {"v": "x" * 1_000_000}, "the same inside of a default"),
        ("${" * 50_000, {}, "an opening in an opening"),
        ("${v//a/" + "b" * 10_000 + "}", {"v": "a" * 1_000_000}, "replacements that multiply"),
        ("${v##" + "*a" * 40 + "b}", {"v": "a" * 10_000}, "a pattern that backtracks"),
        (" ".join(["${v}"] * 5_000), {"v": "x" * 1_000_000}, "five gigabytes of one value"),
    ],
)
def test_b4_substitution_is_bounded(value, variables, reason):
    tracemalloc.start()
    started = time.monotonic()
    try:
        _substituted(f"'{value}'", variables)
    except KustomizeError:
        pass  # refusing is as good as finishing in bounds
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert time.monotonic() - started < 30, reason
    assert peak < 512 * 1024 * 1024, reason


def test_b4_a_huge_default_is_only_text():
    assert _substituted("${v:=" + "x" * 2_000_000 + "}", {})["data"]["x"] == "x" * 2_000_000
