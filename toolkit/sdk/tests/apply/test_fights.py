"""Fights over fields are told once, by name, with the way out."""

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.toolkit.apply import Action, Change, ChangeSet, FieldChange, Fights

WEB = ObjectId("apps", "Deployment", "team", "web")
API = ObjectId("apps", "Deployment", "team", "api")


def change(id=WEB, *, paths=("/spec/replicas",), managers=("hpa",), action=Action.CONFIGURED):
    return Change(id, "v1", action, [FieldChange(path, 5, 2) for path in paths], tuple(managers))


def told(fights, *changes, owner="apps"):
    return [str(one.id) for one in fights.news(owner, ChangeSet(list(changes)))]


def test_it_says_who_what_and_the_way_out():
    (fight,) = Fights().news("apps", ChangeSet([change()]))
    assert str(fight) == (
        "Deployment/team/web: /spec/replicas was changed by hpa and is set back each time; to "
        "leave it to them, take it out of the manifest or add it to spec.ignore"
    )


def test_many_fields_are_not_all_listed():
    paths = [f"/data/{n}" for n in range(9)]
    (fight,) = Fights().news("apps", ChangeSet([change(paths=paths)]))
    assert "/data/0, /data/1, /data/2, … was" in str(fight)


@pytest.mark.parametrize(
    ("second", "expected", "reason"),
    [
        (change(), [], "the same fight"),
        (change(API), ["Deployment/team/api"], "another object"),
        (change(managers=["vpa"]), ["Deployment/team/web"], "another manager"),
        (change(paths=["/spec/paused"]), ["Deployment/team/web"], "another field"),
    ],
)
def test_a_fight_that_goes_on_is_told_once(second, expected, reason):
    fights = Fights()
    assert told(fights, change()) == ["Deployment/team/web"]
    assert told(fights, second) == expected, reason


@pytest.mark.parametrize(
    ("quiet", "reason"),
    [
        (change(managers=[]), "drift that nobody owns is no fight"),
        (change(action=Action.UNCHANGED), "nothing was set back"),
    ],
)
def test_what_is_no_fight(quiet, reason):
    assert told(Fights(), quiet) == [], reason


def test_each_owner_has_its_own_and_loses_it_at_the_end():
    fights = Fights()
    told(fights, change())
    assert told(fights, change(), owner="other") == ["Deployment/team/web"]
    fights.forget("apps")
    assert told(fights, change()) == ["Deployment/team/web"]


def test_the_memory_is_bounded():
    fights = Fights()
    many = [change(ObjectId("", "ConfigMap", "team", f"c{n}")) for n in range(1001)]
    assert len(told(fights, *many)) == 1001
    assert told(fights, many[0]) == ["ConfigMap/team/c0"], "the oldest is forgotten"
    assert told(fights, many[-1]) == []
