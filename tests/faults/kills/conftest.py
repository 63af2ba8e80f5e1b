import pytest


@pytest.fixture(scope="module")
def harness(make_harness):
    """Run a control plane with the definitions of every kind, and nothing else."""
    harness = make_harness("kills")
    harness.start_plane(standins=False)
    harness.define()
    return harness
