"""The recorded cases are what the real helm does: a new helm that differs is found here."""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = json.loads((HERE.parents[2] / "toolkit/render/tests/gotemplate/cases.json").read_text())


@pytest.fixture(scope="module")
def oracle():
    spec = importlib.util.spec_from_file_location("gotemplate_oracle", HERE / "oracle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not module.HELM.exists():
        pytest.skip(f"{module.HELM.name} is missing from .venv/oracles")
    return module


def test_everything_prints_as_recorded(oracle, tmp_path):
    templates = [case["template"] for case in CASES["cases"]]
    for case, got in zip(
        CASES["cases"], oracle.printed(tmp_path, CASES["values"], templates), strict=True
    ):
        assert got == case["want"], case["reason"]


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES["failures"], ids=lambda case: case["reason"])
def test_failures_read_as_recorded(oracle, tmp_path, case):
    assert oracle.failure(tmp_path, CASES["values"], case["template"]) == case["error"]
