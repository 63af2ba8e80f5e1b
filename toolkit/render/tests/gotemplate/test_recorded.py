"""Every recorded case of the real helm: the same text, the same error at the same place.

The conformance tests check the recordings themselves against helm.
"""

import json
import re
import time
from pathlib import Path

import pytest

from fluvial.render.gotemplate import TemplateError, Templates, sprig

CASES = json.loads((Path(__file__).parent / "cases.json").read_text())
NAME = "c/templates/a.yaml"


def as_values(value):
    """Numbers of values are floats, whatever JSON says."""
    if isinstance(value, dict):
        return {key: as_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_values(item) for item in value]
    return float(value) if type(value) is int else value


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def render():
    def run(text):
        def include(name: str, data):
            return templates.execute(name, data)

        templates = Templates({**sprig.functions(), "include": include})
        templates.add(NAME, text)
        return templates.execute(NAME, {"Values": as_values(CASES["values"])})

    return run


@pytest.mark.parametrize(
    "case", CASES["cases"], ids=lambda case: f"{case['group']}: {case['reason']}"
)
def test_prints(render, case):
    assert render(case["template"]).replace("<no value>", "") == case["want"]


@pytest.mark.parametrize("case", CASES["failures"], ids=lambda case: case["reason"])
def test_fails(render, case):
    with pytest.raises(TemplateError) as caught:
        render(case["template"])
    message = re.sub(r"\s+", " ", str(caught.value).replace("template: ", ""))
    assert message == case["error"]
