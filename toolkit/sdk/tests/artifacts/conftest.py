"""Archives, made by hand or by the standard library, and a clock that tests move."""

import gzip
import io
import tarfile

import pytest

from fluvial.toolkit.artifacts import Entry, pack


@pytest.fixture
def archive():
    """Pack files and folders, given by path; None is a folder."""

    def make(**files):
        entries = [Entry.folder(".")]
        for path in sorted(files, key=lambda path: path.encode().split(b"/")):
            content = files[path]
            entries.append(Entry.folder(path) if content is None else Entry.file(path, content))
        return b"".join(pack(entries))

    return make


@pytest.fixture
def foreign():
    """Write an archive with the standard library: (TarInfo fields, content) per entry."""

    def make(*entries, format=tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as tar:
            for fields, content in entries:
                info = tarfile.TarInfo()
                info.size = len(content)
                for name, value in fields.items():
                    setattr(info, name, value)
                tar.addfile(info, io.BytesIO(content))
        return gzip.compress(out.getvalue())

    return make
