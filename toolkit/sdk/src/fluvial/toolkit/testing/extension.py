"""An extension that looks installed, for as long as a test wants it."""

import uuid
from pathlib import Path

__all__ = ["write_extension"]


def write_extension(folder: Path, source: str, group: str, name: str, attribute: str) -> None:
    """Write a distribution with one entry point into a folder, as an installer would leave it.

    `source` is the module, and `attribute` what the entry point names in it. Put the folder on the
    path with pytest's `monkeypatch.syspath_prepend(folder)`.
    """
    module = f"extension_{uuid.uuid4().hex}"
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: an-extension\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}:{attribute}\n")
