import pytest
from forked import warm_up
from harness import Harness


@pytest.fixture(scope="session")
def harness(tmp_path_factory):
    """Run a control plane with the definitions of every kind, and nothing else."""
    harness = Harness(tmp_path_factory.mktemp("kills"))
    warm_up()
    try:
        harness.start_plane(standins=False)
        harness.define()
        yield harness
    finally:
        harness.close()
