"""How much of the faults is tried."""

import os

import pytest


@pytest.fixture(scope="session")
def thorough():
    """Whether all of them are (`make faults`), or a sample (`make test`)."""
    return os.environ.get("FLUVIAL_FAULTS") == "all"
