"""K1: SIGKILL at every point of a Kustomization's reconcile: apply, prune, delete."""

import pytest
from delivery import KUSTOMIZATIONS, ready_of
from killing import Case, Prepared, kill_everywhere
from offers import offering
from portions import portions

from fluvial.toolkit import CONFIG_MAP

pytestmark = pytest.mark.faults

OWNER = "kustomize.toolkit.fluxcd.io/name"


def config_map(name, value):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: '{value}'\n"


FIRST = {"a.yaml": config_map("a", 1), "b.yaml": config_map("b", 1)}
SECOND = {"a.yaml": config_map("a", 2), "c.yaml": config_map("c", 2)}


class Kustomized(Case):
    module = "fluvial.kustomize"
    arguments = ("--concurrent-ssa=1",)

    def __init__(self, offers):
        self._offers = offers
        self._revisions = {}
        self._uids = {}

    async def build(self, team, files):
        self._revisions[team.name] = await self._offers.tree(team, files)

    async def kustomization(self, team):
        spec = {
            "interval": "10m",
            "retryInterval": "1s",
            "prune": True,
            "targetNamespace": team.name,
            "sourceRef": {"kind": "GitRepository", "name": "app"},
        }
        metadata = {"labels": self.labels(team)}
        await team.put(KUSTOMIZATIONS, "app", spec=spec, metadata=metadata)

    async def until_done(self, team):
        wanted = f"Applied revision: {self._revisions[team.name]}"
        await team.until(KUSTOMIZATIONS, "app", lambda obj: ready_of(obj)["message"] == wanted)

    async def bystander(self, team):
        await team.put(CONFIG_MAP, "bystander", data={"key": "mine"})

    async def found(self, team):
        """Return what is there of what the case is about, by name."""
        listed = await team.client.list(CONFIG_MAP, team.name)
        return {o["metadata"]["name"]: o for o in listed.items if "key" in (o.get("data") or {})}

    async def known(self, team):
        """Return the names that the inventory lists."""
        live = await team.get(KUSTOMIZATIONS, "app")
        entries = (live["status"].get("inventory") or {}).get("entries") or []
        return {entry["id"].split("_")[1] for entry in entries}

    async def check_killed(self, team):
        found = await self.found(team)
        ours = {
            name for name, obj in found.items() if OWNER in (obj["metadata"].get("labels") or {})
        }
        assert ours <= await self.known(team), "what exists is in the inventory at any moment"
        assert "bystander" in found

    async def check_values(self, team, wanted):
        found = await self.found(team)
        values = {name: obj["data"]["key"] for name, obj in found.items()}
        assert values == {"bystander": "mine", **wanted}
        assert await self.known(team) == set(wanted)


class FirstApply(Kustomized):
    async def act(self, team):
        await self.bystander(team)
        await self.build(team, FIRST)
        await self.kustomization(team)

    async def check_done(self, team):
        await self.check_values(team, {"a": "1", "b": "1"})


class Update(Prepared, FirstApply):
    """One object changes, one is new, one is pruned."""

    async def prepare(self, team):
        await super().act(team)

    async def until_prepared(self, team):
        await self.until_done(team)
        self._uids[team.name] = (await team.get(CONFIG_MAP, "a"))["metadata"]["uid"]

    async def act(self, team):
        await self.build(team, SECOND)

    async def check_killed(self, team):
        await super().check_killed(team)
        kept = await team.get(CONFIG_MAP, "a")
        assert kept["metadata"]["uid"] == self._uids[team.name], "what should live is never deleted"

    async def check_done(self, team):
        await self.check_values(team, {"a": "2", "c": "2"})
        kept = await team.get(CONFIG_MAP, "a")
        assert kept["metadata"]["uid"] == self._uids[team.name]


class Deletion(Update):
    """The Kustomization is deleted, and all that it applied goes first."""

    async def act(self, team):
        await team.client.delete(KUSTOMIZATIONS, "app", team.name)

    async def until_done(self, team):
        await team.until(KUSTOMIZATIONS, "app", gone=True)

    async def until_prepared(self, team):
        await Kustomized.until_done(self, team)

    async def check_killed(self, team):
        if (await team.client.list(KUSTOMIZATIONS, team.name)).items:
            await FirstApply.check_killed(self, team)
        else:
            await self.check_done(team)

    async def check_done(self, team):
        assert set(await self.found(team)) == {"bystander"}


@pytest.mark.parametrize("portion", portions(4, sample=2), ids=str)
@pytest.mark.parametrize("case", [FirstApply, Update, Deletion], ids=lambda case: case.__name__)
async def test_k1_a_killed_reconcile_is_put_right_by_the_next(harness, tmp_path, case, portion):
    async with offering(tmp_path) as offers:
        points = await kill_everywhere(harness, case(offers), portion)
    writes = [name for name in points if name.startswith("before PATCH") and "dryRun" not in name]
    assert writes or case is Deletion
