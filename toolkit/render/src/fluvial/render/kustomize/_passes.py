"""Transformers that look at one resource at a time, run together and only once per resource.

What a run of them has made of a resource is kept, by all that went into it, so that after a change
to one file of many only its resources are transformed again. Steps still go one after the other
over all resources, so that errors come in the order in which upstream has them.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from fluvial.render.kustomize._cache import PARSED
from fluvial.render.kustomize._frozen import Frozen, freeze, thaw
from fluvial.render.kustomize._ledger import Entry
from fluvial.render.kustomize._resource import Resource, Resources
from fluvial.render.kustomize._steps import Step
from fluvial.render.kustomize._styles import styles_kept

__all__ = ["run_steps"]

_WORTHWHILE = 3
_PER_EVIDENCE = 100


class _Outcome(NamedTuple):
    """What became of a resource: None when it was deleted.

    `evidence` has what each check saw, `entries` what a ledger says of it.
    """

    result: Frozen | None
    evidence: tuple[Any, ...]
    entries: tuple[Entry, ...]

    @property
    def cost(self) -> int:
        """About how many bytes are kept."""
        cost = _PER_EVIDENCE * len(self.evidence) + sum(entry.cost for entry in self.entries)
        return cost if self.result is None else cost + self.result.cost


def run_steps(
    steps: Iterable[Step],
    resources: Resources,
    after: Callable[[Step], None],
    *,
    remembering: bool,
) -> None:
    """Run steps in order, `after` behind each.

    With `remembering` those that have a key are run together, and only for resources that they have
    not met before; `after` is then called once for all. Whoever asks for it says that the resources
    have nothing that is not frozen.
    """
    waiting: list[Step] = []
    for step in steps:
        if remembering and step.key:
            waiting.append(step)
            continue
        _run_together(waiting, resources, after)
        waiting = []
        _run(step, resources)
        after(step)
    _run_together(waiting, resources, after)


def _run(step: Step, resources: Resources) -> None:
    step.run(resources)
    if step.check is not None:
        step.check([(resource, step.evidence(resource)) for resource in resources])


def _run_together(steps: list[Step], resources: Resources, after: Callable[[Step], None]) -> None:
    if sum(step.weight for step in steps) < _WORTHWHILE:
        for step in steps:
            _run(step, resources)
            after(step)
        return
    styles = b"styles" if styles_kept() else b""
    how = hashlib.blake2b(styles + b"".join(step.key for step in steps)).digest()
    known: list[tuple[Resource, _Outcome]] = []
    unknown: dict[Resource, bytes] = {}
    for resource in resources:
        key = hashlib.blake2b(freeze(resource).content(), key=how, digest_size=32).digest()
        outcome = PARSED.get(key, _Outcome)
        if outcome is None:
            unknown[resource] = key
        else:
            known.append((resource, outcome))
    written = {resource: len(_entries(resource)) for resource in unknown}
    seen = _run_new(steps, list(unknown), known)
    for resource, outcome in known:
        if outcome.result is None:
            resource.data = {}
        else:
            thaw(outcome.result, resource)
            _entries(resource).extend(outcome.entries)
    for resource, key in unknown.items():
        result = freeze(resource) if resource.data else None
        entries = tuple(_entries(resource)[written[resource] :])
        PARSED.keep(key, _Outcome(result, tuple(seen[resource]), entries))
    resources.touch()
    after(steps[-1])


def _entries(resource: Resource) -> list[Entry]:
    return [] if resource.ledger is None else resource.ledger.entries


def _run_new(
    steps: list[Step], new: list[Resource], known: list[tuple[Resource, _Outcome]]
) -> dict[Resource, list[Any]]:
    """Run steps for the resources that are new to them; the others count in the checks.

    Returns what the checks saw of each new one, None for a step behind its deletion.
    """
    subset = Resources()
    subset.replace_all(new)
    seen: dict[Resource, list[Any]] = {resource: [] for resource in new}
    for number, step in enumerate(steps):
        step.run(subset)
        for resource in new:
            seen[resource].append(step.evidence(resource) if resource.data else None)
        if step.check is not None:
            evidence = [(resource, outcome.evidence[number]) for resource, outcome in known]
            evidence += [(resource, seen[resource][number]) for resource in new]
            step.check([(resource, one) for resource, one in evidence if one is not None])
        subset.drop_empty()
    return seen
