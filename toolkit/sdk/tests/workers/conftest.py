import pathlib

import pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture(autouse=True)
def importable_jobs(monkeypatch):
    """Let workers, and this process, import worker_jobs by its name."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.syspath_prepend(str(HERE))
