"""helm's repositories.yaml, and the indexes that `helm repo update` keeps beside it."""

from pathlib import Path
from typing import Self

import msgspec

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.render.helm.repository import LARGEST_INDEX, Index, IndexInvalid
from fluvial.render.yaml import YamlError, load

__all__ = ["Entry", "Repositories", "cached_index"]


class Entry(msgspec.Struct, frozen=True):
    """A repository that people know by name."""

    name: str = ""
    """The name."""
    url: str = ""
    """Its address."""
    username: str = ""
    """Who asks; empty for nobody."""
    password: str = ""
    """What proves it."""
    ca_file: str = msgspec.field(name="caFile", default="")
    """Authorities to trust, or empty."""
    cert_file: str = msgspec.field(name="certFile", default="")
    """The client's certificate, or empty."""
    key_file: str = msgspec.field(name="keyFile", default="")
    """The key to it."""
    insecure: bool = msgspec.field(name="insecure_skip_tls_verify", default=False)
    """Whether any certificate is taken."""
    pass_credentials: bool = msgspec.field(name="pass_credentials_all", default=False)
    """Whether the credentials go to other hosts, too."""


class Repositories(msgspec.Struct):
    """All of them, in the order of the file."""

    repositories: list[Entry] | None = None
    """The entries; None counts as none."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file, or none when it is not there. Raises ChartUnavailable."""
        try:
            found = load(path.read_bytes(), file=str(path))
        except FileNotFoundError:
            return cls()
        except OSError as error:
            problem = (error.strerror or str(error)).lower()
            raise ChartUnavailable(
                f"couldn't load repositories file ({path}): open {path}: {problem}"
            ) from None
        except YamlError as error:
            raise ChartUnavailable(f"{path}: line {error.line}: {error.problem}") from None
        try:
            return msgspec.convert(found or {}, cls)
        except msgspec.ValidationError as error:
            raise ChartUnavailable(f"{path}: {error}") from None

    def entries(self) -> list[Entry]:
        """Return the repositories."""
        return self.repositories or []

    def named(self, name: str) -> Entry:
        """Return the one of this name. Raises ChartUnavailable."""
        for entry in self.entries():
            if entry.name == name:
                if not entry.url:
                    raise ChartUnavailable(f"no URL found for repository {name}")
                return entry
        raise ChartUnavailable(f"repo {name} not found")


def cached_index(cache: Path, name: str) -> Index:
    """Read the index of a repository that was fetched before. Raises ChartUnavailable."""
    path = cache / f"{name}-index.yaml"
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ChartUnavailable(f"error loading {path}: larger than {LARGEST_INDEX} bytes")
        return Index(path.read_bytes())
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise ChartUnavailable(f"open {path}: {problem}") from None
    except IndexInvalid as error:
        raise ChartUnavailable(f"error loading {path}: {error}") from None
