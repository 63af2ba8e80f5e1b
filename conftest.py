"""How every test runs: what a skip means, and how many examples a property gets.

Where FLUVIAL_NO_SKIPS is set, as in CI, a skip is a failure: everything is installed there. A
property has 200 examples, the same in every run; `make fuzz` gives it 2,000 new ones.
"""

import gc
import os
from collections.abc import Generator

import hypothesis
import pytest

hypothesis.settings.register_profile("test", max_examples=200, deadline=None, derandomize=True)
hypothesis.settings.register_profile("fuzz", max_examples=2000, deadline=None, print_blob=True)
# Commands that a test runs leave nothing in the cache of whoever runs the tests.
os.environ["FLUVIAL_TEMPLATE_CACHE"] = "off"
hypothesis.settings.load_profile(os.environ.get("FLUVIAL_EXAMPLES", "test"))


def pytest_collection_finish() -> None:
    """Spare the collector thirteen thousand tests and all modules, which stay."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one, with the name of what it missed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("FLUVIAL_NO_SKIPS"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {item.nodeid}: {reason} ({call.when})"
    return report
