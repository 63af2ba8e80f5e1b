"""Taking URLs apart and putting them together, as net/url does."""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._quote import quote
from fluvial.render.gotemplate._values import from_bytes, kind_of, to_bytes
from fluvial.render.gotemplate.sprig.conversion import NIL

__all__ = ["FUNCTIONS"]

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_ESCAPED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_USER: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_PATH: Final = frozenset(_UNRESERVED + b"$&+,/:;=@")
_RAW_PATH: Final = frozenset(_UNRESERVED + b"$&+,/:;=@!'()*[]")
_RAW_FRAGMENT: Final = frozenset(_UNRESERVED + b"$&+,/:;=?@!()*'[]")
_FRAGMENT: Final = frozenset(_UNRESERVED + b"$&+,/:;=?@!()*")
_PASSWORD: Final = frozenset(_UNRESERVED + b"$&+,;=")
_HOST: Final = frozenset(_UNRESERVED + b"!$&'()*+,;=:[]<>\"")


class _Url(NamedTuple):
    """The parts of a URL, escapes resolved where net/url resolves them."""

    scheme: str
    opaque: str
    user: str
    host: str
    path: str
    query: str
    fragment: str


class _MalformedError(ValueError):
    """A URL that net/url refuses; the message is its reason."""


def _unescape(text: str) -> str:
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise _MalformedError(f"invalid URL escape {quote(bad[0])}")
    if "%" not in text:
        return text
    return from_bytes(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), to_bytes(text)))


def _escape(text: str, kept: frozenset[int]) -> str:
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in to_bytes(text))


def _host(text: str) -> str:
    if text.startswith("["):
        close = text.rfind("]")
        if close < 0:
            raise _MalformedError("missing ']' in host")
        _check_port(text[close + 1 :])
    else:
        colon = text.find(":")
        if colon >= 0:
            _check_port(text[colon:])
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise _MalformedError(f"invalid URL escape {quote(bad[0])}")
    for found in re.finditer(r"%([0-9A-Fa-f]{2})", text):
        # hosts may have escapes of bytes beyond ASCII only, zones of addresses a few more
        if int(found[1], 16) < 0x80 and not (text.startswith("[") and found[0] == "%25"):
            raise _MalformedError(f"invalid URL escape {quote(found[0])}")
    for char in text:
        if ord(char) < 0x80 and char != "%" and ord(char) not in _HOST:
            raise _MalformedError(f"invalid character {quote(char)} in host name")
    return _unescape(text)


def _check_port(text: str) -> None:
    if text and not re.fullmatch(r":[0-9]*", text):
        raise _MalformedError(f"invalid port {quote(text)} after host")


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise _MalformedError("net/url: invalid userinfo")
    name, colon, password = text.partition(":")
    shown = _escape(_unescape(name), _PASSWORD)
    return shown + (":" + _escape(_unescape(password), _PASSWORD) if colon else "")


def _parse(text: str) -> _Url:
    if any(char < " " or char == "\x7f" for char in text):
        raise _MalformedError("net/url: invalid control character in URL")
    rest, _, fragment = text.partition("#")
    scheme = ""
    found = _SCHEME.match(rest)
    if found:
        scheme, rest = found[0][:-1].lower(), rest[found.end() :]
    elif rest.startswith(":"):
        raise _MalformedError("missing protocol scheme")
    rest, _, query = rest.partition("?")
    user = host = opaque = ""
    if not rest.startswith("/"):
        if scheme:
            opaque, rest = rest, ""
        elif ":" in rest.partition("/")[0]:
            raise _MalformedError("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, tail = rest[2:].partition("/")
        rest = slash + tail
        user, at, host = authority.rpartition("@")
        host = _host(host)
        user = _user(user) if at else ""
    return _Url(scheme, opaque, user, host, _unescape(rest), query, _unescape(fragment))


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host[1 : host.rfind("]")]
    name, _, port = host.rpartition(":")
    return name if re.fullmatch(r"[0-9]*", port) and ":" in host else host


def url_parse(text: str) -> dict[str, Any]:
    """Take a URL apart. Raises FunctionError in net/url's words."""
    try:
        url = _parse(text)
    except _MalformedError as error:
        raise FunctionError(f"unable to parse url: parse {quote(text)}: {error}") from None
    return {
        "scheme": url.scheme,
        "host": url.host,
        "hostname": _hostname(url.host),
        "path": url.path,
        "query": url.query,
        "opaque": url.opaque,
        "fragment": url.fragment,
        "userinfo": url.user,
    }


def url_join(parts: dict[str, Any]) -> str:
    """Put a URL together from the parts that `urlParse` gives."""

    def part(name: str) -> str:
        value = parts.get(name, "")
        if value is None:
            raise FunctionError(NIL)
        if not isinstance(value, str):
            reason = f"must be of type string, but {kind_of(value)} found"
            raise FunctionError(f"unable to parse {name} key, {reason}")
        return value

    scheme, host, path = part("scheme"), part("host"), part("path")
    query, opaque, fragment, user = (
        part("query"), part("opaque"), part("fragment"), part("userinfo")
    )  # fmt: skip
    if user:
        text = f"proto://{user}@host"
        try:
            user = _parse(text).user
        except _MalformedError as error:
            reason = f"unable to parse userinfo in dict: parse {quote(text)}: {error}"
            raise FunctionError(reason) from None
    out = f"{scheme}:" if scheme else ""
    out += opaque or _hierarchy(scheme, host, path, user)
    out += f"?{query}" if query else ""
    return out + (f"#{_escape(fragment, _FRAGMENT)}" if fragment else "")


def _hierarchy(scheme: str, host: str, path: str, user: str) -> str:
    shown = "*" if path == "*" else _escape(path, _PATH)
    out = ""
    if scheme or host or user:
        out = "//" if host or path or user else ""
        out += (f"{user}@" if user else "") + _escape(host, _HOST)
    if shown and not shown.startswith("/") and host:
        out += "/"
    if not out and not scheme and ":" in shown.partition("/")[0]:
        out = "./"
    return out + shown


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "urlJoin": url_join,
    "urlParse": url_parse,
}
