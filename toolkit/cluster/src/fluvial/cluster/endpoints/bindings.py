"""Bindings: what a scheduler writes to put a pod on a node (`pkg/registry/core/pod/storage`)."""

from __future__ import annotations

from fluvial.cluster import fielderrors
from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target, WriteOptions
from fluvial.cluster.errors import Cause, StatusError, bad_request, conflict, generic, success
from fluvial.cluster.objects import Object

__all__ = ["Bindings"]


class Bindings:
    """Assigns pods to nodes. A pod is assigned once, and not while it goes or its gates hold it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def bind(self, target: Target, body: Object, options: WriteOptions) -> Object:
        """Assign the pod of `target`; raises 400, 404, 409, and 500 for what is not valid."""
        meta = body["metadata"]
        if meta.get("name", "") != target.name:
            raise bad_request("name in URL does not match name in Binding object")
        _check(body.get("target") or {})
        if not target.name:
            raise bad_request("Name parameter required.")
        pod = self._access.copy(self._access.find(target).object)
        self._check_pod(target, pod, meta)
        pod["spec"]["nodeName"] = body["target"]["name"]
        if meta.get("annotations"):
            notes = pod["metadata"].get("annotations") or {}
            pod["metadata"]["annotations"] = {**notes, **meta["annotations"]}
        conditions = pod.setdefault("status", {}).setdefault("conditions", [])
        conditions[:] = [item for item in conditions if item.get("type") != "PodScheduled"]
        conditions.append(
            {
                "type": "PodScheduled",
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": self._access.now(),
            }
        )
        if not options.dry_run:
            self._access.store.put(target.resource.prefix, target.key, pod)
        return success(201)

    @staticmethod
    def _check_pod(target: Target, pod: Object, wanted: Object) -> None:
        def refused(why: str) -> StatusError:
            return conflict("", "pods/binding", target.name, why)

        meta, spec = pod["metadata"], pod["spec"]
        for field, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            given = wanted.get(field)
            if given and given != meta[field]:
                why = (
                    f"Precondition failed: {name} in precondition: {given}, {name} in object "
                    f"meta: {meta[field]}"
                )
                raise conflict("", "pods", target.name, why)
        if meta.get("deletionTimestamp"):
            raise refused(f"pod {target.name} is being deleted, cannot be assigned to a host")
        if spec.get("nodeName"):
            raise refused(f'pod {target.name} is already assigned to node "{spec["nodeName"]}"')
        if spec.get("schedulingGates"):
            raise refused(f"pod {target.name} has non-empty .spec.schedulingGates")


def _check(node: Object) -> None:
    """Refuse what is bound to something else than a node, as upstream does: without a reason."""
    causes: list[Cause] = []
    if node.get("kind", "") not in ("", "Node"):
        supported = ("<empty>", "Node")
        causes.append(fielderrors.not_supported("target.kind", node["kind"], supported))
    if not node.get("name"):
        causes.append(fielderrors.required("target.name"))
    if causes:
        lines = [f"{cause['field']}: {cause['message']}" for cause in causes]
        raise generic(500, "", lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]")
