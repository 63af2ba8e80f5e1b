"""Post-rendering by a kustomization: what helm prints with a plugin that runs kubectl's kustomize.

Helm 4 takes nothing but plugins as post-renderers; the one here does what Helm's own pages show:
it puts what it is given into `all.yaml` of a folder, and builds the folder.
"""

import pathlib
import subprocess

import pytest

from fluvial.cli.main import main

ORACLES = pathlib.Path(__file__).parents[4] / ".venv" / "oracles"
HELM, KUBECTL = ORACLES / "helm", ORACLES / "kubectl"
CHARTS = pathlib.Path(__file__).parents[1] / "charts"
PLUGIN = """apiVersion: v1
type: postrenderer/v1
name: kustomized
version: 0.1.0
runtime: subprocess
runtimeConfig:
  platformCommand:
    - command: ${HELM_PLUGIN_DIR}/run.sh
"""
RUN = """#!/bin/sh
set -e
cp -r "$1" "$HELM_PLUGIN_DIR/built"
cat > "$HELM_PLUGIN_DIR/built/all.yaml"
exec %s kustomize "$HELM_PLUGIN_DIR/built"
"""
OWN = {
    "Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\n",
    "templates/a.yaml": """# lost
kind: ConfigMap
apiVersion: v1
metadata:
  name: one
  annotations:
    long: "a long text of many words that a writer would fold at the eightieth column of a line"
    quoted: "# a long text of many words: a writer would fold it at the eightieth column of it"
data:
  yes: y
  none:
  number: 1.0
  octal: 0777
  block: |2
     indented
    less
  fold: >-
    words that are folded here,
    and below

    a line
  tab: "a\\tb"
  merge: "<<"
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: within}}
- {apiVersion: v1, kind: Pod, metadata: {name: beside}}
---
# nothing but a comment
""",
    "templates/c.yaml": """kind: A
apiVersion: v1
metadata: {name: flow, labels: {a: b}}
---
kind: A
apiVersion: v1
metadata: {
  name: flown, annotations: {}
}
---
kind: A
apiVersion: v1
metadata:   # why
  # and why
  annotations:   # not
  name: blank
---
kind: A
apiVersion: v1
metadata: !!map
  name: tagged
---
{"kind": "A", "apiVersion": "v1", "metadata": {"name": "json", "annotations": {"x": "y"}}}
---
kind: A
apiVersion: v1
metadata:
    annotations: {x: y}
    name: deeper
---
kind: A
apiVersion: v1
metadata:
  name: nulls
  annotations: ~
""",
    "templates/b.yaml": """apiVersion: v1
kind: ServiceAccount
metadata: {name: sa, annotations: {helm.sh/hook: pre-install}}
---
apiVersion: v1
kind: Secret
metadata: {name: odd, annotations: {helm.sh/hook: never}}
""",
}
CASES = [
    ("labels reach hooks, too", "labels: [{pairs: {team: core}}]\n", {}),
    (
        "a patch makes a hook of a template, and a template of a hook",
        (
            "patches:\n- target: {kind: Pod}\n  patch: |\n"
            "    - {op: add, path: /metadata/annotations/helm.sh~1hook, value: post-install}\n"
            "- target: {kind: ServiceAccount}\n  patch: |\n"
            "    - {op: remove, path: /metadata/annotations/helm.sh~1hook}\n"
        ),
        {},
    ),
    (
        "what the folder adds comes under a name of its own, in the order of kinds",
        "resources: [more.yaml]\n",
        {"more.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: made}\n"},
    ),
    ("what a patch deletes is gone",
     ("patches:\n- patch: |\n    $patch: delete\n    apiVersion: v1\n    kind: Service\n"
      "    metadata: {name: within}\n"), {}),
    ("names and namespaces change", "namePrefix: x-\nnamespace: other\n", {}),
    ("a generator's objects are made ones, too",
     "configMapGenerator: [{name: gen, literals: [a=b]}]\n", {}),
    ("a patch of another file, and a component's",
     "components: [part]\npatches: [{path: p.yaml}]\n",
     {"p.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {more: '1'}\n",
      "part/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
      "labels: [{pairs: {part: p}}]\n"}),
]  # fmt: skip


def written(folder: pathlib.Path, files: dict[str, str]) -> pathlib.Path:
    """Write files below a folder, and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def theirs(tmp_path: pathlib.Path, chart: pathlib.Path, folder: pathlib.Path) -> str:
    """Return what helm prints with the plugin."""
    plugin = written(tmp_path / "plugins" / "kustomized", {"plugin.yaml": PLUGIN})
    (plugin / "run.sh").write_text(RUN % KUBECTL)
    (plugin / "run.sh").chmod(0o755)
    flags = ["--post-renderer", "kustomized", "--post-renderer-args", str(folder)]
    done = subprocess.run(
        [HELM, "template", "demo", chart, "--kube-version", "v1.37.0", *flags],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HELM_PLUGINS": str(plugin.parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ours(capsys, chart: pathlib.Path, folder: pathlib.Path, *flags: str) -> str:
    """Return what our command prints."""
    arguments = ["--kube-version", "v1.37.0", "--post-renderer-kustomize", str(folder), *flags]
    assert main(["build", "helm", "demo", str(chart), *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


needs_oracles = pytest.mark.skipif(
    not (HELM.exists() and KUBECTL.exists()), reason="the oracles helm and kubectl are missing"
)


@needs_oracles
@pytest.mark.parametrize(("reason", "kustomization", "more"), CASES, ids=[c[0] for c in CASES])
def test_same_as_helm(reason, kustomization, more, tmp_path, capsys) -> None:
    if "resources: [" in kustomization:
        kustomization = kustomization.replace("resources: [", "resources: [all.yaml, ")
    else:
        kustomization = f"resources: [all.yaml]\n{kustomization}"
    chart = written(tmp_path / "chart", OWN)
    folder = written(tmp_path / "folder", {"kustomization.yaml": kustomization, **more})
    assert ours(capsys, chart, folder) == theirs(tmp_path, chart, folder), reason


@needs_oracles
@pytest.mark.parametrize("name", ["hooks", "subcharts", "yamlstyle", "unicode", "lists"])
def test_charts_of_other_rules(name, tmp_path, capsys) -> None:
    text = "resources: [all.yaml]\nlabels: [{pairs: {team: core}}]\n"
    folder = written(tmp_path / "folder", {"kustomization.yaml": text})
    assert ours(capsys, CHARTS / name, folder) == theirs(tmp_path, CHARTS / name, folder)


def test_helm_3_prints_what_the_post_renderer_says_and_keeps_hooks(tmp_path, capsys) -> None:
    chart = written(tmp_path / "chart", OWN)
    text = "resources: [all.yaml]\nnamePrefix: x-\n"
    folder = written(tmp_path / "folder", {"kustomization.yaml": text})
    printed = ours(capsys, chart, folder, "--helm-version", "3")
    manifest, _, hooks = printed.partition("---\n# Source")
    assert manifest.startswith("apiVersion: v1\ndata:\n  block: |2\n")
    assert "\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: x-within\n---\n" in manifest
    assert "lost" not in manifest
    assert hooks.endswith(
        "kind: ServiceAccount\nmetadata: {name: sa, annotations: {helm.sh/hook: pre-install}}\n"
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"kustomization.yaml": "namePrefix: x-\nresources: [x.yaml]\n",
          "x.yaml": "kind: A\napiVersion: v1\nmetadata: {name: a}\n"},
         "name all.yaml among its resources"),
        ({"kustomization.yaml": "resources: [all.yaml, nope.yaml]\n"}, "nope.yaml"),
        ({"kustomization.yaml": "resources: [all.yaml, all.yaml]\n"}, "already registered id"),
        ({"other.yaml": ""}, "kustomization"),
    ],
    ids=["the stream is not named", "a missing file", "the stream twice", "no kustomization"],
)  # fmt: skip
def test_refused(files, message, tmp_path, capsys) -> None:
    chart = written(tmp_path / "chart", OWN)
    folder = written(tmp_path / "folder", files)
    assert main(["build", "helm", "demo", str(chart), "--post-renderer-kustomize", str(folder)])
    assert message in capsys.readouterr().err


def test_a_folder_that_is_not_there(tmp_path, capsys) -> None:
    chart = written(tmp_path / "chart", OWN)
    assert main(["build", "helm", "demo", str(chart), "--post-renderer-kustomize", "nope"])
    assert "nope is not a folder" in capsys.readouterr().err
