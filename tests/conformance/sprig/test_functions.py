"""Every function of Sprig and Helm does what the real helm does, in print and in failure."""

import re
import time

import pytest
from functioncases import CASES, VALUES, failure, oracle, printed

from fluvial.render.helm._functions import helm_functions

PRINTED = [case for case in CASES if "want" in case]
FAILING = [case for case in CASES if "error" in case]
RANDOM = [case for case in CASES if "like" in case]
ENGINE = {"include", "tpl", "lookup"}


def name_of(case: dict) -> str:
    return f"{case['function']}: {case['rule']}"


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def helm():
    module = oracle()
    if not module.HELM.exists():
        pytest.skip(f"{module.HELM.name} is missing from .venv/oracles")
    return module


def test_every_function_has_cases_and_no_two_share_a_rule():
    assert set(helm_functions()) | ENGINE == {case["function"] for case in CASES}
    names = [name_of(case) for case in CASES]
    assert len(names) == len(set(names)) >= 700


@pytest.mark.parametrize("case", PRINTED, ids=name_of)
def test_prints(case):
    assert printed(case["template"]) == case["want"]


@pytest.mark.parametrize("case", FAILING, ids=name_of)
def test_fails(case):
    assert failure(case["template"]) == case["error"]


@pytest.mark.parametrize("case", RANDOM, ids=name_of)
def test_is_of_its_shape(case):
    assert re.fullmatch(case["like"], printed(case["template"]), re.DOTALL)


def test_helm_prints_as_recorded(helm, tmp_path):
    found = helm.printed(tmp_path, VALUES, [case["template"] for case in PRINTED])
    for case, text in zip(PRINTED, found, strict=True):
        assert text == case["want"], name_of(case)


def test_helm_fails_as_recorded(helm, tmp_path):
    # one process for all; what its lint forgives is asked alone
    found = helm.problems(tmp_path, VALUES, [case["template"] for case in FAILING])
    for place, (case, message) in enumerate(zip(FAILING, found, strict=True)):
        told = message
        if told != case["error"]:
            told = helm.failure(tmp_path / f"alone{place}", VALUES, case["template"])
        assert told == case["error"], name_of(case)


def test_what_is_random_in_helm_has_the_same_shapes(helm, tmp_path):
    found = helm.printed(tmp_path, VALUES, [case["template"] for case in RANDOM])
    for case, text in zip(RANDOM, found, strict=True):
        assert re.fullmatch(case["like"], text, re.DOTALL), f"{name_of(case)}: {text[:200]}"
