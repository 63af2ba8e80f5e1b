"""Fields that a built-in kind does not have: left out, as upstream's types do."""

import copy

import pytest

from fluvial.toolkit.apply.undeclared import drop, named
from fluvial.toolkit.client import ServerUnavailable

HEAD = "failed to create typed patch object (default/x; v1, Kind=X): "
ONE = HEAD + ".spec.nope: field not declared in schema"
TWO = HEAD + (
    "errors:\n  .spec.a: field not declared in schema\n"
    '  .spec.l[name="x"].b: field not declared in schema'
)


@pytest.mark.parametrize(
    ("api_version", "kind", "message", "expected", "reason"),
    [
        ("v1", "Service", ONE, [".spec.nope"], "one"),
        ("apps/v1", "Deployment", TWO, [".spec.a", '.spec.l[name="x"].b'], "several"),
        ("example.com/v1", "Widget", ONE, [], "a custom resource is refused by both"),
        ("rbac.authorization.k8s.io/v1", "Role", ONE, [], "applied as it stands by both"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", ONE, [".spec.nope"], "but this is typed"),
        ("v1", "Service", "etcd: .spec.nope: field not declared in schema", [], "another error"),
        (
            "v1",
            "Service",
            HEAD + "errors:\n  .a: field not declared in schema\n  .b: expected map, got 1",
            [],
            "something else is wrong beside",
        ),
    ],
)
def test_named(api_version, kind, message, expected, reason):
    error = ServerUnavailable(message, code=500)
    assert named(error, {"apiVersion": api_version, "kind": kind}) == expected, reason


OBJECT = {
    "top": 1,
    "spec": {
        "keep": 1,
        "nope": 2,
        "ports": [
            {"port": 80, "protocol": "TCP", "nope": 3},
            {"port": 80, "protocol": "UDP", "nope": 4},
        ],
    },
}


@pytest.mark.parametrize(
    ("path", "where", "reason"),
    [
        (".top", (), "at the top"),
        (".spec.nope", ("spec",), "in a map"),
        ('.spec.ports[port=80,protocol="UDP"].nope', ("spec", "ports", 1), "by merge keys"),
        (".spec.ports[0].nope", ("spec", "ports", 0), "by place"),
    ],
)
def test_drop(path, where, reason):
    obj, expected = copy.deepcopy(OBJECT), copy.deepcopy(OBJECT)
    holder = expected
    for step in where:
        holder = holder[step]
    del holder["top" if not where else "nope"]
    assert drop(obj, path), reason
    assert obj == expected


@pytest.mark.parametrize(
    "path",
    [
        ".absent",
        ".spec.ports[port=81].nope",
        ".spec.ports[9].nope",
        ".spec.keep.x",
        ".spec[a=].x",
        "",
    ],
)
def test_nothing_to_drop(path):
    obj = copy.deepcopy(OBJECT)
    assert not drop(obj, path)
    assert obj == OBJECT
