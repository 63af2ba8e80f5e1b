"""Literals of objects and patches in CEL: what they evaluate to, and what is wrong with them."""

import pytest

from fluvial.cluster.expressions import NAMES, CelError, EvaluationError, Scope
from fluvial.cluster.patchexpressions import PatchExpression, TypeNameError
from fluvial.cluster.permissions import Permissions

LABELLED = {"metadata": {"name": "n", "labels": {"a": "b"}}, "spec": {"names": ["x", "y"]}}


def scope():
    allowed = Permissions({"username": "jane"}, {}, lambda user, asked: True)  # noqa: ARG005
    return Scope(LABELLED, None, {}, allowed)


CONFIGURATIONS = [
    ("Object{}", {}, "nothing"),
    ("Object{spec: Object.spec{replicas: 1 + 2}}", {"spec": {"replicas": 3}}, "nested"),
    ("Object {\n  spec : Object . spec { replicas: 3, } // so many\n}", {"spec": {"replicas": 3}},
     "white space, comments and a last comma"),
    ("Object{spec: Object.spec{items: [Object.spec.items{name: 'a'}]}}",
     {"spec": {"items": [{"name": "a"}]}}, "lists are transparent to types"),
    ("Object{metadata: Object.metadata{labels: {'a': 'Object{}', \"b\": object.metadata.name}}}",
     {"metadata": {"labels": {"a": "Object{}", "b": "n"}}}, "maps and strings stay as they are"),
    ("Object{metadata: Object.metadata{?labels: object.metadata.?labels, ?x: optional.none()}}",
     {"metadata": {"labels": {"a": "b"}}}, "optional fields"),
    ("Object{`a-b`: true ? {'x': 1} : {'y': 2}}", {"a-b": {"x": 1}}, "quoted names, conditions"),
    ("has(object.spec) ? Object{spec: Object.spec{a: 1}} : Object{}", {"spec": {"a": 1}}, "either"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected", "reason"), CONFIGURATIONS)
def test_a_configuration(source, expected, reason):
    expression = PatchExpression(source, NAMES)
    assert expression.result == "Object", reason
    assert expression.configuration(scope()) == expected, reason


PATCHES = [
    ("[JSONPatch{op: 'remove', path: '/a'}]", [{"op": "remove", "path": "/a"}], "no value"),
    ("[JSONPatch{op: 'move', path: '/a', from: '/b'}]",
     [{"op": "move", "path": "/a", "from": "/b"}], "from elsewhere"),
    ("[JSONPatch{op: 'add', path: '/l/' + jsonpatch.escapeKey('a/b~c'), value: {'k': [1, 2]}}]",
     [{"op": "add", "path": "/l/a~1b~0c", "value": {"k": [1, 2]}}], "keys are escaped"),
    ("[JSONPatch{op: 'add', path: '/spec', value: Object.spec{a: Object.spec.a{b: 1}}}]",
     [{"op": "add", "path": "/spec", "value": {"a": {"b": 1}}}], "objects are values"),
    ("object.spec.names.map(n, JSONPatch{op: 'add', path: '/' + n, value: n})",
     [{"op": "add", "path": "/x", "value": "x"}, {"op": "add", "path": "/y", "value": "y"}],
     "computed"),
    ("has(object.none) ? [JSONPatch{op: 'test', path: '/'}] : []", [], "none at all"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected", "reason"), PATCHES)
def test_a_patch(source, expected, reason):
    expression = PatchExpression(source, NAMES)
    assert expression.result == "list(JSONPatch)", reason
    assert expression.operations(scope()) == expected, reason


@pytest.mark.parametrize(
    ("source", "result", "reason"),
    [
        ("1", "INT", "a number"),
        ("object", "DYN", "what comes in is of no type"),
        ("{'spec': 1}", "MAP<STRING, INT>", "a map is no object"),
        ("Object.spec{}", "Object.spec", "a part is not the whole"),
        ("JSONPatch{}", "JSONPatch", "one operation is no patch"),
        ("[]", "LIST<DYN>", "nor is nothing"),
        ("Objects == 1", None, "names that only begin so are names"),
    ],
)
def test_results_of_other_types(source, result, reason):
    names = (*NAMES, "Objects")
    assert PatchExpression(source, names).result == (result or "BOOL"), reason


@pytest.mark.parametrize(
    ("source", "text", "reason"),
    [
        ("Object{spec: nope}",
         ("ERROR: <input>:1:14: undeclared reference to 'nope' (in container '')\n"
         " | Object{spec: nope}\n | .............^"), "places are those of the source"),
        ("Object{\n  spec: Object.spec{\n    a: nope\n}}",
         ("ERROR: <input>:3:8: undeclared reference to 'nope' (in container '')\n"
         " |     a: nope\n | .......^"), "in its line"),
        ("Object{spec 1}", ("ERROR: <input>:1:8: a field is expected: name: value\n"
         " | Object{spec 1}\n | .......^"), "no colon"),
        ("Object{?", ("ERROR: <input>:1:9: a field is expected: name: value\n"
         " | Object{?\n | ........^"), "the end"),
        ("[JSONPatch{verb: 'add'}]", ("ERROR: <input>:1:12: undefined field 'verb'\n"
         " | [JSONPatch{verb: 'add'}]\n | ...........^"), "no member of a patch"),
        ("[JSONPatch{op: 1}]",
         "ERROR: <input>:1:12: expected type of field 'op' is 'string' but provided type is 'int'",
         "operations are texts"),
        ("Object{a: 1", "ERROR: <input>:1:12: Syntax error", "not closed"),
        ("[JSONPatch{op: 'add', path: '/a', value: {'k': 'x', 'l': true}}]",
         "ERROR: <input>:1:58: expected type 'string' but found 'bool'", "a map of two types"),
    ],
)  # fmt: skip
def test_what_does_not_compile(source, text, reason):
    with pytest.raises(CelError) as error:
        PatchExpression(source, NAMES)
    assert str(error.value).startswith(text), (reason, str(error.value))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Object{spec: Object.metadata{}}",
         ('type mismatch: unexpected type name "Object.metadata", expected "Object.spec", which '
         "matches field name path from root Object type")),
        ("Object{spec: Object.spec{a: [Object.spec.b{}]}}",
         ('type mismatch: unexpected type name "Object.spec.b", expected "Object.spec.a", which '
         "matches field name path from root Object type")),
    ],
)  # fmt: skip
def test_types_that_do_not_fit_their_places(source, text):
    with pytest.raises(TypeNameError) as error:
        PatchExpression(source, NAMES).configuration(scope())
    assert str(error.value) == text


def test_a_failure_quotes_the_source():
    with pytest.raises(EvaluationError) as error:
        PatchExpression("Object{a: object.nope}", NAMES).configuration(scope())
    expected = "expression 'Object{a: object.nope}' resulted in error: no such key: nope"
    assert str(error.value) == expected
