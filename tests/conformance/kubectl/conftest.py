"""The real kubectl, by its own path, against a control plane in a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

KUBECTL = Path(__file__).parents[3] / ".venv" / "oracles" / "kubectl"
DEADLINE = 30


class Kubectl:
    """Runs kubectl in a folder with its own cache."""

    def __init__(self, kubeconfig: Path, home: Path) -> None:
        self.kubeconfig, self.home = kubeconfig, home

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home)}

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a command that does not end by itself; its output is a pipe."""
        return subprocess.Popen(
            [str(KUBECTL), *arguments], stdout=subprocess.PIPE, text=True, env=self._environment()
        )

    def __call__(
        self, *arguments: str, stdin: str | None = None, **more: str
    ) -> subprocess.CompletedProcess:
        environment = {**self._environment(), **more}
        return subprocess.run(
            [str(KUBECTL), *arguments], input=stdin, capture_output=True, text=True,
            timeout=DEADLINE, env=environment, check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory):
    if not KUBECTL.exists():
        pytest.skip(f"{KUBECTL.name} is missing from .venv/oracles")
    folder = tmp_path_factory.mktemp("plane")
    ready = folder / "ready"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "fluvial.cluster", "serve", "--data-dir", str(folder / "data"),
            "--kubeconfig", str(folder / "kubeconfig"), "--ready-file", str(ready),
            "--audit-log", str(folder / "audit.jsonl"),
        ],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + DEADLINE
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"the control plane did not start: {process.communicate()[1]}")
            time.sleep(0.05)
        yield Kubectl(folder / "kubeconfig", folder)
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    assert (folder / "audit.jsonl").stat().st_size > 0
