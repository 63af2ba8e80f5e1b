"""K1: SIGKILL at every point of a HelmRelease's reconcile: install, upgrade, uninstall."""

import pytest
from delivery import RELEASES, ready_of
from killing import Case, Prepared, kill_everywhere
from offers import offering
from portions import portions

from fluvial.toolkit import CONFIG_MAP
from fluvial.toolkit.references import SECRET

pytestmark = pytest.mark.faults

CHART = {
    "values.yaml": "color: blue\n",
    "templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"
        'data: {color: "{{ .Values.color }}"}\n'
    ),
    "templates/extra.yaml": (
        "{{ if ne .Values.color `red` }}\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {color: none}\n"
        "{{ end }}\n"
    ),
}


class Install(Case):
    module = "fluvial.helm"

    def __init__(self, offers):
        self._offers = offers

    async def release(self, team, **values):
        spec = {
            "interval": "10m",
            "timeout": "20s",
            "chartRef": {"kind": "HelmChart", "name": "app"},
            "values": values,
        }
        await team.put(RELEASES, "app", spec=spec, metadata={"labels": self.labels(team)})

    async def act(self, team):
        await team.put(CONFIG_MAP, "bystander", data={"color": "mine"})
        await self._offers.chart(team, CHART)
        await self.release(team, color="blue")

    async def until_done(self, team):
        def holds(obj):
            status = obj["status"]
            return (
                ready_of(obj)["status"] == "True"
                and status["observedGeneration"] == obj["metadata"]["generation"]
            )

        await team.until(RELEASES, "app", holds)

    async def colors(self, team):
        listed = await team.client.list(CONFIG_MAP, team.name)
        data = {o["metadata"]["name"]: o.get("data") or {} for o in listed.items}
        return {name: entry["color"] for name, entry in data.items() if "color" in entry}

    async def known(self, team):
        live = await team.get(RELEASES, "app")
        entries = ((live.get("status") or {}).get("inventory") or {}).get("entries") or []
        return {entry["id"].split("_")[1] for entry in entries}

    async def statuses(self, team):
        listed = await team.client.list(SECRET, team.name, label_selector="owner=helm")
        return [o["metadata"]["labels"]["status"] for o in listed.items]

    async def check_killed(self, team):
        colors = await self.colors(team)
        assert colors.pop("bystander") == "mine"
        assert set(colors) <= await self.known(team), "what exists is in the inventory"

    async def check_right(self, team, wanted):
        assert await self.colors(team) == {"bystander": "mine", **wanted}
        assert await self.known(team) == set(wanted)
        statuses = await self.statuses(team)
        assert statuses.count("deployed") == 1
        assert not [one for one in statuses if one.startswith("pending")]

    async def check_done(self, team):
        await self.check_right(team, {"config": "blue", "extra": "none"})


class Upgrade(Prepared, Install):
    """One object changes, and one goes."""

    async def prepare(self, team):
        await super().act(team)

    async def until_prepared(self, team):
        await self.until_done(team)

    async def act(self, team):
        await self.release(team, color="red")

    async def check_done(self, team):
        await self.check_right(team, {"config": "red"})


class Uninstall(Upgrade):
    async def until_prepared(self, team):
        await Install.until_done(self, team)

    async def act(self, team):
        await team.client.delete(RELEASES, "app", team.name)

    async def until_done(self, team):
        await team.until(RELEASES, "app", gone=True)

    async def check_killed(self, team):
        if (await team.client.list(RELEASES, team.name)).items:
            await super().check_killed(team)
        else:
            await self.check_done(team)

    async def check_done(self, team):
        assert await self.colors(team) == {"bystander": "mine"}
        assert await self.statuses(team) == []


@pytest.mark.parametrize("portion", portions(4, sample=2), ids=str)
@pytest.mark.parametrize("case", [Install, Upgrade, Uninstall], ids=lambda case: case.__name__)
async def test_k1_a_killed_release_is_put_right_by_the_next(harness, tmp_path, case, portion):
    async with offering(tmp_path) as offers:
        await kill_everywhere(harness, case(offers), portion)
