"""Taking URLs apart and putting them together, as net/url does."""

import re
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._values import to_bytes

__all__ = ["url_join", "url_parse"]

_URL: Final = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_SAFE: Final = re.compile(rb"[A-Za-z0-9\-_.~$&+,/:;=@!'()*\[\]]")


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), to_bytes(text))
    return data.decode("utf-8", "replace")


def _escape(text: str) -> str:
    return "".join(
        chr(byte) if _SAFE.match(bytes([byte])) else f"%{byte:02X}" for byte in to_bytes(text)
    )


def url_parse(text: str) -> dict[str, Any]:
    """Take a URL apart. Raises FunctionError for one with control characters or bad escapes."""
    match = _URL.fullmatch(text)
    if match is None or any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise FunctionError(f'unable to parse url: parse "{text}": invalid control character')
    if text.startswith(":"):
        raise FunctionError(f'unable to parse url: parse "{text}": missing protocol scheme')
    if "%" in _ESCAPE.sub("", match[4]):
        raise FunctionError(f'unable to parse url: parse "{text}": invalid URL escape')
    scheme, user, host, path, query, fragment = (part or "" for part in match.groups())
    opaque = ""
    if scheme and match[3] is None and path and not path.startswith("/"):
        opaque, path = path, ""
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    return {
        "scheme": scheme.lower(),
        "host": host,
        "hostname": name,
        "path": _unescape(path),
        "query": query,
        "opaque": opaque,
        "fragment": _unescape(fragment),
        "userinfo": user,
    }


def url_join(parts: dict[str, Any]) -> str:
    """Put a URL together from the parts that `urlParse` gives."""

    def part(name: str) -> str:
        value = parts.get(name, "")
        if not isinstance(value, str):
            raise FunctionError(f"unable to parse {name} key, must be of type string")
        return value

    out = f"{part('scheme')}:" if part("scheme") else ""
    if part("opaque"):
        out += part("opaque")
    else:
        host, user, path = part("host"), part("userinfo"), _escape(part("path"))
        if host or user:
            out += "//" + (f"{user}@" if user else "") + host
            if path and not path.startswith("/"):
                path = "/" + path
        out += path
    out += f"?{part('query')}" if part("query") else ""
    return out + (f"#{_escape(part('fragment'))}" if part("fragment") else "")
