"""Charts of helmCharts: never pulled, and the Helm engine is loaded only when there are any."""

import subprocess
import sys

import pytest

from fluvial.render.kustomize import KustomizeError, MemoryTree, Options, build


def test_a_chart_that_would_be_pulled_is_refused() -> None:
    tree = MemoryTree(
        {"kustomization.yaml": "helmCharts: [{name: x, repo: 'https://charts.invalid'}]\n"}
    )
    with pytest.raises(KustomizeError, match=r"repo: charts are not pulled; put .*'charts/x'"):
        build(tree, options=Options(helm=True))


def test_the_helm_engine_is_loaded_for_a_chart_only() -> None:
    script = (
        "import sys\n"
        "from fluvial.render.kustomize import MemoryTree, Options, build\n"
        "loaded = lambda: 'fluvial.render.helm' in sys.modules\n"
        "tree = {'kustomization.yaml': 'configMapGenerator: [{name: a}]'}\n"
        "build(MemoryTree(tree), options=Options(helm=True))\n"
        "print(loaded())\n"
        "chart = {\n"
        "    'kustomization.yaml': 'helmCharts: [{name: x}]',\n"
        "    'charts/x/Chart.yaml': '{name: x, version: 1.0.0}',\n"
        "    'charts/x/values.yaml': '{}',\n"
        "}\n"
        "build(MemoryTree(chart), options=Options(helm=True))\n"
        "print(loaded())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True"]
