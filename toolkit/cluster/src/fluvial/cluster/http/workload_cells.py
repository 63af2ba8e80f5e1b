"""Table cells of workloads: what keeps pods running, and what counts them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fluvial.cluster.http import autoscaler_cells, pod_cells
from fluvial.cluster.http.cell_texts import (
    NONE,
    UNSET,
    Maker,
    age_of,
    labels_text,
    name_of,
    selector_text,
    template_images,
)
from fluvial.cluster.http.durations import age, human
from fluvial.cluster.objects import Object

__all__ = ["MAKERS"]


def _deployment(obj: Object, now: dt.datetime) -> list[Any]:
    status, names = obj.get("status") or {}, template_images(obj["spec"]["template"])
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [
        name_of(obj), ready, status.get("updatedReplicas", 0), status.get("availableReplicas", 0),
        age_of(obj, now), *names,
        selector_text(obj["spec"]["selector"]) if obj["spec"].get("selector") else "",
    ]  # fmt: skip


def _replicaset(obj: Object, now: dt.datetime) -> list[Any]:
    return [*_counts(obj, now), selector_text(obj["spec"].get("selector"))]


def _replication(obj: Object, now: dt.datetime) -> list[Any]:
    return [*_counts(obj, now), labels_text(obj["spec"].get("selector"))]


def _counts(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        name_of(obj), spec.get("replicas", 0), status.get("replicas", 0),
        status.get("readyReplicas", 0), age_of(obj, now),
        *template_images(spec.get("template") or {}),
    ]  # fmt: skip


def _statefulset(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [name_of(obj), ready, age_of(obj, now), *template_images(obj["spec"]["template"])]


def _daemonset(obj: Object, now: dt.datetime) -> list[Any]:
    status = obj.get("status") or {}
    counts = [
        status.get(key, 0)
        for key in ("desiredNumberScheduled", "currentNumberScheduled", "numberReady",
                    "updatedNumberScheduled", "numberAvailable")
    ]  # fmt: skip
    nodes = labels_text(obj["spec"]["template"]["spec"].get("nodeSelector"))
    return [
        name_of(obj), *counts, nodes, age_of(obj, now), *template_images(obj["spec"]["template"]),
        selector_text(obj["spec"].get("selector")),
    ]  # fmt: skip


def _job_status(obj: Object) -> str:
    conditions = reversed((obj.get("status") or {}).get("conditions") or [])
    first = {item["type"]: item.get("status") for item in conditions}
    true = [kind for kind, status in first.items() if status == "True"]
    if "Complete" in true or "Failed" in true:
        return "Complete" if "Complete" in true else "Failed"
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((kind for kind in ("Suspended", "FailureTarget") if kind in true), "Running")


def _job(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    done = status.get("succeeded", 0)
    completions, parallelism = spec.get("completions"), spec.get("parallelism", 0)
    if completions is not None:
        shown = f"{done}/{completions}"
    else:
        shown = f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"
    duration = ""
    if status.get("startTime"):
        start = dt.datetime.fromisoformat(status["startTime"])
        end = status.get("completionTime")
        duration = human((dt.datetime.fromisoformat(end) if end else now) - start)
    return [
        name_of(obj), _job_status(obj), shown, duration, age_of(obj, now),
        *template_images(spec["template"]), selector_text(spec.get("selector")),
    ]  # fmt: skip


def _cronjob(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    last, job = status.get("lastScheduleTime"), spec["jobTemplate"]["spec"]
    suspend = UNSET if spec.get("suspend") is None else str(bool(spec["suspend"]))
    return [
        name_of(obj), spec.get("schedule", ""), spec.get("timeZone", NONE), suspend,
        len(status.get("active") or []), age(last, now) if last else NONE, age_of(obj, now),
        *template_images(job["template"]), selector_text(job.get("selector")),
    ]  # fmt: skip


def _budget(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        name_of(obj), str(spec.get("minAvailable", "N/A")), str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0), age_of(obj, now),
    ]  # fmt: skip


def _pod_template(obj: Object, now: dt.datetime) -> list[Any]:  # noqa: ARG001 - has no age
    template = obj.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    return [name_of(obj), *template_images(template), labels_text(labels)]


def _revision(obj: Object, now: dt.datetime) -> list[Any]:
    owners = obj["metadata"].get("ownerReferences") or []
    owner = next((item for item in owners if item.get("controller")), None)
    shown = NONE
    if owner is not None:
        group = owner.get("apiVersion", "").rpartition("/")[0]
        kind = owner["kind"] + (f".{group}" if group else "")
        shown = f"{kind.lower()}/{owner['name']}"
    return [name_of(obj), shown, obj.get("revision", 0), age_of(obj, now)]


def _scale(obj: Object, now: dt.datetime) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [name_of(obj), spec.get("replicas", 0), status.get("replicas", 0), age_of(obj, now)]


MAKERS: dict[str, Maker] = {
    "/pods": pod_cells.cells,
    "/podtemplates": _pod_template,
    "/replicationcontrollers": _replication,
    "apps/controllerrevisions": _revision,
    "apps/daemonsets": _daemonset,
    "apps/deployments": _deployment,
    "apps/replicasets": _replicaset,
    "apps/statefulsets": _statefulset,
    "autoscaling/horizontalpodautoscalers": autoscaler_cells.cells,
    "autoscaling/scale": _scale,
    "batch/cronjobs": _cronjob,
    "batch/jobs": _job,
    "policy/poddisruptionbudgets": _budget,
}
