"""Nothing changed, nothing asked; and whatever has changed is looked at in the next pass."""

import pytest
from delivery import ready_of
from namespaces import bind
from passes import KUSTOMIZATIONS, WIDGETS, widgets

from fluvial.cluster.http.faults import Fault
from fluvial.toolkit import CONFIG_MAP, NotFound, Resource

GROUP = "kustomize.toolkit.fluxcd.io"
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
WATCHED = {"reconcile.fluxcd.io/watch": "Enabled"}

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {key: '${value}'}\n"
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {team: ours}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example/web:1}]}
"""
FILES = {"a.yaml": CONFIG.replace("NAME", "a"), "web.yaml": WEB, "w.yaml": WIDGET}
ALL = {"a", "web", "w"}


def looked_at(asked):
    """Name the objects that a pass has dry-run, and those that it has written."""
    named = [(verb, path.partition("?")[0].rpartition("/")[2], path) for verb, path in asked]
    dry = {name for _, name, path in named if "dryRun" in path}
    wrote = {
        name
        for verb, name, path in named
        if verb in {"patch", "create", "delete"}
        and name != "status"
        and "dryRun" not in path
        and "/events" not in path
    }
    return dry, wrote


@pytest.fixture
def no_sweep(monkeypatch):
    """Let no pass verify everything: what is looked at is what has changed."""
    monkeypatch.setattr("fluvial.kustomize.proofs._SWEEP_INTERVALS", 1000)


async def test_a_pass_in_which_nothing_has_changed_asks_nothing(passes):
    await widgets(passes.client)
    revision = await passes.push(FILES)
    await passes.kustomization(postBuild={"substitute": {"value": "one"}})
    async with passes.controller():
        await passes.until_applied(revision)
        asked = await passes.step()
        assert looked_at(asked) == (ALL, set()), "what was written is verified once"
        before = await passes.space.get(KUSTOMIZATIONS, "app")
        assert [await passes.step() for _ in range(3)] == [[], [], []]
        assert await passes.space.get(KUSTOMIZATIONS, "app") == before, "nor has it written"

        again = await passes.push({**FILES, "a.yaml": CONFIG.replace("NAME", "b")})
        await passes.until_applied(again)
        assert await passes.space.get(CONFIG_MAP, "b")
        with pytest.raises(NotFound):
            await passes.space.get(CONFIG_MAP, "a")
        asked = await passes.step()
        assert looked_at(asked) == ({"b"}, set()), "the others were in order already"
        assert await passes.step() == []
        asked_before = len(passes.requests())
    async with passes.controller():
        await passes.until_passed()
        asked = passes.requests()[asked_before:]
        assert looked_at(asked) == ({"b", "web", "w"}, set()), "a new process knows nothing"
        assert await passes.step() == []


def patch(resource, name, change, manager="robot", **options):
    async def make(passes):
        await passes.client.patch(
            resource, name, change, "default", field_manager=manager, **options
        )

    return make


def image(value):
    path = "/spec/template/spec/containers/0/image"
    return patch(DEPLOYMENTS, "web", [{"op": "replace", "path": path, "value": value}], type="json")


async def recreate(passes):
    """Put an equal object in the place of ours: its uid is another."""
    live = await passes.space.get(CONFIG_MAP, "a")
    await passes.client.delete(CONFIG_MAP, "a", "default")
    kept = {key: live["metadata"][key] for key in ("name", "namespace", "labels")}
    await passes.client.create(CONFIG_MAP, {**live, "metadata": kept})


async def delete(passes):
    await passes.client.delete(CONFIG_MAP, "a", "default")


async def redefine(passes):
    await widgets(passes.client, color={"type": "string", "default": "red"})


def metadata(field, key, value):
    return {"metadata": {field: {key: value}}}


MOVES = [
    (image("example/web:2"), {"web"}, {"web"}, "the spec is another one"),
    (patch(CONFIG_MAP, "a", {"data": {"key": "2"}}), {"a"}, {"a"}, "the data is another one"),
    (
        patch(CONFIG_MAP, "a", metadata("annotations", "note", "x")),
        {"a"},
        set(),
        "a kind without a generation: any write wants a look",
    ),
    (
        patch(DEPLOYMENTS, "web", metadata("annotations", "note", "x")),
        set(),
        set(),
        "an annotation of others does not count",
    ),
    (
        patch(DEPLOYMENTS, "web", {"status": {"replicas": 1}}, subresource="status"),
        set(),
        set(),
        "nor does a status",
    ),
    (
        patch(WIDGETS, "w", metadata("labels", f"{GROUP}/name", None)),
        {"w"},
        {"w"},
        "out of the watch's selection",
    ),
    (
        patch(DEPLOYMENTS, "web", metadata("annotations", "team", "theirs")),
        {"web"},
        {"web"},
        "an annotation of ours has another value",
    ),
    (
        patch(DEPLOYMENTS, "web", metadata("annotations", "x", "y"), "kubectl-annotate"),
        {"web"},
        {"web"},
        "fields of kubectl are taken over",
    ),
    (delete, {"a"}, {"a"}, "it is gone"),
    (recreate, {"a"}, set(), "it is another object, and equal"),
    (redefine, {"w"}, set(), "another definition may default or drop fields"),
]


async def test_what_has_moved_is_looked_at_and_nothing_else(passes, no_sweep):
    await widgets(passes.client)
    revision = await passes.push(FILES)
    await passes.kustomization()
    async with passes.controller():
        await passes.until_applied(revision)
        await passes.until_quiet()
        for move, dry, wrote, reason in MOVES:
            await move(passes)
            assert looked_at(await passes.step()) == (dry, wrote), reason
            await passes.until_quiet()

        off = metadata("annotations", f"{GROUP}/reconcile", "Disabled")
        await patch(DEPLOYMENTS, "web", off)(passes)
        await image("example/web:2")(passes)
        web = ("get", "/apis/apps/v1/namespaces/default/deployments/web")
        for _ in range(2):
            asked = await passes.step()
            assert looked_at(asked) == (set(), set()), "what is left alone is left alone"
            assert web in asked, "and looked at each time"
        on = metadata("annotations", f"{GROUP}/reconcile", None)
        await patch(DEPLOYMENTS, "web", on)(passes)
        assert looked_at(await passes.step()) == ({"web"}, {"web"})


async def test_everything_is_verified_again_now_and_then_and_on_request(passes):
    revision = await passes.push({"a.yaml": CONFIG.replace("NAME", "a")})
    await passes.kustomization()
    async with passes.controller():
        await passes.until_applied(revision)
        await passes.until_quiet()
        asked = [await passes.step() for _ in range(8)]
        (swept,) = [one for one in asked if one]
        assert looked_at(swept) == ({"a"}, set())
        assert asked.index(swept) in {5, 6}, "within ten intervals of the first attempt"
        await passes.until_quiet()
        before = len(passes.requests())
        token = await passes.space.request(KUSTOMIZATIONS, "app")
        await passes.space.until(
            KUSTOMIZATIONS, "app", lambda obj: obj["status"]["lastHandledReconcileAt"] == token
        )
        assert looked_at(passes.requests()[before:]) == ({"a"}, set())


async def test_variables_are_known_by_watch_or_read_in_each_pass(passes, no_sweep):
    """Those of a tenant are read with its rights; what is applied is watched with our own."""
    await bind(passes.space, "deployer", "configmaps")
    await passes.space.put(CONFIG_MAP, "vars", data={"value": "two"})
    revision = await passes.push({"a.yaml": CONFIG.replace("NAME", "a")})
    variables = {"kind": "ConfigMap", "name": "vars"}
    await passes.kustomization(
        serviceAccountName="deployer", postBuild={"substituteFrom": [variables]}
    )
    async with passes.controller():
        await passes.until_applied(revision)
        await passes.step()
        read = ("get", "/api/v1/namespaces/default/configmaps/vars")
        assert [await passes.step() for _ in range(2)] == [[read], [read]]
        await passes.space.put(CONFIG_MAP, "vars", data={"value": "three"})
        assert looked_at(await passes.step()) == ({"a"}, {"a"})

        # With the label its changes wake us: an attempt begins, and needs no interval.
        labels = {"labels": WATCHED}
        await passes.space.put(CONFIG_MAP, "vars", data={"value": "three"}, metadata=labels)
        await passes.until_quiet()
        await passes.space.put(CONFIG_MAP, "vars", data={"value": "four"}, metadata=labels)
        await passes.space.until(CONFIG_MAP, "a", lambda obj: obj["data"] == {"key": "four"})
        await passes.until_passed()
        await passes.until_quiet()


async def test_health_and_dependencies_are_known_by_watch(passes, no_sweep):
    revision = await passes.push({"web.yaml": WEB})
    await passes.kustomization("base", suspend=True)

    async def base_is(ready):
        condition = {"type": "Ready", "status": ready, "reason": "x", "message": ""}
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        status = {"observedGeneration": 1, "lastAppliedRevision": revision}
        change = {"status": {**status, "conditions": [condition]}}
        await patch(KUSTOMIZATIONS, "base", change, subresource="status")(passes)

    await base_is("True")
    await passes.kustomization(wait=True, dependsOn=[{"name": "base"}])
    rolled_out = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    available = {"type": "Available", "status": "True"}
    healthy = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "conditions": [rolled_out, available],
    }
    async with passes.controller():
        await passes.space.until(DEPLOYMENTS, "web")
        await patch(DEPLOYMENTS, "web", {"status": healthy}, subresource="status")(passes)
        await passes.until_applied(revision)
        await passes.until_quiet()
        changed = {"status": {"conditions": [rolled_out, {**available, "message": "still"}]}}
        await patch(DEPLOYMENTS, "web", changed, subresource="status")(passes)
        asked = await passes.step()
        assert looked_at(asked) == (set(), set()), "the object itself is unmoved"
        assert ("get", "/apis/apps/v1/namespaces/default/deployments/web") in asked
        await passes.until_quiet()
        await base_is("False")
        await passes.elapse()
        await passes.space.until(
            KUSTOMIZATIONS, "app", lambda obj: ready_of(obj)["reason"] == "DependencyNotReady"
        )


async def test_where_nothing_can_be_watched_everything_is_looked_at(passes, no_sweep):
    for verb in ("watch", "list"):
        fault = Fault("/apis/apps/v1/deployments", verb=verb, count=None, status=403)
        passes.plane.faults.add(fault)
    passes.deaf.add(DEPLOYMENTS)
    revision = await passes.push({"web.yaml": WEB, "a.yaml": CONFIG.replace("NAME", "a")})
    await passes.kustomization()
    async with passes.controller():
        await passes.until_applied(revision)
        await passes.step()
        for _ in range(2):
            assert looked_at(await passes.step()) == ({"web"}, set()), "the other kind is watched"

        await passes.space.secret("cluster", value=passes.plane.kubeconfig)
        await passes.kustomization(kubeConfig={"secretRef": {"name": "cluster"}})
        await passes.space.until(
            KUSTOMIZATIONS, "app", lambda obj: obj["status"]["observedGeneration"] == 2
        )
        await passes.until_passed()
        for _ in range(3):
            assert looked_at(await passes.step()) == ({"a", "web"}, set()), "a remote cluster"
