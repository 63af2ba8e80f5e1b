"""Fields in which drift is not looked for (`spec.ignore`)."""

import copy
from collections.abc import Sequence
from typing import Any

from fluvial.apis import meta
from fluvial.apis.ids import Unstructured
from fluvial.toolkit.apply.changes import MISSING
from fluvial.toolkit.apply.drift import Path
from fluvial.toolkit.apply.errors import SelectorInvalid
from fluvial.toolkit.apply.managers import entries, merge_keys, owned
from fluvial.toolkit.apply.selectors import Target

__all__ = ["IgnoreRules", "remove", "settle"]


class IgnoreRules:
    """Compiled rules. Raises SelectorInvalid for a pointer or target that does not parse."""

    def __init__(self, rules: Sequence[meta.IgnoreRule] = ()) -> None:
        self._rules = [
            (Target(rule.target), [_steps(pointer) for pointer in rule.paths]) for rule in rules
        ]

    def paths(self, answer: Unstructured) -> list[Path]:
        """List the paths that are ignored for this object; `()` is the whole of it.

        Which step is a place in a list is decided by the object, here the dry-run's answer.
        """
        found = [
            _typed(steps, answer)
            for target, pointers in self._rules
            if target.matches(answer)
            for steps in pointers
        ]
        # The later elements of a list go first, so that the places of the others stay right.
        return sorted(found, key=lambda path: [str(step).rjust(12, "0") for step in path])[::-1]


def remove(obj: Unstructured, paths: Sequence[Path]) -> Unstructured:
    """Return the object without these fields; a copy if there are any."""
    if not paths:
        return obj
    obj = copy.deepcopy(obj)
    for path in paths:
        _delete(obj, path)
    return obj


def settle(
    payload: Unstructured,
    live: Unstructured,
    answer: Unstructured,
    manager: str,
    paths: Sequence[Path],
) -> Unstructured:
    """Return what to apply, so that the ignored fields stay as they are.

    For each path where the live object and the dry-run's answer differ: when another manager
    applies the field, it is left out; else the live value is adopted, lest leaving it out remove
    it. An element of a list is found by its merge keys.
    """
    payload = copy.deepcopy(payload)
    for path in paths:
        value = _get(live, _moved(path, answer, live, live))
        if value == _get(answer, path):
            continue
        aim = _moved(path, answer, payload, live)
        appliers = entries(live, "Apply", other_than=manager)
        if value is MISSING or any(
            owned(entry.get("fieldsV1") or {}, path, answer) for entry in appliers
        ):
            _delete(payload, aim)
        else:
            _put(payload, aim, value)
    return payload


def _steps(pointer: str) -> tuple[str, ...]:
    if pointer and not pointer.startswith("/"):
        raise SelectorInvalid(f"ignore path {pointer!r} is not a JSON pointer: it starts with no /")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _typed(steps: tuple[str, ...], obj: Unstructured) -> Path:
    value: Any = obj
    path: list[str | int] = []
    for step in steps:
        place = int(step) if isinstance(value, list) and step.isdecimal() else step
        path.append(place)
        value = _child(value, place)
    return tuple(path)


def _moved(path: Path, source: Unstructured, target: Unstructured, live: Unstructured) -> Path:
    """Translate places in lists of `source` to those of the same elements in `target`."""
    trees = [entry.get("fieldsV1") or {} for entry in entries(live)]
    here: Any = target
    moved: list[str | int] = []
    for at, step in enumerate(path):
        place = step
        keys = merge_keys(trees, path[:at], source) if isinstance(step, int) else set()
        if keys and isinstance(here, list):
            element = _get(source, path[: at + 1])
            place = next(
                (
                    index
                    for index, other in enumerate(here)
                    if isinstance(other, dict)
                    and all(other.get(key) == element.get(key) for key in keys)
                ),
                len(here),
            )
        moved.append(place)
        here = _child(here, place)
    return tuple(moved)


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step, MISSING) if isinstance(step, str) else MISSING
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return MISSING


def _get(obj: Unstructured, path: Sequence[str | int]) -> Any:
    value: Any = obj
    for step in path:
        value = _child(value, step)
    return value


def _delete(obj: Unstructured, path: Path) -> None:
    if not path:
        obj.clear()
    elif _get(obj, path) is not MISSING:
        holder: Any = _get(obj, path[:-1])
        del holder[path[-1]]


def _put(obj: Unstructured, path: Path, value: Any) -> None:
    """Set a field, with the maps above it; an element that is not there is not invented."""
    here: Any = obj
    for step in path[:-1]:
        below = _child(here, step)
        if below is MISSING:
            if not isinstance(here, dict):
                return
            below = here[step] = {}
        here = below
    last = path[-1]
    inside = isinstance(here, list) and isinstance(last, int) and last < len(here)
    if isinstance(here, dict) or inside:
        here[last] = copy.deepcopy(value)
