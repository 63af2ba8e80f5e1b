"""What all end-to-end tests share: a report of the processes' logs for every failed test."""

import pytest
from harness import Harness, running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for process in running.values():
            report.sections.append((f"log of {process.name}", process.tail()))
    return report


@pytest.fixture(scope="module")
def make_harness(tmp_path_factory):
    """Make a harness per call; whatever it has started ends with the module."""
    made = []

    def make(name="e2e"):
        harness = Harness(tmp_path_factory.mktemp(name))
        made.append(harness)
        return harness

    yield make
    for harness in made:
        harness.close()
