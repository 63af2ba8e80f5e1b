# ruff: noqa: PLR0917 -- fixtures and the columns of a table are all positional
"""Ignored fields: found, taken out of the comparison, and left as they are on a write."""

import pytest

from fluvial.apis.meta import IgnoreRule, Selector
from fluvial.toolkit.apply import SelectorInvalid
from fluvial.toolkit.apply.ignoring import IgnoreRules, remove, settle
from fluvial.toolkit.apply.selectors import Target, parse_labels


def obj(spec=None, **metadata):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "prod", **metadata},
        "spec": spec or {},
    }


@pytest.mark.parametrize(
    ("selector", "expected", "reason"),
    [
        ({}, True, "no field, any object"),
        ({"kind": "Deployment", "name": "web"}, True, "all match"),
        ({"kind": "Deploy"}, False, "anchored at the end"),
        ({"name": "eb"}, False, "anchored at the start"),
        ({"name": "w.*"}, True, "a regular expression"),
        ({"name": "api|web"}, True, "an alternative is anchored as a whole"),
        ({"group": "apps", "version": "v1"}, True, "group and version"),
        ({"group": "batch"}, False, "another group"),
        ({"namespace": "staging"}, False, "another namespace"),
        ({"label_selector": "app=x"}, True, "labels"),
        ({"label_selector": "app=y"}, False, "other labels"),
        ({"annotation_selector": "note"}, True, "annotations"),
    ],
)
def test_target(selector, expected, reason):
    target = Target(Selector(**selector))
    assert target.matches(obj(labels={"app": "x"}, annotations={"note": "y"})) is expected, reason


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b,c)", {}, False),
        ("a notin (b,c)", {}, True),
        ("a notin (b,c)", {"a": "b"}, False),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("!a", {}, True),
        ("x.io/a=b,c in (d,e),!f", {"x.io/a": "b", "c": "e"}, True),
        ("a=b,c=d", {"a": "b"}, False),
    ],
)
def test_label_selector(selector, labels, expected):
    assert parse_labels(selector)(labels) is expected


@pytest.mark.parametrize("broken", ["a b", "a in b", "=", "a=b,", ",", "a in (b", "a>1"])
def test_broken_label_selector(broken):
    with pytest.raises(SelectorInvalid, match="label selector"):
        parse_labels(broken)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (IgnoreRule(paths=["spec/x"]), "is not a JSON pointer"),
        (IgnoreRule(paths=["/x"], target=Selector(name="(")), r"target\.name '\('"),
    ],
)
def test_broken_rules(rule, message):
    with pytest.raises(SelectorInvalid, match=message):
        IgnoreRules([rule])


@pytest.mark.parametrize(
    ("pointers", "spec", "left", "reason"),
    [
        (["/spec/a"], {"a": 1, "b": 2}, {"b": 2}, "a field"),
        (["/spec/x/y"], {"a": 1}, {"a": 1}, "nothing there"),
        (["/spec/l/0/a"], {"l": [{"a": 1, "b": 2}]}, {"l": [{"b": 2}]}, "in a list"),
        (["/spec/l/0", "/spec/l/1"], {"l": [1, 2, 3]}, {"l": [3]}, "several of a list"),
        (["/spec/m/0"], {"m": {"0": 1}}, {"m": {}}, "a number that is a name"),
        (["/spec/a~1b/c~0d"], {"a/b": {"c~d": 1}}, {"a/b": {}}, "escapes"),
    ],
)
def test_remove(pointers, spec, left, reason):
    before = obj(spec)
    paths = IgnoreRules([IgnoreRule(paths=pointers)]).paths(before)
    assert remove(before, paths)["spec"] == left, reason
    assert before["spec"] == spec, "the object itself is not touched"


def test_the_empty_pointer_is_the_whole_object():
    assert IgnoreRules([IgnoreRule(paths=[""])]).paths(obj()) == [()]


def entry(manager, operation, fields):
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": fields}}


PORTS = {"f:ports": {'k:{"port":2}': {"f:node": {}}}}


@pytest.mark.parametrize(
    ("manifest", "live", "answer", "entries", "pointer", "expected", "reason"),
    [
        (
            {"n": 1, "o": 1},
            {"n": 5, "o": 1},
            {"n": 1, "o": 1},
            [],
            "/spec/n",
            {"n": 5, "o": 1},
            "the live value is adopted",
        ),
        (
            {"n": 1},
            {"n": 5},
            {"n": 1},
            [entry("hpa", "Apply", {"f:n": {}})],
            "/spec/n",
            {},
            "another applies it: left out",
        ),
        (
            {"n": 1},
            {"n": 5},
            {"n": 1},
            [entry("hpa", "Update", {"f:n": {}})],
            "/spec/n",
            {"n": 5},
            "another updated it: leaving it out would remove it",
        ),
        ({"n": 1}, {}, {"n": 1}, [], "/spec/n", {}, "someone removed it: it stays away"),
        ({"n": 1}, {"n": 1}, {"n": 1}, [], "/spec/n", {"n": 1}, "nothing differs"),
        (
            {},
            {"a": {"b": 1}},
            {},
            [],
            "/spec/a/b",
            {"a": {"b": 1}},
            "a value with the map around it",
        ),
        (
            {"ports": [{"port": 2, "node": 0}]},
            {"ports": [{"port": 1}, {"port": 2, "node": 7}]},
            {"ports": [{"port": 1}, {"port": 2, "node": 0}]},
            [entry("us", "Apply", PORTS)],
            "/spec/ports/1/node",
            {"ports": [{"port": 2, "node": 7}]},
            "an element is found by its key: it has another place in the manifest",
        ),
    ],
)
def test_settle(manifest, live, answer, entries, pointer, expected, reason):
    answered = obj(answer)
    paths = IgnoreRules([IgnoreRule(paths=[pointer])]).paths(answered)
    payload = settle(obj(manifest), obj(live, managedFields=entries), answered, "us", paths)
    assert payload["spec"] == expected, reason
