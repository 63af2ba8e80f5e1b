"""Flags and environment that say where charts come from, with helm's names and defaults."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.flags import Flag

__all__ = ["FLAGS", "ChartSettings"]

FLAGS: Final = {
    **{name: Flag("bool") for name in (
        "dependency-build", "dependency-update", "devel", "insecure-skip-tls-verify",
        "pass-credentials", "plain-http", "verify",
    )},
    **{name: Flag() for name in (
        "ca-file", "cert-file", "content-cache", "key-file", "keyring", "password",
        "registry-config", "repo", "repository-cache", "repository-config", "username", "version",
    )},
}  # fmt: skip
"""The flags."""

_DEVELOPMENT: Final = ">0.0.0-0"


@dataclass(frozen=True, kw_only=True)
class ChartSettings:
    """Where charts come from, and who asks."""

    version: str
    """The wanted version or range; empty for the newest release."""
    repo: str
    """The address of a repository, or empty."""
    username: str
    """Who asks; empty for nobody."""
    password: str = field(repr=False)
    """What proves it."""
    pass_credentials: bool
    """Whether the repository's credentials go to other hosts, too."""
    ca_file: str
    """Authorities to trust, or empty for the system's."""
    cert_file: str
    """The client's certificate, or empty."""
    key_file: str
    """The key to it."""
    insecure: bool
    """Whether any certificate is taken."""
    plain_http: bool
    """Whether registries are asked without TLS."""
    verify: bool
    """Whether a package needs a good signature."""
    keyring: Path
    """Where the public keys are."""
    repository_config: Path
    """The file with the names of repositories."""
    repository_cache: Path
    """The folder with the indexes of repositories."""
    content_cache: Path
    """The folder with packages by digest."""
    registry_config: Path
    """The file with credentials of registries."""
    docker_config: Path
    """Docker's own, which is looked into after that."""

    @classmethod
    def of(cls, given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Self:
        """Read flags over environment over defaults."""
        home = Path(environ.get("HOME", ""))
        config, cache = _homes(environ, home)
        gnupg = Path(environ.get("GNUPGHOME") or home / ".gnupg")
        docker = Path(environ.get("DOCKER_CONFIG") or home / ".docker")

        def place(flag: str, default: Path) -> Path:
            variable = f"HELM_{flag.replace('-', '_').upper()}"
            return Path(given.get(flag) or environ.get(variable) or default)

        version = str(given.get("version", "")).strip()
        return cls(
            version=version or (_DEVELOPMENT if given.get("devel") else ""),
            repo=given.get("repo", ""),
            username=given.get("username", ""),
            password=given.get("password", ""),
            pass_credentials=given.get("pass-credentials", False),
            ca_file=given.get("ca-file", ""),
            cert_file=given.get("cert-file", ""),
            key_file=given.get("key-file", ""),
            insecure=given.get("insecure-skip-tls-verify", False),
            plain_http=given.get("plain-http", False),
            verify=given.get("verify", False),
            keyring=Path(given.get("keyring") or gnupg / "pubring.gpg"),
            repository_config=place("repository-config", config / "repositories.yaml"),
            repository_cache=place("repository-cache", cache / "repository"),
            content_cache=place("content-cache", cache / "content"),
            registry_config=place("registry-config", config / "registry" / "config.json"),
            docker_config=docker / "config.json",
        )

    def check(self) -> None:
        """Raise ChartUnavailable for certificates that are not there, as helm does at once."""
        problem = "missing registry client: can't create TLS config for client: "
        if self.cert_file and self.key_file:
            for kind, file in (("cert", self.cert_file), ("key", self.key_file)):
                if reason := _unreadable(file):
                    raise ChartUnavailable(
                        f'{problem}unable to read {kind} file: "{file}": open {file}: {reason}'
                    )
        if self.ca_file and (reason := _unreadable(self.ca_file)):
            raise ChartUnavailable(
                f'{problem}can\'t read CA file: "{self.ca_file}": open {self.ca_file}: {reason}'
            )


def _unreadable(file: str) -> str:
    """Say why a file cannot be read; nothing when it can."""
    try:
        with Path(file).open("rb"):
            return ""
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _homes(environ: Mapping[str, str], home: Path) -> tuple[Path, Path]:
    """Return the folders of helm's configuration and caches."""
    if sys.platform == "darwin":
        defaults = home / "Library" / "Preferences", home / "Library" / "Caches"
    else:
        defaults = home / ".config", home / ".cache"
    config = environ.get("HELM_CONFIG_HOME") or (
        Path(environ.get("XDG_CONFIG_HOME") or defaults[0]) / "helm"
    )
    cache = environ.get("HELM_CACHE_HOME") or (
        Path(environ.get("XDG_CACHE_HOME") or defaults[1]) / "helm"
    )
    return Path(config), Path(cache)
