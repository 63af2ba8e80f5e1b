"""ControllerRevisions: the numbered versions of a StatefulSet's or DaemonSet's template."""

from __future__ import annotations

import copy

from fluvial.cluster.objects import Object, name_of, namespace_of
from fluvial.cluster.standins.metadata import labels_of, owner_reference
from fluvial.cluster.standins.resources import REVISIONS
from fluvial.cluster.standins.templates import template_hash
from fluvial.cluster.standins.view import View

__all__ = ["HASH", "ensure", "forget", "hash_of", "template_of"]

HASH = "controller.kubernetes.io/hash"
"""Label of a ControllerRevision that holds the hash in its name."""


def hash_of(revision: Object) -> str:
    """Return the hash of a revision's template."""
    return labels_of(revision).get(HASH, "")


def template_of(revision: Object) -> Object:
    """Return the pod template that a revision keeps."""
    template: Object = copy.deepcopy(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


async def ensure(view: View, owner: Object) -> tuple[Object, list[Object]]:
    """Return the revision of the present template, made if missing, and all revisions.

    A template that comes back gets the highest number again, as upstream does for a rollback.
    """
    template = owner["spec"]["template"]
    hashed = template_hash(template)
    every = view.owned(REVISIONS, owner)
    last = max((int(each["revision"]) for each in every), default=0)
    for each in every:
        if hash_of(each) != hashed:
            continue
        if each["revision"] == last:
            return each, every
        raised = await view.patch(REVISIONS, each, {"revision": last + 1})
        return raised, [raised if known is each else known for known in every]
    wanted = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{name_of(owner)}-{hashed}",
            "namespace": namespace_of(owner),
            "labels": {**labels_of(template), HASH: hashed},
            "ownerReferences": [owner_reference(owner)],
        },
        "data": {"spec": {"template": {**copy.deepcopy(template), "$patch": "replace"}}},
        "revision": last + 1,
    }
    made = await view.create(REVISIONS, wanted)
    return made, [*every, made]


async def forget(view: View, owner: Object, used: set[str]) -> None:
    """Delete the oldest revisions beyond `revisionHistoryLimit`; `used` names are kept."""
    spare = [each for each in view.owned(REVISIONS, owner) if name_of(each) not in used]
    excess = len(spare) - int(owner["spec"].get("revisionHistoryLimit", 10))
    for each in sorted(spare, key=lambda known: int(known["revision"]))[: max(excess, 0)]:
        await view.delete(REVISIONS, each)
