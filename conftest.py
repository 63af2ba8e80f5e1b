"""Where FLUVIAL_NO_SKIPS is set, as in CI, a skip is a failure: everything is installed there."""

import os
from collections.abc import Generator

import pytest


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
