"""Fetches indexes, packages and provenance files, for whoever the flags or a repository name."""

import contextlib
import hashlib
import re
import ssl
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.repositories import Entry
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.render.helm import load_chart
from fluvial.render.helm.repository import LARGEST_INDEX, Index, IndexInvalid, package_name
from fluvial.toolkit.client.tls import Pair, client_context
from fluvial.toolkit.oci import (
    SCHEME,
    Credential,
    CredentialsInvalid,
    DockerConfig,
    OciError,
    Reference,
    Registry,
    VersionNotFound,
    newest_version,
    pull_chart,
    resolve_chart,
    run_helper,
)
from fluvial.toolkit.web import WebClient, WebError, basic, resolve, same_origin, shown

__all__ = ["Access", "Fetched", "fetch_index", "fetch_package", "find_tag"]

LARGEST_PACKAGE: Final = 100 << 20
_LARGEST_PROVENANCE: Final = 1 << 20
_SHA256 = re.compile("[0-9a-f]{64}")
_PACKAGES: Final = "application/gzip,application/octet-stream"
_UNDERSCORE: Final = """{} contains an underscore.

OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.
"""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who asks a repository at `url`, and whom it is trusted to be."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    everywhere: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure: bool = False

    @classmethod
    def of_flags(cls, settings: ChartSettings, url: str) -> Self:
        """Take what the command line says."""
        return cls(
            url=url,
            username=settings.username,
            password=settings.password,
            everywhere=settings.pass_credentials,
            ca_file=settings.ca_file,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            insecure=settings.insecure,
        )

    @classmethod
    def of_entry(cls, settings: ChartSettings, entry: Entry) -> Self:
        """Take what is known of a named repository, and the command line for the rest."""
        own = bool(entry.username and entry.password)
        tls = entry if entry.ca_file or entry.cert_file or entry.key_file else settings
        return cls(
            url=entry.url,
            username=entry.username if own else settings.username,
            password=entry.password if own else settings.password,
            everywhere=entry.pass_credentials if own else settings.pass_credentials,
            ca_file=tls.ca_file,
            cert_file=tls.cert_file,
            key_file=tls.key_file,
            insecure=entry.insecure or settings.insecure,
        )

    def authorization(self, url: str) -> str:
        """Return the header for a URL: empty for another host, unless credentials go there, too."""
        if not self.username or not self.password:
            return ""
        if not self.everywhere and not same_origin(self.url, url):
            return ""
        return basic(self.username, self.password)

    def client(self, *, tries: int = 1) -> WebClient:
        """Make the client. Raises ChartUnavailable for certificates that cannot be read."""
        return WebClient(tls=self._tls(), tries=tries)

    def _tls(self) -> ssl.SSLContext | None:
        pair = None
        if not (self.ca_file or (self.cert_file and self.key_file) or self.insecure):
            return None
        try:
            if self.cert_file and self.key_file:
                pair = Pair(Path(self.cert_file).read_bytes(), Path(self.key_file).read_bytes())
            return client_context(ca_file=self.ca_file or None, pair=pair, verify=not self.insecure)
        except (OSError, ValueError) as error:
            raise ChartUnavailable(f"can't create TLS config for client: {error}") from None


class Fetched(NamedTuple):
    """A package, its file name, and its provenance file when that was asked for."""

    package: bytes
    name: str
    provenance: bytes | None


async def fetch_index(access: Access) -> Index:
    """Download the index of a repository. Raises ChartUnavailable."""
    try:
        url = resolve(access.url, "index.yaml")
        async with access.client() as client:
            answer = await client.get(
                url, largest=LARGEST_INDEX, authorization=access.authorization(url)
            )
        return Index(answer.body)
    except (WebError, IndexInvalid) as error:
        raise ChartUnavailable(str(error)) from None


async def fetch_package(
    url: str, access: Access, settings: ChartSettings, *, version: str = "", digest: str = ""
) -> Fetched:
    """Download a package: by http, https, or as a version of a chart in a registry.

    `digest` is what the index says of it. Raises ChartUnavailable.
    """
    if url.startswith(SCHEME):
        return await _pull(url, version, access, settings)
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise ChartUnavailable(f'scheme "{scheme}" not supported')
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    if name in {"", ".", ".."}:
        raise ChartUnavailable(f"{shown(url)} names no file")
    try:
        async with access.client() as client:
            package = _cached(settings.content_cache, digest)
            if package is None:
                authorization = access.authorization(url)
                answer = await client.get(
                    url, largest=LARGEST_PACKAGE, accept=_PACKAGES, authorization=authorization
                )
                package = answer.body
                _check_digest(package, digest, url)
            if not settings.verify:
                return Fetched(package, name, None)
            return Fetched(package, name, await _provenance(client, url, access))
    except WebError as error:
        raise ChartUnavailable(str(error)) from None


async def _provenance(client: WebClient, url: str, access: Access) -> bytes:
    parts = urlsplit(url)
    place = urlunsplit(parts._replace(path=f"{parts.path}.prov"))
    try:
        answer = await client.get(
            place, largest=_LARGEST_PROVENANCE, authorization=access.authorization(place)
        )
    except WebError:
        raise ChartUnavailable(f'failed to fetch provenance "{shown(place)}"') from None
    return answer.body


def _cached(folder: Path, digest: str) -> bytes | None:
    """Return a package that helm keeps by its digest, if it still has that."""
    plain = _plain(digest)
    if not _SHA256.fullmatch(plain):
        return None
    try:
        package = (folder / plain[:2] / f"{plain}.chart").read_bytes()
    except OSError:
        return None
    return package if hashlib.sha256(package).hexdigest() == plain else None


def _check_digest(package: bytes, digest: str, url: str) -> None:
    """Hold a package against what the index says; helm does not, and takes any."""
    found = hashlib.sha256(package).hexdigest()
    wanted = _plain(digest)
    if not wanted or wanted == found:
        return
    if not _SHA256.fullmatch(wanted):
        raise ChartUnavailable(
            f"the index gives a digest for {shown(url)} that is no SHA-256: {digest}"
        )
    raise ChartUnavailable(
        f"{shown(url)} has the digest sha256:{found}, but the index of its "
        f"repository says sha256:{wanted}: it was changed after it was indexed"
    )


def _plain(digest: str) -> str:
    return digest.removeprefix("sha256:").lower()


async def find_tag(address: str, wanted: str, access: Access, settings: ChartSettings) -> str:
    """Return the newest version in a range of a chart in a registry; the range when none fits.

    Raises ChartUnavailable when the registry gives no tags.
    """
    try:
        reference = Reference.parse(address)
        async with access.client(tries=3) as client:
            registry = _registry(client, reference, access, settings)
            return await newest_version(registry, reference, wanted)
    except VersionNotFound:
        return wanted
    except (OciError, WebError) as error:
        raise ChartUnavailable(str(error)) from None


def _registry(
    client: WebClient, reference: Reference, access: Access, settings: ChartSettings
) -> Registry:
    """Make the client of a registry."""
    tls = access.ca_file or access.cert_file or access.insecure
    return Registry(
        client,
        reference.registry,
        credential=_credential(settings),
        plain_http=settings.plain_http and not tls,
    )


async def _pull(address: str, version: str, access: Access, settings: ChartSettings) -> Fetched:
    """Pull a chart out of a registry, and say so."""
    try:
        reference = Reference.parse(address)
        async with access.client(tries=3) as client:
            registry = _registry(client, reference, access, settings)
            resolved = await resolve_chart(registry, reference, version)
            pulled = await pull_chart(
                registry, resolved, largest=LARGEST_PACKAGE, provenance=settings.verify
            )
    except (OciError, WebError) as error:
        raise ChartUnavailable(str(error)) from None
    sys.stderr.write(f"Pulled: {resolved}\nDigest: {pulled.digest}\n")
    if "_" in str(resolved):
        sys.stderr.write(_UNDERSCORE.format(resolved))
    if resolved.tag:
        leaf = resolved.repository.rpartition("/")[2]
        name = f"{leaf}-{resolved.tag.replace('_', '+')}.tgz"
    else:
        name = package_name(load_chart(pulled.package))  # a digest says nothing of a version
    return Fetched(pulled.package, name, pulled.provenance)


def _credential(
    settings: ChartSettings,
) -> Credential | Callable[[str], Awaitable[Credential | None]]:
    """Return who we are to registries: by flags, else by helm's file, else by docker's.

    Files are read at once, their helpers asked when a registry wants to know.
    """
    if settings.username and settings.password:
        return Credential(settings.username, settings.password)
    configs = []
    with contextlib.suppress(FileNotFoundError):
        data = settings.registry_config.read_bytes()
        configs.append(DockerConfig.parse(data, helper=run_helper))
    # Docker's own may be broken, as in helm.
    with contextlib.suppress(OSError, CredentialsInvalid):
        data = settings.docker_config.read_bytes()
        configs.append(DockerConfig.parse(data, helper=run_helper))

    async def find(registry: str) -> Credential | None:
        for config in configs:
            if (found := await config.find(registry)) is not None:
                return found
        return None

    return find
