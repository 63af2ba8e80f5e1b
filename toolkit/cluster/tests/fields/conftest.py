import json
from pathlib import Path

import pytest

from fluvial.cluster import fields

GOLDEN = Path(__file__).parent / "golden"


def golden_cases(category):
    """Return the recorded cases of a category."""
    lines = (GOLDEN / f"{category}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def pytest_generate_tests(metafunc):
    """Give a test with the argument `recorded` every recorded case."""
    if "recorded" in metafunc.fixturenames:
        cases = [case for name in ("apply", "patch", "crd") for case in golden_cases(name)]
        metafunc.parametrize("recorded", cases, ids=[case["name"] for case in cases])


@pytest.fixture
def config_map():
    return fields.schema_for_builtin("", "v1", "ConfigMap")


@pytest.fixture
def deployment():
    return fields.schema_for_builtin("apps", "v1", "Deployment")
