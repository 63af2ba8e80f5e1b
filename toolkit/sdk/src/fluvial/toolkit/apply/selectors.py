"""Which objects a rule is for."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from fluvial.apis import meta
from fluvial.apis.ids import Unstructured, split_api_version
from fluvial.toolkit.apply.errors import SelectorInvalid

__all__ = ["Labels", "Target", "parse_labels"]

Labels: TypeAlias = Callable[[Mapping[str, str]], bool]
"""Whether an object's labels match."""

_KEY = r"([A-Za-z0-9./_-]+)"
_EQUAL = re.compile(rf"{_KEY}\s*(==|=|!=)\s*([A-Za-z0-9._-]*)")
_SET = re.compile(rf"{_KEY}\s+(in|notin)\s*\(([^()]*)\)")
_EXISTS = re.compile(rf"(!?)\s*{_KEY}")
_TERM = re.compile(r"(?:[^,(]|\([^)]*\))+")


class Target:
    """A compiled `target` of a rule: anchored expressions for names, label selectors.

    An empty field matches everything; so does no target at all. Raises SelectorInvalid.
    """

    def __init__(self, selector: meta.Selector | None) -> None:
        chosen = selector or meta.Selector()
        self._names = {
            field: _anchored(field, getattr(chosen, field))
            for field in ("group", "version", "kind", "namespace", "name")
        }
        self._labels = parse_labels(chosen.label_selector)
        self._annotations = parse_labels(chosen.annotation_selector)

    def matches(self, obj: Unstructured) -> bool:
        """Whether a decoded object is meant."""
        metadata = obj.get("metadata") or {}
        group, version = split_api_version(obj.get("apiVersion") or "")
        values = {
            "group": group,
            "version": version,
            "kind": obj.get("kind") or "",
            "namespace": metadata.get("namespace") or "",
            "name": metadata.get("name") or "",
        }
        return (
            all(
                pattern is None or pattern.fullmatch(values[field])
                for field, pattern in self._names.items()
            )
            and self._labels(metadata.get("labels") or {})
            and self._annotations(metadata.get("annotations") or {})
        )


def _anchored(field: str, text: str) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise SelectorInvalid(f"target.{field} {text!r}: {error}") from error


def parse_labels(text: str) -> Labels:
    """Compile a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`; empty matches all.

    Raises SelectorInvalid.
    """
    terms = [_term(found.group().strip(), text) for found in _TERM.finditer(text)]
    if text.strip() and len(terms) != text.count(",") + 1 - _inner_commas(text):
        raise SelectorInvalid(f"label selector {text!r} has an empty term")
    return lambda labels: all(term(labels) for term in terms)


def _inner_commas(text: str) -> int:
    return sum(inside.count(",") for inside in re.findall(r"\(([^)]*)\)", text))


def _term(term: str, text: str) -> Labels:
    if match := _SET.fullmatch(term):
        key, operator, inside = match.groups()
        values = {value.strip() for value in inside.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.fullmatch(term):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.fullmatch(term):
        negated, key = match.groups()
        return lambda labels: (key in labels) is not bool(negated)
    raise SelectorInvalid(f"label selector {text!r} does not parse at {term!r}")
