"""Go's template language, rule by rule: recorded from the real helm, and checked against it.

Every case goes through our engine, the way a chart does. `helm` renders all that print in one
process, and all that fail in another.
"""

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest

from fluvial.render.helm import Capabilities, Chart, File, HelmError, Release, render
from fluvial.render.helm._values import floats

HERE = Path(__file__).parent
SHARED = json.loads((HERE / "cases" / "chart.json").read_text())
TOPICS = {
    path.stem: json.loads(path.read_text())["cases"]
    for path in sorted((HERE / "cases").glob("*.json"))
    if path.stem != "chart"
}
CASES = [(topic, case) for topic, cases in TOPICS.items() for case in cases]
PRINTING = [(topic, case) for topic, case in CASES if "want" in case]
FAILING = [(topic, case) for topic, case in CASES if "error" in case]


def _oracle():
    spec = importlib.util.spec_from_file_location("gotemplate_oracle", HERE / "oracle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLE = _oracle()


def _name(pair):
    return f"{pair[0]}: {pair[1]['rule']}"


def _render(template, files):
    chart = Chart({"apiVersion": "v2", "name": "c", "version": "1.0.0"})
    chart.values = floats(SHARED["values"])
    chart.templates = [File("templates/a.yaml", template.encode("utf-8", "surrogateescape"))]
    chart.files = [File(name, text.encode()) for name, text in (SHARED["files"] | files).items()]
    return render(
        chart, {}, Release(name="r"), Capabilities(kube_version=SHARED["kubeVersion"])
    ).manifest


@pytest.mark.parametrize("pair", PRINTING, ids=_name)
def test_prints(pair):
    case = pair[1]
    manifest = _render(ORACLE.case_template("case"), {"case": case["template"]})
    assert ORACLE.shown(manifest) == case["want"], case["rule"]


@pytest.mark.parametrize("pair", FAILING, ids=_name)
def test_fails(pair):
    case = pair[1]
    with pytest.raises(HelmError) as caught:
        _render(case["template"], {})
    assert ORACLE.plain(str(caught.value)) == case["error"], case["rule"]


def test_every_case_has_a_rule_and_a_template_of_its_own():
    assert len(CASES) >= 600
    rules = Counter((topic, case["rule"]) for topic, case in CASES)
    templates = Counter(case["template"] for _, case in CASES)
    assert [rule for rule, count in rules.items() if count > 1] == []
    assert [text for text, count in templates.items() if count > 1] == []


@pytest.fixture(scope="module")
def helm():
    if not ORACLE.HELM.exists():
        pytest.skip(f"{ORACLE.HELM.name} is missing from .venv/oracles")
    return ORACLE


def test_helm_prints_what_is_recorded(helm, tmp_path):
    texts = [case["template"] for _, case in PRINTING]
    got = helm.printed(tmp_path, SHARED["values"], texts, SHARED["files"])
    assert got == [case["want"] for _, case in PRINTING]


def test_helm_fails_as_recorded(helm, tmp_path):
    texts = [case["template"] for _, case in FAILING]
    got = helm.problems(tmp_path, SHARED["values"], texts, SHARED["files"])
    assert got == [case["error"] for _, case in FAILING]
