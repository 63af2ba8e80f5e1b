"""How to speak to a remote: credentials from a Secret, and what becomes of them for one command.

Nothing secret is ever an argument. Authorization travels as configuration in the environment,
keys and certificates as files of mode 0600 in a private folder that lives as long as the command.
"""

import base64
import contextlib
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import msgspec

from fluvial.source.git.errors import CredentialsInvalid, UrlInvalid

__all__ = ["Access", "Credentials", "Grant", "Proxy"]

_SCHEMES = frozenset({"http", "https", "ssh"})


class Credentials(msgspec.Struct, frozen=True):
    """What a Secret holds for a Git remote; empty fields are absent."""

    username: str = ""
    password: str = ""
    bearer_token: str = ""
    ca: bytes = b""
    certificate: bytes = b""
    key: bytes = b""
    identity: bytes = b""
    known_hosts: bytes = b""

    @classmethod
    def from_secret(cls, data: Mapping[str, bytes], name: str) -> Self:
        """Read the keys by upstream's names; `name` is for messages.

        Raises CredentialsInvalid for text that is not UTF-8 and for half a client certificate.
        """
        found = cls(
            username=_text(data, "username", name),
            password=_text(data, "password", name),
            bearer_token=_text(data, "bearerToken", name),
            ca=data.get("ca.crt") or data.get("caFile") or b"",
            certificate=data.get("tls.crt", b""),
            key=data.get("tls.key", b""),
            identity=data.get("identity", b""),
            known_hosts=data.get("known_hosts", b""),
        )
        if bool(found.certificate) != bool(found.key):
            raise CredentialsInvalid(
                f"secret '{name}': tls.crt and tls.key must be given both or neither"
            )
        return found


class Proxy(NamedTuple):
    """An http, https or socks5 proxy, user information included; empty for none."""

    address: str = ""

    @classmethod
    def from_secret(cls, data: Mapping[str, bytes], name: str) -> Self:
        """Read `address`, `username` and `password`. Raises CredentialsInvalid."""
        address = _text(data, "address", name)
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https", "socks5"} or not parts.hostname:
            raise CredentialsInvalid(f"secret '{name}': address is no http, https or socks5 URL")
        if len(address) > 2048:
            raise CredentialsInvalid(f"secret '{name}': address is over 2048 characters")
        username, password = _text(data, "username", name), _text(data, "password", name)
        if username:
            host = parts.netloc.rpartition("@")[2]
            user = f"{quote(username, safe='')}:{quote(password, safe='')}"
            address = urlunsplit(parts._replace(netloc=f"{user}@{host}"))
        return cls(address)


class Grant(NamedTuple):
    """What one command gets: configuration, variables, and what must not be repeated."""

    configuration: dict[str, str]
    environment: dict[str, str]
    secrets: tuple[str, ...]


class Access(NamedTuple):
    """A remote and the right to read it. `url` is without secrets, fit for arguments and messages.

    Build it with `to`, which checks that URL and credentials belong together.
    """

    url: str
    scheme: str
    credentials: Credentials
    proxy: Proxy

    @classmethod
    def to(
        cls, url: str, credentials: Credentials | None = None, proxy: Proxy | None = None
    ) -> Self:
        """Join a URL with credentials; the URL's user information counts where the Secret has none.

        Raises UrlInvalid or CredentialsInvalid.
        """
        parts = _split(url)
        given = credentials or Credentials()
        proxy = proxy or Proxy()
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme == "ssh":
            for field in ("identity", "known_hosts"):
                if not getattr(given, field):
                    raise CredentialsInvalid(f"invalid 'ssh' auth option: '{field}' is required")
            host = parts.netloc.rpartition("@")[2]
            bare = parts._replace(netloc=f"{quote(username or 'git', safe='')}@{host}")
            return cls(urlunsplit(bare), parts.scheme, given, proxy)
        if given.bearer_token:
            if username or password:
                raise CredentialsInvalid(
                    f"invalid '{parts.scheme}' auth option: a bearer token cannot be used together "
                    "with credentials in the URL"
                )
        elif not given.username and not given.password:
            given = msgspec.structs.replace(given, username=username, password=password)
        if given.password and not given.username:
            raise CredentialsInvalid(
                f"invalid '{parts.scheme}' auth option: 'password' requires 'username' to be set"
            )
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        return cls(urlunsplit(bare), parts.scheme, given, proxy)

    @staticmethod
    def check(url: str) -> None:
        """Check a URL alone. Raises UrlInvalid."""
        _split(url)

    def anonymous(self) -> "Access":
        """Return the same without what tells who we are; authorities and proxy stay."""
        return self._replace(credentials=Credentials(ca=self.credentials.ca))

    @contextlib.contextmanager
    def grant(self) -> Iterator[Grant]:
        """Write what has to be a file, yield what a command needs, and remove the files."""
        with tempfile.TemporaryDirectory(prefix="git-access-") as folder:
            yield self._grant(Path(folder))

    def _grant(self, folder: Path) -> Grant:
        held = self.credentials
        configuration: dict[str, str] = {}
        environment: dict[str, str] = {}
        secrets = [held.password, held.bearer_token, self.proxy.address]
        if self.proxy.address:
            configuration["http.proxy"] = self.proxy.address
        if self.scheme == "ssh":
            identity = _private(folder / "identity", held.identity.rstrip() + b"\n")
            known = _private(folder / "known_hosts", held.known_hosts)
            # Git hands this line to a shell: it holds nothing but our own paths.
            environment["GIT_SSH_COMMAND"] = (
                f"ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none "
                f"-i '{identity}' -o UserKnownHostsFile='{known}' -o GlobalKnownHostsFile=none "
                f"-o StrictHostKeyChecking=yes -o ConnectTimeout=30"
            )
            return Grant(configuration, environment, tuple(secrets))
        if authorization := self._authorization():
            configuration["http.extraHeader"] = f"Authorization: {authorization}"
            # Git would send the header wherever a redirect leads.
            configuration["http.followRedirects"] = "false"
            secrets.append(authorization.partition(" ")[2])
        if held.ca:
            # Upstream adds to the system's authorities, Git would replace them.
            bundle = _system_authorities() + b"\n" + held.ca
            environment["GIT_SSL_CAINFO"] = str(_private(folder / "ca.crt", bundle))
        if held.certificate:
            certificate = _private(folder / "tls.crt", held.certificate)
            environment["GIT_SSL_CERT"] = str(certificate)
            environment["GIT_SSL_KEY"] = str(_private(folder / "tls.key", held.key))
        return Grant(configuration, environment, tuple(secrets))

    def _authorization(self) -> str:
        held = self.credentials
        if held.bearer_token:
            return f"Bearer {held.bearer_token}"
        if held.username:
            pair = f"{held.username}:{held.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return ""


def _split(url: str) -> SplitResult:
    """Take a URL apart. Raises UrlInvalid, never quoting user information."""
    if not url.isprintable() or any(character.isspace() for character in url):
        raise UrlInvalid("the URL holds blanks or control characters")
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError as error:
        raise UrlInvalid(f"the URL cannot be parsed: {error}") from None
    if not usable:
        raise UrlInvalid("the URL is not of the form http://, https:// or ssh://<host>/<path>")
    if parts.hostname is None or parts.hostname.startswith("-") or parts.path.startswith("/-"):
        raise UrlInvalid("host and path of the URL must not start with a dash")
    return parts


def _text(data: Mapping[str, bytes], key: str, name: str) -> str:
    """Read a one-line value; a line break at its end is what an editor left there."""
    try:
        text = data.get(key, b"").decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CredentialsInvalid(f"secret '{name}': {key} is not UTF-8 text") from None
    if any(ord(character) < 32 for character in text):
        # It could add headers or configuration of its own.
        raise CredentialsInvalid(f"secret '{name}': {key} holds control characters")
    return text


def _private(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
    return path


def _system_authorities() -> bytes:
    file = ssl.get_default_verify_paths().cafile
    return Path(file).read_bytes() if file else b""
