"""The frame of the controllers: view, queue, selectors, templates, durations."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.standins.controller import Controller
from fluvial.cluster.standins.metadata import matches
from fluvial.cluster.standins.templates import same, stamped, template_hash
from fluvial.cluster.standins.timer import parse_duration
from fluvial.cluster.standins.view import View

CONFIG = "v1/configmaps"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2.0), ("1m30s", 90.0), ("250ms", 0.25), ("1.5h", 5400.0), ("0", 0.0), ("0s", 0.0)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "2x", "-2s", "2s!"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


def term(operator, *values, key="a"):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "labels", "expected", "reason"),
    [
        (None, {"a": "1"}, False, "no selector selects nothing"),
        ({}, {}, True, "an empty one everything"),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True, "more labels do no harm"),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False, "another value"),
        (term("In", "1", "2"), {"a": "2"}, True, "one of"),
        (term("In", "1"), {}, False, "absent is in no list"),
        (term("NotIn", "1"), {}, True, "absent is not in the list"),
        (term("NotIn", "1"), {"a": "1"}, False, "it is"),
        (term("Exists"), {"a": ""}, True, "an empty value exists"),
        (term("DoesNotExist"), {"a": ""}, False, "the same the other way"),
        ({"matchLabels": {"a": "1"}, **term("Exists", key="b")}, {"a": "1"}, False, "all hold"),
    ],
)
def test_selectors(selector, labels, expected, reason):
    assert matches(selector, labels) is expected, reason


def test_an_operator_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="'Gt' is no selector operator"):
        matches(term("Gt", "1"), {})


TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c"}]}}


def test_a_hash_label_does_not_make_another_template():
    assert same(TEMPLATE, stamped(TEMPLATE, {"pod-template-hash": "abc"}))
    assert not same(TEMPLATE, stamped(TEMPLATE, {"other": "abc"}))
    assert "pod-template-hash" not in TEMPLATE["metadata"]["labels"], "the input is untouched"


@given(st.text(), st.integers(0, 3))
def test_hashes_are_names(text, collisions):
    hashed = template_hash({"spec": {"a": text}}, collisions)
    assert hashed == template_hash({"spec": {"a": text}}, collisions)
    assert 1 <= len(hashed) <= 10
    assert set(hashed) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_a_collision_gives_another_name_and_key_order_does_not():
    assert template_hash(TEMPLATE) != template_hash(TEMPLATE, 1)
    assert template_hash({"a": 1, "b": 2}) == template_hash({"b": 2, "a": 1})


def config(name, version, uid="u", owner=None):
    meta = {"name": name, "namespace": "default", "uid": uid, "resourceVersion": str(version)}
    if owner:
        meta["ownerReferences"] = [{"uid": owner, "controller": True}]
    return {"metadata": meta}


class Scripted:
    """An API whose watch says what the test feeds it."""

    def __init__(self):
        self.listed = []
        self.events = asyncio.Queue()
        self.answer = None

    async def list(self, _resource):
        return list(self.listed)

    async def watch(self, _resource):
        while True:
            event = await self.events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    async def create(self, _obj):
        return self.answer


@pytest.fixture
async def watched():
    """Return a scripted API, a view that follows it, and the names its handler heard."""
    api = Scripted()
    api.listed = [config("a", 1)]
    view, heard = View(api), []
    view.follow(CONFIG, lambda obj: heard.append(obj["metadata"]["name"]))
    async with asyncio.TaskGroup() as group:
        await view.run(group)
        yield api, view, heard
        for task in group._tasks:
            task.cancel()


async def drain(api):
    for _ in range(20):
        await asyncio.sleep(0)
    assert api.events.empty()


async def test_the_view_is_complete_before_anyone_reads(watched):
    _, view, heard = watched
    assert view.get(CONFIG, "default", "a") is not None
    assert heard == ["a"]


async def test_a_write_is_seen_at_once_and_heard_once(watched):
    api, view, heard = watched
    api.answer = config("b", 5, uid="v", owner="o")
    await view.create(CONFIG, {})
    assert view.get(CONFIG, "default", "b") is not None
    assert [each["metadata"]["name"] for each in view.owned(CONFIG, config("o", 1, uid="o"))] == [
        "b"
    ]
    api.events.put_nowait(("ADDED", config("b", 5, uid="v", owner="o")))
    await drain(api)
    assert heard == ["a", "b"]


async def test_late_news_do_not_bring_back_what_is_gone(watched):
    api, view, _ = watched
    api.events.put_nowait(("DELETED", config("a", 3)))
    await drain(api)
    api.answer = config("a", 2)
    await view.create(CONFIG, {})
    assert view.get(CONFIG, "default", "a") is None


async def test_older_news_do_not_replace_newer(watched):
    api, view, _ = watched
    api.answer = config("a", 9)
    await view.create(CONFIG, {})
    api.events.put_nowait(("MODIFIED", config("a", 4)))
    await drain(api)
    assert view.get(CONFIG, "default", "a")["metadata"]["resourceVersion"] == "9"


async def test_a_recreated_object_takes_the_place_of_the_old(watched):
    api, view, _ = watched
    api.events.put_nowait(("ADDED", config("a", 4, uid="other")))
    await drain(api)
    assert view.get(CONFIG, "default", "a")["metadata"]["uid"] == "other"


async def test_a_watch_that_fell_behind_lists_again(watched):
    from fluvial.cluster.errors import expired  # noqa: PLC0415  only this test breaks a watch

    api, view, heard = watched
    api.listed = [config("c", 7, uid="w")]
    api.events.put_nowait(expired("too old"))
    await drain(api)
    assert view.get(CONFIG, "default", "a") is None
    assert view.get(CONFIG, "default", "c") is not None
    assert heard == ["a", "a", "c"], "handlers hear of the loss too"


@pytest.fixture
async def looped(timer, forbidden):
    """Return a controller, the keys that it worked on, and errors that it is to meet."""
    worked, errors, again = [], [], []

    async def reconcile(key):
        worked.append(key)
        if errors:
            raise errors.pop()
        return again.pop() if again else None

    controller = Controller("test", reconcile, timer)
    task = asyncio.create_task(controller.run())
    yield controller, worked, errors, again
    task.cancel()
    await asyncio.wait([task])


async def turn():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_burst_of_one_key_is_worked_once(looped):
    controller, worked, _, _ = looped
    for name in ("a", "a", "b", "a"):
        controller.add(("", name))
    await turn()
    assert worked == [("", "a"), ("", "b")]


async def test_failures_come_back_later_and_later(looped, timer, forbidden):
    controller, worked, errors, _ = looped
    errors += [forbidden] * 3
    controller.add(("", "a"))
    await turn()
    counts = [len(worked)]
    for seconds in (0.019, 0.001, 0.039, 0.001, 0.08, 60):
        timer.advance(seconds)
        await turn()
        counts.append(len(worked))
    assert counts == [1, 1, 2, 2, 3, 4, 4]


async def test_a_key_comes_back_when_it_asked_to(looped, timer):
    controller, worked, _, again = looped
    again.append(5.0)
    controller.add(("", "a"))
    await turn()
    timer.advance(4.9)
    await turn()
    assert len(worked) == 1
    timer.advance(0.1)
    await turn()
    assert len(worked) == 2


async def test_a_broken_object_does_not_stop_the_others(looped, timer, caplog):
    controller, worked, errors, _ = looped
    errors.append(KeyError("spec"))
    controller.add(("", "broken"))
    controller.add(("", "fine"))
    await turn()
    assert worked == [("", "broken"), ("", "fine")]
    assert "internal error" in caplog.text
    timer.advance(1)
    await turn()
    assert worked[2:] == [("", "broken")]
