"""The HelmChart that `spec.chart` describes: made, kept as described, and removed."""

from fluvial.apis.helm import GROUP, HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import HELM_CHART
from fluvial.helm.names import chart_name
from fluvial.toolkit import ApiError, Client, Context, NotFound, Transient
from fluvial.toolkit.client import resource_of_kind

__all__ = ["describe", "is_current", "reconcile_chart", "remove_chart"]

_CHARTS = resource_of_kind(HELM_CHART)
_FIELDS = ("chart", "version", "reconcileStrategy", "valuesFiles", "ignoreMissingValuesFiles")


def describe(obj: HelmRelease, raw: Unstructured) -> Unstructured:
    """Return the HelmChart of a release with `spec.chart`, ready to be applied."""
    assert obj.spec.chart is not None, "only a chart template describes a HelmChart"
    namespace, name = chart_name(obj)
    template = raw["spec"]["chart"]
    wanted = template["spec"]
    metadata = template.get("metadata") or {}
    source = {key: wanted["sourceRef"][key] for key in ("kind", "name")}
    spec = {
        **{key: wanted[key] for key in (*_FIELDS, "verify") if key in wanted},
        "interval": wanted.get("interval") or obj.spec.interval,
        "sourceRef": source,
    }
    labels = {
        **(metadata.get("labels") or {}),
        f"{GROUP}/name": obj.metadata.name,
        f"{GROUP}/namespace": obj.metadata.namespace,
    }
    described: Unstructured = {
        "apiVersion": HELM_CHART.api_version,
        "kind": HELM_CHART.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    }
    if annotations := metadata.get("annotations"):
        described["metadata"]["annotations"] = annotations
    return described


async def reconcile_chart(ctx: Context[HelmRelease], manager: str) -> None:
    """Apply the HelmChart, and remove one that this release no longer uses.

    `status.helmChart` names it before it is made, so that it can never be lost. Raises Transient.
    """
    obj = ctx.obj
    wanted = "/".join(chart_name(obj)) if obj.spec.chart is not None else ""
    if obj.status.helm_chart not in {"", wanted}:
        await remove_chart(ctx)
    if not wanted:
        return
    desired = describe(obj, ctx.raw)
    namespace, name = chart_name(obj)
    try:
        live = await _get(ctx.client, namespace, name)
        if live is not None and is_current(live, desired) and obj.status.helm_chart == wanted:
            return
        if obj.status.helm_chart != wanted:
            obj.status.helm_chart = wanted
            await ctx.patch_status()
        await ctx.client.patch(
            _CHARTS, name, desired, namespace, type="apply", field_manager=manager, force=True
        )
    except NotFound:
        raise
    except ApiError as error:
        raise Transient(
            "HelmChartSyncErr", f"failed to apply HelmChart '{wanted}': {error}"
        ) from error
    done = "HelmChartConfigured" if live is not None else "HelmChartCreated"
    verb = "configured" if live is not None else "created"
    ctx.event("Normal", done, f"{verb} HelmChart/{wanted} with SourceRef '{_source(desired)}'")


async def remove_chart(ctx: Context[HelmRelease]) -> None:
    """Delete the HelmChart that the status names; one that is gone already is no error."""
    namespace, _, name = ctx.obj.status.helm_chart.partition("/")
    if name:
        try:
            await ctx.client.delete(_CHARTS, name, namespace)
        except NotFound:
            pass
        else:
            ctx.event("Normal", "HelmChartDeleted", f"deleted HelmChart '{namespace}/{name}'")
    ctx.obj.status.helm_chart = ""


async def _get(client: Client, namespace: str, name: str) -> Unstructured | None:
    try:
        return await client.get(_CHARTS, name, namespace)
    except NotFound:
        return None


def _source(chart: Unstructured) -> str:
    ref = chart["spec"]["sourceRef"]
    return f"{ref['kind']}/{chart['metadata']['namespace']}/{ref['name']}"


def is_current(live: Unstructured, desired: Unstructured) -> bool:
    """Whether a live chart has all that is wanted; what else it has belongs to others.

    An optional field that is no longer wanted must go, so the spec is compared whole, with the
    schema's defaults filled in by the server.
    """
    metadata, wanted = live["metadata"], desired["metadata"]
    for field in ("labels", "annotations"):
        present = metadata.get(field) or {}
        if any(present.get(key) != value for key, value in (wanted.get(field) or {}).items()):
            return False
    defaults = {"version": "*", "reconcileStrategy": "ChartVersion"}
    return bool({**defaults, **live["spec"]} == {**defaults, **desired["spec"]})
