import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster import fields
from fluvial.cluster.fields.values import equal

NAMES = st.sampled_from("abc")
SCALARS = st.one_of(st.integers(), st.booleans(), st.text(max_size=3))
VALUES = st.recursive(
    st.one_of(SCALARS, st.lists(SCALARS, max_size=3)),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


@pytest.mark.parametrize(
    ("doc", "patch", "result", "reason"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}, "RFC 7396, replace"),
        ({"a": "b"}, {"a": None}, {}, "null removes"),
        ({"a": "b"}, {"b": None}, {"a": "b"}, "null of what is not there"),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}, "a list gives way"),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}, "to a list"),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}, "maps merge"),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}, "lists do not"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}, "nulls of the document stay"),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}, "nulls never get in"),
    ],
)
def test_merge_patch(doc, patch, result, reason):
    assert fields.patch_merge(doc, patch) == result, reason


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_made_from_a_difference_makes_it(old, new):
    assert equal(fields.patch_merge(old, fields.diff_merge(old, new)), new)


@given(OBJECTS)
def test_no_difference_is_an_empty_patch(obj):
    assert fields.diff_merge(obj, obj) == {}


@pytest.mark.parametrize(
    ("ops", "result", "reason"),
    [
        ([], {"a": 1, "l": ["x", "y"]}, "no operation"),
        ([{"op": "add", "path": "/b", "value": None}], {"a": 1, "b": None, "l": ["x", "y"]}, ""),
        ([{"op": "add", "path": "/l/1", "value": "n"}], {"a": 1, "l": ["x", "n", "y"]}, "inserts"),
        ([{"op": "add", "path": "/l/-", "value": "n"}], {"a": 1, "l": ["x", "y", "n"]}, "appends"),
        (
            [{"op": "add", "path": "/l/-1", "value": "n"}],
            {"a": 1, "l": ["x", "y", "n"]},
            "from end",
        ),
        ([{"op": "remove", "path": "/l/-1"}], {"a": 1, "l": ["x"]}, "negative index"),
        ([{"op": "move", "from": "/a", "path": "/b"}], {"b": 1, "l": ["x", "y"]}, "move"),
        ([{"op": "copy", "from": "/l/0", "path": "/a"}], {"a": "x", "l": ["x", "y"]}, "copy"),
        ([{"op": "test", "path": "/a", "value": 1.0}], {"a": 1, "l": ["x", "y"]}, "1 is 1.0"),
        (
            [{"op": "test", "path": "/z", "value": None}],
            {"a": 1, "l": ["x", "y"]},
            "absent is null",
        ),
        ([{"op": "replace", "path": "", "value": {"z": 1}}], {"z": 1}, "the whole document"),
        ([{"op": "add", "path": "x/b", "value": 2}], {"a": 1, "b": 2, "l": ["x", "y"]}, "lenient"),
    ],
)
def test_json_patch(ops, result, reason):
    doc = {"a": 1, "l": ["x", "y"]}
    assert fields.patch_json(doc, ops) == result, reason
    assert doc == {"a": 1, "l": ["x", "y"]}


@pytest.mark.parametrize(
    ("op", "detail"),
    [
        ({"op": "nope", "path": "/a"}, "Unexpected kind: nope"),
        ({"op": "add", "value": 1}, "no path"),
        ({"op": "move", "path": "/a"}, "move operation failed to decode from"),
        (
            {"op": "remove", "path": "/z"},
            "error in remove for path: '/z': Unable to remove nonexistent key: z: missing value",
        ),
        (
            {"op": "remove", "path": ""},
            'remove operation does not apply: doc is missing path: "": missing value',
        ),
        (
            {"op": "replace", "path": "/z", "value": 1},
            "replace operation does not apply: doc is missing key: /z: missing value",
        ),
        (
            {"op": "add", "path": "/z/y", "value": 1},
            'add operation does not apply: doc is missing path: "/z/y": missing value',
        ),
        (
            {"op": "add", "path": "/l/x", "value": 1},
            """error in add for path: '/l/x': strconv.Atoi: parsing "x": invalid syntax""",
        ),
        (
            {"op": "copy", "from": "/z", "path": "/y"},
            "copy operation does not apply: doc is missing from path: /z: missing value",
        ),
        (
            {"op": "move", "from": "/a", "path": "/z/y"},
            "move operation does not apply: doc is missing destination path: /z/y: missing value",
        ),
        (
            {"op": "test", "path": "/z/y", "value": 1},
            "test operation does not apply: is missing path: /z/y: missing value",
        ),
        (
            {"op": "add", "path": "/l/9", "value": 1},
            "Unable to access invalid index: 9: invalid index referenced",
        ),
        ({"op": "test", "path": "/a", "value": 2}, "testing"),
    ],
)
def test_json_patch_that_does_not_fit(op, detail):
    with pytest.raises(fields.RejectedPatch) as caught:
        fields.patch_json({"a": 1, "l": []}, [op])
    assert detail in caught.value.detail
    assert caught.value.status == 422


def test_json_patch_escapes():
    doc = {"a/b": {"c~d": 1}}
    assert fields.patch_json(doc, [{"op": "remove", "path": "/a~1b/c~0d"}]) == {"a/b": {}}


@pytest.mark.parametrize(("patch", "kind"), [({}, "object"), ("x", "string"), (5, "number")])
def test_json_patch_that_is_no_list(patch, kind):
    with pytest.raises(fields.BadPatch, match=f"cannot unmarshal {kind} into"):
        fields.patch_json({}, patch)


def pod(spec):
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize(
    ("live", "patch", "result", "reason"),
    [
        (
            {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]},
            {"containers": [{"name": "a", "image": "2"}]},
            {"containers": [{"name": "a", "image": "2"}, {"name": "b"}]},
            "containers merge by name",
        ),
        (
            {"containers": [{"name": "a", "args": ["1", "2"]}]},
            {"containers": [{"name": "a", "args": ["3"]}]},
            {"containers": [{"name": "a", "args": ["3"]}]},
            "args have no merge key",
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": [{"name": "b"}]},
            "delete one",
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"containers": [{"$patch": "replace"}, {"name": "c"}]},
            {"containers": [{"name": "c"}]},
            "replace all",
        ),
        (
            {"nodeSelector": {"a": "1"}},
            {"nodeSelector": {"$patch": "replace", "b": "2"}},
            {"nodeSelector": {"b": "2"}},
            "replace a map",
        ),
        ({}, {"nodeSelector": {"$patch": "replace", "b": "2"}}, {}, "nothing to replace"),
        (
            {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
            {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]},
            {"containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}]},
            "an order without a change; what only the server has keeps its place",
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {}}]},
            {"volumes": [{"name": "v", "secret": {}}]},
            "retainKeys drops the other source",
        ),
        (
            {"containers": [{"name": "a", "image": "1"}]},
            {"containers": [{"name": "a", "image": None}]},
            {"containers": [{"name": "a"}]},
            "null deletes in an item",
        ),
    ],
)
def test_strategic_patch(deployment, live, patch, result, reason):
    assert fields.patch_strategic(pod(live), pod(patch), deployment) == pod(result), reason


def test_strategic_primitive_lists(config_map):
    live = {"metadata": {"finalizers": ["a", "b", "a2"]}}
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "zz"]}}
    assert fields.patch_strategic(live, patch, config_map) == {
        "metadata": {"finalizers": ["b", "a2"]}
    }


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"containers": [{"image": "q"}]}, "does not contain declared merge key: name"),
        ({"containers": [{"$patch": "delete"}]}, "does not contain declared merge key: name"),
        ({"nodeSelector": {"$patch": "x"}}, r"unknown patch type: x in map: map\[\$patch:x\]"),
        (
            {"volumes": [{"name": "v", "$retainKeys": ["name"], "secret": {}}]},
            "invalid for retainKeys",
        ),
        (
            {
                "$setElementOrder/containers": [{"name": "b"}],
                "containers": [{"name": "a", "image": "q"}],
            },
            "doesn't match",
        ),
    ],
)
def test_strategic_patch_that_fails(deployment, patch, message):
    live = {"containers": [{"name": "a"}], "nodeSelector": {}, "volumes": [{"name": "v"}]}
    with pytest.raises(fields.PatchFailure, match=message):
        fields.patch_strategic(pod(live), pod(patch), deployment)
