import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.toolkit.client import Client, Conflict, NotFound
from fluvial.toolkit.conditions import READY, mark_true
from fluvial.toolkit.status import Patcher, merge_patch
from fluvial.toolkit.testing.api import _merged

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON)


@given(OBJECTS, OBJECTS)
def test_the_patch_leads_from_one_to_the_other(before, after):
    assert _merged(before, merge_patch(before, after)) == after


@given(OBJECTS)
def test_equal_objects_need_no_patch(obj):
    assert merge_patch(obj, obj) == {}


def test_one_and_true_differ():
    assert merge_patch({"a": 1}, {"a": True}) == {"a": True}


class Impatient:
    """Only what a patcher needs of a clock: no waiting."""

    async def sleep(self, _delay):
        return


@pytest.fixture
async def patcher(api):
    async with Client(api.config, qps=0) as client:
        yield Patcher(
            client,
            KUSTOMIZATION,
            field_manager="gotk-kustomize-controller",
            owned=[READY, "Healthy"],
            clock=Impatient(),
        )


@pytest.fixture
def live(api, kustomization):
    """Put an object whose status has something of everybody."""
    obj = kustomization()
    obj["status"] = {
        "observedGeneration": -1,
        "lastAppliedRevision": "old",
        "futureField": {"kept": True},
        "conditions": [
            {
                "type": "Theirs",
                "status": "True",
                "reason": "R",
                "message": "m",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    return api.put(obj)


async def test_only_changed_keys_are_sent_and_unknown_ones_survive(api, patcher, live, clock):
    obj = decode(KUSTOMIZATION, live)
    obj.status.last_applied_revision = ""
    obj.status.last_attempted_revision = "new"
    await patcher.status(live, obj)
    request = api.writes()[-1]
    assert request.path.endswith("/kustomizations/apps/status")
    assert request.query["fieldManager"] == "gotk-kustomize-controller"
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.body == {
        "metadata": {"resourceVersion": live["metadata"]["resourceVersion"]},
        "status": {"lastAppliedRevision": None, "lastAttemptedRevision": "new"},
    }
    assert api.get("Kustomization", "apps")["status"]["futureField"] == {"kept": True}


async def test_without_a_change_nothing_is_sent(api, patcher, live):
    assert await patcher.status(live, decode(KUSTOMIZATION, live)) is live
    assert api.writes() == []


async def test_a_conflict_merges_our_conditions_into_theirs(api, patcher, live, clock):
    obj = decode(KUSTOMIZATION, live)
    mark_true(obj, READY, "Succeeded", "m", now=clock.now())
    obj.status.last_applied_revision = "ours"
    moved = {**live, "status": {**live["status"], "lastAttemptedRevision": "theirs"}}
    moved["status"]["conditions"] = [{**live["status"]["conditions"][0], "message": "newer"}]
    api.put(moved)
    await patcher.status(live, obj)
    status = api.get("Kustomization", "apps")["status"]
    assert {x["type"]: x["message"] for x in status["conditions"]} == {
        "Ready": "m",
        "Theirs": "newer",
    }
    assert status["lastAppliedRevision"] == "ours"
    assert status["lastAttemptedRevision"] == "theirs"


async def test_five_conflicts_are_enough(api, patcher, live):
    def move(request):
        if request.method == "PATCH":
            current = api.get("Kustomization", "apps")
            current["metadata"]["annotations"] = {"n": str(len(api.requests))}
            api.put(current)

    api.faults.append(move)
    obj = decode(KUSTOMIZATION, live)
    obj.status.last_applied_revision = "ours"
    with pytest.raises(Conflict):
        await patcher.status(live, obj)
    assert len(api.writes()) == 5


async def test_another_object_of_the_same_name_is_not_touched(api, patcher, live, kustomization):
    obj = decode(KUSTOMIZATION, live)
    obj.status.last_applied_revision = "ours"
    api.drop("Kustomization", "apps")
    api.put(kustomization())
    with pytest.raises(NotFound, match="created anew"):
        await patcher.status(live, obj)
    assert api.get("Kustomization", "apps")["status"] == {"observedGeneration": -1}


async def test_finalizers_of_others_survive_a_conflict(api, patcher, live):
    current = api.get("Kustomization", "apps")
    api.put({**current, "metadata": {**current["metadata"], "finalizers": ["theirs"]}})
    result = await patcher.finalizer(live, "ours", present=True)
    assert result["metadata"]["finalizers"] == ["theirs", "ours"]
    result = await patcher.finalizer(result, "ours", present=False)
    assert result["metadata"]["finalizers"] == ["theirs"]
    count = len(api.writes())
    assert await patcher.finalizer(result, "ours", present=False) is result
    assert len(api.writes()) == count
