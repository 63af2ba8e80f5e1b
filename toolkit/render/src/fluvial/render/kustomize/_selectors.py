"""Selecting resources: anchored regular expressions and Kubernetes' label selectors."""

import re
from functools import lru_cache
from typing import NamedTuple

from fluvial.render.kustomize._errors import TransformError
from fluvial.render.kustomize._ids import Gvk, ResourceId
from fluvial.render.kustomize._model import Selector
from fluvial.render.kustomize._resource import Resource, Resources

__all__ = [
    "candidates",
    "matches_labels",
    "matches_pattern",
    "select",
    "selects_id",
    "selects_text",
]

_LITERAL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^=!<>\s]+)\s*(==|=|!=|<|>)\s*([^=!\s]*)\s*$")
_PRESENT = re.compile(r"^\s*(!?)\s*([^=!<>\s()]+)\s*$")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_KEY = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
    re.ASCII,
)


class _Requirement(NamedTuple):
    """One condition of a label selector: `operator` is `in`, `notin`, `<`, `>`, `!` or empty."""

    key: str
    operator: str
    values: frozenset[str]

    def holds(self, labels: dict[str, str]) -> bool:
        """Evaluate it."""
        present = self.key in labels
        if self.operator in {"in", "notin"}:
            return (present and labels[self.key] in self.values) is (self.operator == "in")
        if self.operator in {"<", ">"}:
            try:
                left, right = int(labels[self.key]), int(next(iter(self.values)))
            except (KeyError, ValueError):
                return False
            return left < right if self.operator == "<" else left > right
        return present is not (self.operator == "!")


@lru_cache(maxsize=1024)
def _anchored(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(f"(?:{pattern})")
    except re.error as error:
        raise TransformError(f"selector {pattern!r} is no regular expression: {error}") from None


def matches_pattern(pattern: str, value: str) -> bool:
    """Match the whole of `value`; an empty pattern matches everything."""
    return not pattern or _anchored(pattern).fullmatch(value) is not None


def _requirements(selector: str) -> list[str]:
    """Split at the commas outside parentheses."""
    found, depth, start = [], 0, 0
    for index, char in enumerate(selector):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            found.append(selector[start:index])
            start = index + 1
    found.append(selector[start:])
    return found


def matches_labels(selector: str, labels: dict[str, str]) -> bool:
    """Evaluate a label selector: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`.

    An empty selector matches everything. Raises TransformError when it cannot be read.
    """
    if not selector.strip():
        return True
    return all(requirement.holds(labels) for requirement in _parsed(selector))


@lru_cache(maxsize=1024)
def _parsed(selector: str) -> tuple[_Requirement, ...]:
    return tuple(_parse(requirement) for requirement in _requirements(selector))


def _parse(requirement: str) -> _Requirement:
    if match := _SET.match(requirement):
        values = frozenset(value.strip() for value in match[3].split(","))
        found = _Requirement(match[1], match[2], values)
    elif match := _EQUAL.match(requirement):
        names = {"=": "in", "==": "in", "!=": "notin"}
        found = _Requirement(match[1], names.get(match[2], match[2]), frozenset({match[3]}))
    elif match := _PRESENT.match(requirement):
        found = _Requirement(match[2], match[1], frozenset())
    else:
        raise TransformError(f"cannot read the label selector {requirement.strip()!r}")
    if not _KEY.fullmatch(found.key):
        raise TransformError(f"label selector {requirement.strip()!r}: {found.key!r} is no label")
    for value in found.values:
        if found.operator in {"<", ">"} and not value.isdigit():
            raise TransformError(f"label selector {requirement.strip()!r}: {value!r} is no number")
        if not _VALUE.fullmatch(value):
            raise TransformError(
                f"label selector {requirement.strip()!r}: {value!r} is no label value: use at most "
                "63 letters, digits, '-', '_' and '.', a letter or digit first and last"
            )
    return found


def _selects_gvk(selector: Selector, gvk: Gvk) -> bool:
    return (
        matches_pattern(selector.group, gvk.group)
        and matches_pattern(selector.version, gvk.version)
        and matches_pattern(selector.kind, gvk.kind)
    )


def selects_id(selector: Selector, one: ResourceId) -> bool:
    """Match one identity by pattern, its namespace as it is written."""
    return (
        _selects_gvk(selector, one.gvk)
        and matches_pattern(selector.name, one.name)
        and matches_pattern(selector.namespace, one.namespace)
    )


def selects_text(selector: Selector, resource: Resource) -> bool:
    """Match labels and annotations."""
    return (
        not selector.annotationSelector
        or matches_labels(selector.annotationSelector, resource.strings("annotations"))
    ) and (
        not selector.labelSelector
        or matches_labels(selector.labelSelector, resource.strings("labels"))
    )


def candidates(resources: Resources, pattern: str) -> list[Resource]:
    """Return, in order, all resources that a pattern for names can match, and perhaps more."""
    return resources.named(pattern) if _LITERAL.fullmatch(pattern) else list(resources)


def select(resources: Resources, selector: Selector) -> list[Resource]:
    """Return what a patch target selects: by the original or the current name and namespace."""
    found = []
    for resource in candidates(resources, selector.name):
        now, first = resource.id, resource.original
        if (
            any(
                matches_pattern(selector.namespace, one.effective_namespace) for one in (first, now)
            )
            and any(matches_pattern(selector.name, one.name) for one in (first, now))
            and _selects_gvk(selector, resource.gvk)
            and selects_text(selector, resource)
        ):
            found.append(resource)
    return found
