"""What a registry asks for with a 401: the header WWW-Authenticate (RFC 9110, section 11.6.1)."""

import re
from typing import NamedTuple

__all__ = ["Challenge"]

_SCHEME = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)")
_PARAMETER = re.compile(r"""\s*,?\s*([A-Za-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))""")


class Challenge(NamedTuple):
    """One way to authenticate."""

    scheme: str
    """`basic`, `bearer`, or something that is not known; in lower case."""
    realm: str = ""
    """For bearer: the URL that gives tokens."""
    service: str = ""
    """What tokens are for."""
    scope: str = ""
    """What they are to allow, scopes separated by blanks."""

    @classmethod
    def parse(cls, header: str) -> "Challenge":
        """Read the first challenge of a header; what is none has an empty scheme."""
        match = _SCHEME.match(header)
        if match is None:
            return cls("")
        parameters: dict[str, str] = {}
        position = match.end()
        while found := _PARAMETER.match(header, position):
            quoted = found[2]
            value = found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(found[1].lower(), value)
            position = found.end()
        return cls(
            match[1].lower(),
            parameters.get("realm", ""),
            parameters.get("service", ""),
            parameters.get("scope", ""),
        )
