"""Nothing changed, nothing asked; and whatever has changed is looked at in the next pass."""

import pytest
from passes import KUSTOMIZATIONS, widgets

from fluvial.toolkit import CONFIG_MAP, NotFound, Resource

GROUP = "kustomize.toolkit.fluxcd.io"
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {key: '1'}\n"
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {team: ours}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example/web:1}]}
"""


def config_map(name):
    return CONFIG.replace("NAME", name)


def looked_at(asked):
    """Name the objects that a pass has dry-run, and those that it has written."""
    names = [(verb, path.partition("?")[0].rpartition("/")[2], path) for verb, path in asked]
    dry = {name for verb, name, path in names if "dryRun" in path}
    wrote = {
        name
        for verb, name, path in names
        if verb != "get" and "dryRun" not in path and "/events" not in path and name != "status"
    }
    return dry, wrote


async def test_a_pass_in_which_nothing_has_changed_asks_nothing(passes):
    await widgets(passes.client)
    files = {"a.yaml": config_map("a"), "web.yaml": WEB, "w.yaml": WIDGET}
    revision = await passes.push(files)
    await passes.kustomization(postBuild={"substitute": {"x": "y"}})
    async with passes.controller():
        await passes.until_applied(revision)
        asked = await passes.step()
        assert looked_at(asked) == ({"a", "web", "w"}, set()), "what was written is verified once"
        before = await passes.space.get(KUSTOMIZATIONS, "app")
        assert [await passes.step() for _ in range(3)] == [[], [], []]
        assert await passes.space.get(KUSTOMIZATIONS, "app") == before, "nor has it written"

        again = await passes.push({**files, "a.yaml": config_map("b")})
        await passes.until_applied(again)
        assert await passes.space.get(CONFIG_MAP, "b")
        with pytest.raises(NotFound):
            await passes.space.get(CONFIG_MAP, "a")
        asked = await passes.step()
        assert looked_at(asked) == ({"b"}, set()), "the others were in order already"
        assert await passes.step() == []
    async with passes.controller():
        await passes.until_passed()
        before = passes.requests()
        assert await passes.step() == [], "a new process has looked once"
        assert {"b", "web", "w"} <= looked_at(before)[0]
