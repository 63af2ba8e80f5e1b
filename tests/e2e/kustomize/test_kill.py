"""A controller that is killed anywhere between the first write and the last status converges."""

import pytest

from fluvial.toolkit import Resource

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")


def config_map(number, value):
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{number:02}\n"
        f"data:\n  key: '{value}'\n"
    )


THOROUGH = pytest.mark.thorough


@pytest.mark.parametrize(
    "written",
    [1, pytest.param(5, marks=THOROUGH), 12, pytest.param(20, marks=THOROUGH)],
    ids=lambda n: f"after {n} objects",
)
async def test_killed_between_apply_and_status(team, written):
    """SIGKILL once `written` of 20 objects are there; then the rest, and a prune, are done."""
    team.repository.push({f"{n}.yaml": config_map(n, 1) for n in range(20)})
    await team.source()
    await team.kustomization()
    controller = team.harness.process("fluvial.kustomize")
    # Objects are written in the order of their names.
    await team.until(CONFIG_MAPS, f"map-{written - 1:02}")
    controller.kill()
    status = await team.status()
    assert len(status["inventory"]["entries"]) == 20, "all that may exist is known"

    revision = await team.push({f"{n}.yaml": config_map(n, 2) for n in range(10)})
    team.harness.restart("fluvial.kustomize")
    await team.until_ready(revision=revision)
    left = await team.client.list(CONFIG_MAPS, team.name)
    ours = {o["metadata"]["name"]: o["data"]["key"] for o in left.items if "key" in o["data"]}
    assert ours == {f"map-{n:02}": "2" for n in range(10)}
    assert len((await team.status())["inventory"]["entries"]) == 10
