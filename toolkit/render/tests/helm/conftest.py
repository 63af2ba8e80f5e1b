import gzip
import io
import tarfile
from collections.abc import Callable, Mapping

import pytest

from fluvial.render.helm import Capabilities, Release, RenderedChart, load_chart, render
from fluvial.render.kustomize.tree import MemoryTree

CHART = "apiVersion: v2\nname: web\nversion: 1.2.3\n"


def pack(files: Mapping[str, bytes | str], top: str = "web/") -> bytes:
    """Make a .tgz as packaging does, in memory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"{top}{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


@pytest.fixture(name="pack")
def _pack() -> Callable[..., bytes]:
    return pack


@pytest.fixture
def rendered() -> Callable[..., RenderedChart]:
    """Render a chart given as files, Chart.yaml included unless given."""

    def run(
        files: Mapping[str, str | bytes], values: dict[str, object] | None = None, **options: object
    ) -> RenderedChart:
        chart = load_chart(MemoryTree({"Chart.yaml": CHART, **files}))
        release = options.pop("release", Release(name="shop", namespace="apps"))
        capabilities = options.pop("capabilities", Capabilities())
        return render(chart, values or {}, release, capabilities, **options)

    return run
