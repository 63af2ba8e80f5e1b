"""Who we are to a registry: a user and password, or a token, out of docker's configuration."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from fluvial.toolkit.oci._errors import CredentialsInvalid

__all__ = ["Credential", "DockerConfig", "run_helper"]

_HUB: Final = "https://index.docker.io/v1/"
_HUB_HOSTS: Final = frozenset({"docker.io", "registry-1.docker.io", "index.docker.io"})
_TOKEN_USER: Final = "<token>"  # noqa: S105  (docker's mark, no password)
_HELPER_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_HELPER_SECONDS: Final = 20.0
_NOT_FOUND: Final = b"credentials not found"

Helper = Callable[[str, str], Awaitable["Credential | None"]]
"""Asks the credential helper of a name for a server."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves who we are; never printed."""

    username: str = field(default="", repr=False)
    """User name."""
    password: str = field(default="", repr=False)
    """Password."""
    refresh_token: str = field(default="", repr=False)
    """A token to be exchanged for others (docker's identity token)."""
    access_token: str = field(default="", repr=False)
    """A token to be sent as it is (docker's registry token)."""


class _Auth(msgspec.Struct, rename=lambda field: field.replace("_", "")):
    auth: str = ""
    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""


class _File(msgspec.Struct, rename="camel"):
    auths: dict[str, _Auth | None] | None = None
    creds_store: str = ""
    cred_helpers: dict[str, str] | None = None


class DockerConfig:
    """A docker `config.json`, also the content of a Secret of type kubernetes.io/dockerconfigjson.

    `helper` runs credential helpers, which are asked instead of looking into `auths`; without one
    they are passed over.
    """

    def __init__(self, file: _File, helper: Helper | None) -> None:
        self._file = file
        self._helper = helper

    @classmethod
    def parse(cls, data: bytes, *, helper: Helper | None = None) -> Self:
        """Read the file. Raises CredentialsInvalid, which quotes nothing of it."""
        try:
            return cls(msgspec.json.decode(data, type=_File), helper)
        except msgspec.DecodeError:
            raise CredentialsInvalid("the docker configuration is no valid JSON") from None

    async def find(self, registry: str) -> Credential | None:
        """Return what is known for a registry. Raises CredentialsInvalid."""
        server = _HUB if registry in _HUB_HOSTS else registry
        name = (self._file.cred_helpers or {}).get(server) or self._file.creds_store
        if name and self._helper is not None:
            return await self._helper(name, server)
        auths = self._file.auths or {}
        keys = [server, *(key for key in auths if _host(key) == _host(server))]
        auth = next((auths[key] for key in keys if auths.get(key)), None)
        found = _credential(auth) if auth is not None else Credential()
        return found if found != Credential() else None


def _host(key: str) -> str:
    """Return the host of a key, which may be a URL with a path."""
    return key.removeprefix("http://").removeprefix("https://").partition("/")[0]


def _credential(auth: _Auth) -> Credential:
    username, password = auth.username, auth.password
    if auth.auth:
        try:
            text = base64.b64decode(auth.auth, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise CredentialsInvalid("auth of the docker configuration is no base64") from None
        username, colon, password = text.partition(":")
        if not colon:
            raise CredentialsInvalid("auth of the docker configuration has no colon")
        password = password.rstrip("\0")
    return Credential(username, password, auth.identity_token, auth.registry_token)


class _Answer(msgspec.Struct, rename="pascal"):
    username: str = ""
    secret: str = ""


async def run_helper(name: str, server: str) -> Credential | None:
    """Ask the program `docker-credential-NAME`, as docker does; None when it knows nothing.

    For commands of people only: a controller runs no programs that a configuration names. Raises
    CredentialsInvalid for a program that is not there, hangs, or answers nonsense.
    """
    if not name or not set(name) <= _HELPER_NAME:
        raise CredentialsInvalid(f"the credential helper {name!r} is no name of a program")
    program = f"docker-credential-{name}"
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "get",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise CredentialsInvalid(f'exec: "{program}": executable file not found in $PATH') from None
    except OSError as error:
        raise CredentialsInvalid(f"cannot run {program}: {error.strerror}") from None
    try:
        async with asyncio.timeout(_HELPER_SECONDS):
            out, _ = await process.communicate(server.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise CredentialsInvalid(f"{program} gave no answer in {_HELPER_SECONDS:g} s") from None
    if process.returncode:
        if _NOT_FOUND in out:
            return None
        raise CredentialsInvalid(f"{program} failed")  # what it says may be secret
    try:
        answer = msgspec.json.decode(out, type=_Answer)
    except msgspec.DecodeError:
        raise CredentialsInvalid(f"{program} answered no credentials") from None
    if answer.username == _TOKEN_USER:
        return Credential(refresh_token=answer.secret)
    return Credential(answer.username, answer.secret)
