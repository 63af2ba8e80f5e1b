"""The primary Deployment as it follows from the target: names, labels, template. Pure."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fluvial.apis.ids import Unstructured
from fluvial.canary.errors import InvalidSpec
from fluvial.canary.podspec import with_copies

__all__ = [
    "FLAGGER_ID",
    "SUFFIX",
    "TOOLKIT",
    "Selector",
    "Transformation",
    "same_template",
    "selector_of",
]

SUFFIX: Final = "-primary"
FLAGGER_ID: Final = "flagger-id"
"""Annotation of the primary's pods; a new value with every promotion forces a rollout."""

TOOLKIT: Final = "toolkit.fluxcd.io"
"""Part of the keys by which GitOps controllers know their objects; copies must not have them."""
_CONTROLLERS: Final = "deployment.kubernetes.io/"
"""Annotations that the Deployment controller writes: they speak of one Deployment only."""
_COPIED: Final = ("progressDeadlineSeconds", "minReadySeconds", "revisionHistoryLimit", "strategy")


@dataclass(frozen=True)
class Selector:
    """The label that tells the target's pods: `key` is `value`, or `value-primary`."""

    key: str
    value: str

    @property
    def primary(self) -> str:
        """The value at the primary's pods."""
        return self.value + SUFFIX


def selector_of(target: Unstructured, candidates: Sequence[str]) -> Selector:
    """Find the selector label of a target. Raises InvalidSpec when it has none of `candidates`."""
    labels = ((target["spec"].get("selector") or {}).get("matchLabels")) or {}
    for key in candidates:
        if key in labels:
            return Selector(key, labels[key])
    name = f"{target['kind']} {target['metadata']['namespace']}/{target['metadata']['name']}"
    wanted = ", ".join(candidates)
    raise InvalidSpec(f"{name}: spec.selector.matchLabels must have one of the labels {wanted}")


@dataclass(frozen=True, kw_only=True)
class Transformation:
    """Makes a primary of a target.

    `prefixes` are those of `-include-label-prefix` (`*`: all), `selector_labels` the candidates of
    `-selector-labels`, `tracked` the keys of status.trackedConfigs whose objects have copies.
    """

    selector: Selector
    prefixes: Sequence[str]
    selector_labels: Collection[str]
    tracked: Collection[str]

    def create(self, target: Unstructured, owner: Mapping[str, Any]) -> Unstructured:
        """Return the primary for its creation."""
        metadata = target["metadata"]
        annotations = _not(metadata.get("annotations"), TOOLKIT, _CONTROLLERS)
        return {
            "apiVersion": target["apiVersion"],
            "kind": target["kind"],
            "metadata": {
                "name": metadata["name"] + SUFFIX,
                "namespace": metadata["namespace"],
                "labels": self._labels(metadata),
                "annotations": annotations,
                "ownerReferences": [dict(owner)],
            },
            "spec": {
                **_chosen(target["spec"], _COPIED),
                "replicas": target["spec"].get("replicas", 1) or 1,
                "selector": {"matchLabels": {self.selector.key: self.selector.primary}},
                "template": self.template(target, str(uuid.uuid4())),
            },
        }

    def promote(
        self, target: Unstructured, primary: Unstructured, *, scaled: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return metadata and spec that the present primary is to have after a promotion.

        `scaled`: an autoscaler owns the replicas. Annotations become those with a prefix.
        """
        kept = primary["metadata"].get("annotations") or {}
        metadata = {
            "labels": self._labels(target["metadata"]),
            "annotations": {
                **{key: value for key, value in kept.items() if key.startswith(_CONTROLLERS)},
                **self.included(target["metadata"].get("annotations")),
            },
        }
        spec = {
            **_chosen(target["spec"], _COPIED),
            "template": self.template(target, str(uuid.uuid4())),
        }
        if not scaled and target["spec"].get("replicas"):
            spec["replicas"] = target["spec"]["replicas"]
        return metadata, spec

    def template(self, target: Unstructured, flagger_id: str) -> dict[str, Any]:
        """Return the pod template of the primary."""
        template = target["spec"]["template"]
        metadata = template.get("metadata") or {}
        labels = _not(metadata.get("labels"), TOOLKIT)
        annotations = _not(metadata.get("annotations"), TOOLKIT)
        spec = with_copies(template["spec"], self.tracked, SUFFIX)
        self._spread(spec, target["metadata"]["name"])
        return {
            "metadata": {
                "labels": {**labels, self.selector.key: self.selector.primary},
                "annotations": {**annotations, FLAGGER_ID: flagger_id},
            },
            "spec": spec,
        }

    def included(self, entries: Mapping[str, str] | None) -> dict[str, str]:
        """Return the labels or annotations that have one of the prefixes."""
        return {
            key: value
            for key, value in _not(entries, TOOLKIT).items()
            if any(prefix == "*" or key.startswith(prefix) for prefix in self.prefixes)
        }

    def _labels(self, metadata: Mapping[str, Any]) -> dict[str, str]:
        included = self.included(metadata.get("labels"))
        return {**included, self.selector.key: self.selector.primary}

    def _spread(self, spec: dict[str, Any], target: str) -> None:
        """Make the primary's pods keep away from each other, not from the canary's."""
        anti = (spec.get("affinity") or {}).get("podAntiAffinity") or {}
        terms = list(anti.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        preferred = anti.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [term.get("podAffinityTerm") or {} for term in preferred]
        for holder in [*terms, *(spec.get("topologySpreadConstraints") or ())]:
            self._rename(holder.get("labelSelector") or {}, target)

    def _rename(self, selector: dict[str, Any], target: str) -> None:
        labels = selector.get("matchLabels") or {}
        for key in self.selector_labels:
            if labels.get(key) == target:
                labels[key] = target + SUFFIX
        for expression in selector.get("matchExpressions") or ():
            if expression["key"] in self.selector_labels:
                values = expression.get("values") or ()
                expression["values"] = [v + SUFFIX if v == target else v for v in values]


def same_template(wanted: Mapping[str, Any], primary: Unstructured) -> bool:
    """Whether the primary has this template, its own `flagger-id` aside."""
    return _plain(wanted) == _plain(primary["spec"]["template"])


def _plain(template: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    metadata = template.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    rest = {key: value for key, value in annotations.items() if key != FLAGGER_ID}
    return metadata.get("labels") or {}, rest, template.get("spec")


def _not(entries: Mapping[str, str] | None, *parts: str) -> dict[str, str]:
    return {
        key: value
        for key, value in (entries or {}).items()
        if not any(part in key for part in parts)
    }


def _chosen(spec: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: spec[key] for key in keys if key in spec}
