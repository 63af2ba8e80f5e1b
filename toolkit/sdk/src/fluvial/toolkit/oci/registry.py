"""A client of one registry: the distribution specification, for reading."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

from fluvial.toolkit.oci._errors import ContentRejected, CredentialsInvalid, RegistryRefused
from fluvial.toolkit.oci.challenges import Challenge
from fluvial.toolkit.oci.credentials import Credential
from fluvial.toolkit.oci.reference import DIGEST, Reference
from fluvial.toolkit.web import Answer, WebClient, basic, same_origin

__all__ = ["Descriptor", "Manifest", "Registry"]

_LARGEST_MANIFEST: Final = 4 << 20
_LARGEST_TAGS: Final = 4 << 20
_LARGEST_TOKEN: Final = 128 << 10
_MOST_PAGES: Final = 1000
_MOST_PROBLEMS: Final = 5
_LONGEST_PROBLEM: Final = 300
_NEXT = re.compile(r"<([^>]*)>\s*;\s*rel=\"?next\"?")
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json"
)


Find = Callable[[str], Awaitable[Credential | None]]
"""Looks for what proves who we are to a host."""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """What a manifest says of something else."""

    media_type: str = ""
    """Its kind."""
    digest: str = ""
    """Its digest, `sha256:` and hexadecimal digits."""
    size: int = 0
    """Its size in bytes."""
    annotations: dict[str, str] = {}
    """What its author says of it."""


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """A manifest, or an index of several."""

    media_type: str = ""
    """Its kind."""
    config: Descriptor | None = None
    """Its configuration; none in an index."""
    layers: list[Descriptor] = []
    """Its content."""
    manifests: list[Descriptor] = []
    """What an index lists."""
    annotations: dict[str, str] = {}
    """What its author says of it."""


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


class _Problem(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Problems(msgspec.Struct):
    errors: list[_Problem] = []


class _Fetched(NamedTuple):
    digest: str
    manifest: Manifest


class Registry:
    """Reads from the registry at `host`, through `web`.

    `credential` goes to this host, and to the server of tokens that it names, once it asks for one;
    to no other, whatever redirects say. It may be a function, which is then called with the host
    for the first time. `plain_http` is for registries without TLS.
    """

    def __init__(
        self,
        web: WebClient,
        host: str,
        *,
        credential: Credential | Find | None = None,
        plain_http: bool = False,
    ) -> None:
        self._web = web
        # The name that people write is not the host that answers.
        answering = "registry-1.docker.io" if host == "docker.io" else host
        self._base = f"{'http' if plain_http else 'https'}://{answering}"
        self._host = host
        self._credential = credential
        self._known: dict[str, str] = {}

    async def tags(self, repository: str) -> list[str]:
        """Return all tags of a repository, page by page, in the registry's order.

        Raises RegistryRefused, ContentRejected, WebError.
        """
        found: list[str] = []
        url = f"{self._base}/v2/{repository}/tags/list"
        for _ in range(_MOST_PAGES):
            answer = await self._get(url, repository, _LARGEST_TAGS)
            _check(answer, url)
            try:
                found += msgspec.json.decode(answer.body, type=_Tags).tags or []
            except msgspec.DecodeError as error:
                raise ContentRejected(f"{url}: no list of tags: {error}") from None
            following = _NEXT.search(answer.headers.get("Link", ""))
            if following is None:
                return found
            target = urlsplit(urljoin(url, following[1]))
            if target.hostname != urlsplit(url).hostname:
                raise ContentRejected(f"{url}: the next page is on another host")
            # Registries behind a proxy often name the scheme and port that they see themselves.
            url = urlunsplit(urlsplit(url)._replace(path=target.path, query=target.query))
        raise ContentRejected(f"{repository} has more than {_MOST_PAGES} pages of tags")

    async def digest(self, reference: Reference) -> str:
        """Return the digest of what a tag names. Raises as `manifest` does."""
        return (await self.manifest(reference)).digest

    async def manifest(self, reference: Reference) -> _Fetched:
        """Return a manifest and its digest, which is checked where the reference has one.

        Raises RegistryRefused, ContentRejected, WebError.
        """
        wanted = reference.digest or reference.tag
        url = f"{self._base}/v2/{reference.repository}/manifests/{wanted}"
        answer = await self._get(url, reference.repository, _LARGEST_MANIFEST, _MANIFESTS)
        if answer.status == 404:
            raise RegistryRefused(
                f'failed to perform "FetchReference" on source: {reference}: not found', 404
            )
        _check(answer, url)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        said = answer.headers.get("Docker-Content-Digest", "")
        for expected in (reference.digest, said if said.startswith("sha256:") else ""):
            if expected and expected != digest:
                raise ContentRejected(f"{reference}: mismatch digest: got {digest}, not {expected}")
        try:
            return _Fetched(digest, msgspec.json.decode(answer.body, type=Manifest))
        except msgspec.DecodeError as error:
            raise ContentRejected(f"{reference}: no manifest: {error}") from None

    async def blob(self, repository: str, descriptor: Descriptor, largest: int) -> bytes:
        """Return the content that a descriptor names, of at most `largest` bytes.

        Raises RegistryRefused, WebError, and ContentRejected when size or digest differ.
        """
        place = f"{repository}@{descriptor.digest}"
        if not DIGEST.fullmatch(descriptor.digest):
            raise ContentRejected(f"{place}: a digest must be sha256: and 64 hexadecimal digits")
        if descriptor.size > largest:
            raise ContentRejected(f"{place} is larger than {largest} bytes")
        url = f"{self._base}/v2/{repository}/blobs/{descriptor.digest}"
        answer = await self._get(url, repository, descriptor.size)
        if answer.status == 404:
            raise RegistryRefused(f"{place}: not found", 404)
        _check(answer, url)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if digest != descriptor.digest or len(answer.body) != descriptor.size:
            raise ContentRejected(f"{place}: mismatch digest: got {digest}")
        return answer.body

    async def _get(self, url: str, repository: str, largest: int, accept: str = "") -> Answer:
        """Ask, and once more with what the registry wants to see."""
        headers = {"Accept": accept} if accept else {}
        known = self._known.get(repository, "")
        answer = await self._web.ask("GET", url, headers, largest, authorization=known)
        # A redirect may have led to a store of blobs, whose questions are not for us.
        if answer.status != 401 or not same_origin(url, answer.url):
            return answer
        challenge = Challenge.parse(answer.headers.get("WWW-Authenticate", ""))
        try:
            authorization = await self._authorize(challenge, repository)
        except RegistryRefused as error:
            raise RegistryRefused(f'GET "{url}": {error}', error.status) from error
        except CredentialsInvalid as error:
            raise CredentialsInvalid(f'GET "{url}": {error}') from error
        if not authorization:
            return answer
        self._known[repository] = authorization
        return await self._web.ask("GET", url, headers, largest, authorization=authorization)

    async def _authorize(self, challenge: Challenge, repository: str) -> str:
        """Return the header that answers a challenge; empty when there is none."""
        if callable(self._credential):
            self._credential = await self._credential(self._host)
        credential = self._credential or Credential()
        if challenge.scheme == "basic":
            if self._credential is None:
                raise RegistryRefused("basic credential not found", 401)
            return basic(credential.username, credential.password)
        if challenge.scheme != "bearer":
            return ""
        if credential.access_token:
            return f"Bearer {credential.access_token}"
        if not challenge.realm.startswith("https://") and self._base.startswith("https://"):
            raise ContentRejected("the server of tokens must use https as well")
        scope = challenge.scope or f"repository:{repository}:pull"
        if credential.refresh_token:
            return f"Bearer {await self._exchange(challenge, scope, credential)}"
        return f"Bearer {await self._token(challenge, scope, credential)}"

    async def _token(self, challenge: Challenge, scope: str, credential: Credential) -> str:
        """Get a token, for nobody in particular when there is no user."""
        parts = urlsplit(challenge.realm)
        query = parse_qsl(parts.query, keep_blank_values=True)
        query += [("scope", one) for one in scope.split()]
        if challenge.service:
            query.append(("service", challenge.service))
        url = urlunsplit(parts._replace(query=urlencode(sorted(query))))
        authorization = basic(credential.username, credential.password)
        answer = await self._web.ask("GET", url, {}, _LARGEST_TOKEN, authorization=authorization)
        return _token_of(answer, url)

    async def _exchange(self, challenge: Challenge, scope: str, credential: Credential) -> str:
        """Get a token for a refresh token (OAuth 2)."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.refresh_token,
            "service": challenge.service,
            "scope": scope,
            "client_id": "fluvial",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._web.ask(
            "POST",
            challenge.realm,
            headers,
            _LARGEST_TOKEN,
            authorization="",
            body=urlencode(form).encode(),
        )
        return _token_of(answer, challenge.realm, "POST")


def _token_of(answer: Answer, url: str, method: str = "GET") -> str:
    _check(answer, url, method)
    try:
        found = msgspec.json.decode(answer.body, type=_Token)
    except msgspec.DecodeError:
        raise ContentRejected(f'{method} "{url}": no token in the answer') from None
    token = found.access_token or found.token
    if not token:
        raise ContentRejected(f'{method} "{url}": empty token returned')
    return token


def _check(answer: Answer, url: str, method: str = "GET") -> None:
    """Raise RegistryRefused for an error, in the words of helm."""
    if answer.status != 200:
        problems = "".join(f": {one}" for one in _problems(answer.body))
        raise RegistryRefused(
            f'{method} "{url}": response status code {answer.status}{problems}', answer.status
        )


def _problems(body: bytes) -> list[str]:
    try:
        found = msgspec.json.decode(body, type=_Problems).errors
    except msgspec.DecodeError:
        return []
    return [
        f"{problem.code.lower().replace('_', ' ')}: {problem.message}"[:_LONGEST_PROBLEM]
        for problem in found[:_MOST_PROBLEMS]
    ]
