"""Names, label keys and label values: the checks and messages of the API server.

Each function returns the messages of what is wrong; an empty list means good
(`k8s.io/apimachinery/pkg/util/validation`).
"""

from __future__ import annotations

import functools
import re

__all__ = [
    "annotation_key_errors",
    "config_key_errors",
    "dns_label_errors",
    "dns_subdomain_errors",
    "environment_name_errors",
    "header_name_errors",
    "label_key_errors",
    "label_value_errors",
    "path_segment_errors",
    "port_name_errors",
    "service_name_errors",
    "wildcard_subdomain_errors",
]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"

_LABEL_RE = re.compile(_LABEL)
_SUBDOMAIN_RE = re.compile(_SUBDOMAIN)
_QUALIFIED_RE = re.compile(_QUALIFIED)
_DNS1035_RE = re.compile(_DNS1035)
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_WILDCARD_RE = re.compile(_WILDCARD)
_HEADER = "[-A-Za-z0-9]+"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_CONFIG_KEY_RE = re.compile(_CONFIG_KEY)


def _too_long(limit: int, unit: str = "characters") -> str:
    return f"must be no more than {limit} {unit}"


def _pattern(message: str, regex: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{regex}')"


def dns_subdomain_errors(value: str) -> list[str]:
    """Check a lowercase RFC 1123 subdomain of at most 253 bytes."""
    errors = []
    if len(value.encode()) > 253:
        errors.append(_too_long(253))
    if not _SUBDOMAIN_RE.fullmatch(value):
        text = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character"
        )
        errors.append(_pattern(text, _SUBDOMAIN, "example.com"))
    return errors


def dns_label_errors(value: str) -> list[str]:
    """Check a lowercase RFC 1123 label of at most 63 bytes."""
    errors = []
    if len(value.encode()) > 63:
        errors.append(_too_long(63))
    if not _LABEL_RE.fullmatch(value) and _SUBDOMAIN_RE.fullmatch(value):
        errors.append("must not contain dots")
    elif not _LABEL_RE.fullmatch(value):
        text = (
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
            "'-', and must start and end with an alphanumeric character"
        )
        errors.append(_pattern(text, _LABEL, "my-name", "123-abc"))
    return errors


def service_name_errors(value: str) -> list[str]:
    """Check an RFC 1035 label of at most 63 bytes."""
    errors = []
    if len(value.encode()) > 63:
        errors.append(_too_long(63))
    if not _DNS1035_RE.fullmatch(value):
        text = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
            "with an alphabetic character, and end with an alphanumeric character"
        )
        errors.append(_pattern(text, _DNS1035, "my-name", "abc-123"))
    return errors


def wildcard_subdomain_errors(value: str) -> list[str]:
    """Check a host name whose first label is a star."""
    errors = []
    if len(value.encode()) > 253:
        errors.append(_too_long(253))
    if not _WILDCARD_RE.fullmatch(value):
        text = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
            "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
            "end with an alphanumeric character"
        )
        errors.append(_pattern(text, _WILDCARD, "*.example.com"))
    return errors


def port_name_errors(value: str) -> list[str]:
    """Check the name of a port (RFC 6335): at most 15 characters, at least one letter."""
    errors = []
    if len(value.encode()) > 15:
        errors.append(_too_long(15))
    if not re.fullmatch("[-a-z0-9]+", value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def environment_name_errors(value: str) -> list[str]:
    """Check the name of an environment variable: printable ASCII without `=`."""
    if value and all(" " <= char <= "~" and char != "=" for char in value):
        return []
    what = "a valid environment variable name must consist"
    return [f"{what} only of printable ASCII characters other than '='"]


def header_name_errors(value: str) -> list[str]:
    """Check the name of an HTTP header."""
    if re.fullmatch(_HEADER, value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [_pattern(text, _HEADER, "X-Header-Name")]


@functools.lru_cache(4096)
def config_key_errors(value: str) -> tuple[str, ...]:
    """Check a key of a ConfigMap or Secret; the same ones come with every write."""
    errors = []
    if len(value.encode()) > 253:
        errors.append(_too_long(253))
    if not _CONFIG_KEY_RE.fullmatch(value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        errors.append(_pattern(text, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value == ".":
        errors.append("must not be '.'")
    elif value == "..":
        errors.append("must not be '..'")
    elif value.startswith(".."):
        errors.append("must not start with '..'")
    return tuple(errors)


def path_segment_errors(value: str) -> list[str]:
    """Check that a name can stand in a URL path (names of RBAC objects)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def _name_part_errors(value: str) -> list[str]:
    errors = []
    if not value:
        errors.append("name part must be non-empty")
    elif len(value.encode()) > 63:
        errors.append("name part " + _too_long(63, "bytes"))
    if not _QUALIFIED_RE.fullmatch(value):
        text = (
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
            "and end with an alphanumeric character"
        )
        errors.append(_pattern(text, _QUALIFIED, "MyName", "my.name", "123-abc"))
    return errors


def label_key_errors(value: str) -> list[str]:
    """Check a qualified name: an optional DNS subdomain, a slash, a name."""
    parts = value.split("/")
    if len(parts) == 1:
        return _name_part_errors(value)
    if len(parts) == 2:
        prefix, name = parts
        errors = []
        if not prefix:
            errors.append("prefix part must be non-empty")
        else:
            errors.extend(f"prefix part {text}" for text in dns_subdomain_errors(prefix))
        return errors + _name_part_errors(name)
    text = (
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must "
        "start and end with an alphanumeric character"
    )
    shown = _pattern(text, _QUALIFIED, "MyName", "my.name", "123-abc")
    return [shown + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]


def annotation_key_errors(value: str) -> list[str]:
    """Check an annotation key: as a label key, called so in the messages."""
    return [
        text.replace("a qualified name must", "a valid label key must")
        for text in (label_key_errors(value))
    ]


def label_value_errors(value: str) -> list[str]:
    """Check a label value: empty, or a name of at most 63 bytes."""
    errors = []
    if len(value.encode()) > 63:
        errors.append(_too_long(63, "bytes"))
    if value and not _QUALIFIED_RE.fullmatch(value):
        text = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', "
            "'_' or '.', and must start and end with an alphanumeric character"
        )
        shown = _pattern(text, f"({_QUALIFIED})?", "MyValue", "my_value", "12345")
        errors.append(shown)
    return errors
