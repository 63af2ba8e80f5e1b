"""Writes that wait for a webhook: what others write in between is neither lost nor overwritten."""

import asyncio
import base64
import json

import pytest

from fluvial.cluster.errors import StatusError

CONFIG_MAPS = "v1/configmaps"
RULES = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}


def patching(*operations):
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda request: {"allowed": True, "patchType": "JSONPatch", "patch": patch}  # noqa: ARG005


async def test_a_patch_begins_again_after_a_write_in_between(api, hook, register, config_map):
    await api.create(config_map(k="1"))
    await register(hook.config)
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request):
        if "mine" in request["object"]["data"] and not entered.is_set():
            entered.set()
            await go_on.wait()
        return {"allowed": True}

    hook.answer = slow
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        patch = {"data": {"mine": "x"}}
        mine = group.create_task(api.patch_merge(CONFIG_MAPS, "default", "a", patch))
        await entered.wait()
        await api.patch_merge(CONFIG_MAPS, "default", "a", {"data": {"theirs": "y"}})
        go_on.set()
        result = await mine
    assert result["data"] == {"k": "1", "mine": "x", "theirs": "y"}
    assert [each["object"]["data"].keys() for each in hook.reviews][-1] == {"k", "mine", "theirs"}


async def test_an_update_with_a_version_conflicts_after_a_write_in_between(
    api, hook, register, config_map
):
    old = await api.create(config_map(k="1"))
    await register(hook.config)
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request):
        if request["object"]["data"].get("k") == "2":
            entered.set()
            await go_on.wait()
        return {"allowed": True}

    hook.answer = slow
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        wanted = {**old, "data": {"k": "2"}}
        mine = group.create_task(refusal(api.update(wanted)))
        await entered.wait()
        await api.patch_merge(CONFIG_MAPS, "default", "a", {"data": {"k": "3"}})
        go_on.set()
        assert (await mine).reason == "Conflict"
    assert (await api.get(CONFIG_MAPS, "default", "a"))["data"] == {"k": "3"}


async def refusal(call):
    with pytest.raises(StatusError) as error:
        await call
    return error.value


async def test_only_one_of_two_creates_wins(api, hook, register, config_map):
    await register(hook.config)
    both = asyncio.Barrier(2)

    async def together(request):
        if request["operation"] == "CREATE":
            await both.wait()
        return {"allowed": True}

    hook.answer = together
    async with asyncio.timeout(20):
        results = await asyncio.gather(
            api.create(config_map(k="1")), api.create(config_map(k="2")), return_exceptions=True
        )
    failed = [each for each in results if isinstance(each, StatusError)]
    assert [each.reason for each in failed] == ["AlreadyExists"]


async def test_what_is_deleted_in_between_is_not_made_again(api, hook, register, config_map):
    await api.create(config_map(k="1"))
    await register(hook.config)
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request):
        if request["operation"] == "UPDATE":
            entered.set()
            await go_on.wait()
        return {"allowed": True}

    hook.answer = slow
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        patch = {"data": {"k": "2"}}
        mine = group.create_task(refusal(api.patch_merge(CONFIG_MAPS, "default", "a", patch)))
        await entered.wait()
        await api.delete(CONFIG_MAPS, "default", "a")
        go_on.set()
        assert (await mine).code == 404


async def test_a_namespace_that_ends_in_between_takes_nothing_new(api, hook, register, config_map):
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    await register(hook.config)

    async def end(request):
        if request["operation"] == "CREATE":
            await api.delete("v1/namespaces", None, "n")
        return {"allowed": True}

    hook.answer = end
    body = config_map()
    body["metadata"]["namespace"] = "n"
    assert (await refusal(api.create(body))).code == 403


async def test_a_scale_conflicts_after_a_write_in_between(api, hook, register):
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    meta = {"name": "d", "namespace": "default"}
    await api.create(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    )
    await register(hook.config, rules=[{**RULES, "resources": ["deployments/scale"]}])

    async def meddle(request):
        patch = {"metadata": {"labels": {"x": str(len(hook.reviews))}}}
        await api.patch_merge("apps/v1/deployments", "default", "d", patch)
        return {"allowed": True}

    hook.answer = meddle
    scale = {"spec": {"replicas": 3}}
    found = await refusal(api.patch_merge("apps/v1/deployments", "default", "d", scale, "scale"))
    assert found.reason == "Conflict"


async def test_a_webhook_behind_a_service_is_called_at_a_ready_endpoint(
    api, hook, register, config_map
):
    meta = {"name": "kubernetes", "namespace": "default"}
    service = {"ports": [{"name": "https", "port": 443, "targetPort": 8443}]}
    await api.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service})
    labels = {"kubernetes.io/service-name": "kubernetes"}
    await api.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "s", "namespace": "default", "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": hook.served.port}],
            "endpoints": [
                {"addresses": ["127.0.0.9"], "conditions": {"ready": False}},
                {"addresses": ["127.0.0.1"], "conditions": {"ready": True}},
            ],
        }
    )
    config = {
        "service": {"namespace": "default", "name": "kubernetes"},
        "caBundle": hook.served.bundle,
    }
    await register(config)
    await api.create(config_map())
    assert [each["name"] for each in hook.reviews] == ["a"]


async def test_both_of_two_webhooks_are_asked_at_once(api, hook, register, config_map):
    both = asyncio.Barrier(2)

    async def together(request):
        await both.wait()
        return {"allowed": True}

    await register(hook.config, name="a")
    await register(hook.config, name="b")
    hook.answer = together
    async with asyncio.timeout(20):
        await api.create(config_map())


async def test_a_mutation_meets_no_manager(api, hook, register, config_map):
    hook.answer = patching({"op": "add", "path": "/data/by", "value": "hook"})
    await register(hook.config, mutating=True, rules=[{**RULES, "resources": ["configmaps"]}])
    made = await api.create(config_map(k="v"))
    assert made["data"] == {"k": "v", "by": "hook"}
    (entry,) = made["metadata"]["managedFields"]
    assert "f:by" not in entry["fieldsV1"]["f:data"]


async def test_once_removed_a_webhook_is_asked_no_more(api, hook, register, config_map):
    await register(hook.config)
    await api.create(config_map("a"))
    resource = "admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    await api.delete(resource, None, "hooks")
    await api.create(config_map("b"))
    assert [each["name"] for each in hook.reviews] == ["a"]
