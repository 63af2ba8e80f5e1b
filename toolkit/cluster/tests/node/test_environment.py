import base64
import os

import pytest

from fluvial.cluster.node.environment import ConfigError, environment_of, expand, field_of

POD = {
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "uid": "u-1",
        "labels": {"app": "web"},
        "annotations": {"a/b": "c"},
    },
    "spec": {"nodeName": "fluvial", "serviceAccountName": "runner"},
}
STATUS = {"podIP": "127.3.4.5", "hostIP": "127.0.0.1"}
OBJECTS = {
    ("ConfigMap", "settings"): {"data": {"COLOR": "green", "LEVEL": "3"}},
    ("Secret", "token"): {"data": {"KEY": base64.b64encode(b"s3cret").decode()}},
}


def lookup(kind, name):
    return OBJECTS.get((kind, name))


def of(**container):
    return environment_of(POD, container, STATUS, lookup)


def ref(kind, name, key, **more):
    return {"valueFrom": {kind: {"name": name, "key": key, **more}}}


@pytest.mark.parametrize(
    ("container", "expected", "reason"),
    [
        ({}, {}, "nothing asked for, nothing given: the plane's own variables stay out"),
        ({"env": [{"name": "A", "value": "1"}]}, {"A": "1"}, "a literal"),
        ({"env": [{"name": "A"}]}, {"A": ""}, "no value is the empty string"),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}]},
            {"A": "1", "B": "1$(C)"},
            "earlier variables are expanded, unknown ones stay",
        ),
        (
            {"env": [{"name": "B", "value": "$(A)"}, {"name": "A", "value": "1"}]},
            {"B": "$(A)", "A": "1"},
            "later variables are not expanded",
        ),
        (
            {"env": [{"name": "A", **ref("configMapKeyRef", "settings", "COLOR")}]},
            {"A": "green"},
            "a key of a ConfigMap",
        ),
        (
            {"env": [{"name": "A", **ref("secretKeyRef", "token", "KEY")}]},
            {"A": "s3cret"},
            "a key of a Secret, decoded",
        ),
        (
            {"env": [{"name": "A", **ref("secretKeyRef", "none", "KEY", optional=True)}]},
            {},
            "an optional reference to nothing leaves the variable out",
        ),
        (
            {"envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "P_"}]},
            {"P_COLOR": "green", "P_LEVEL": "3"},
            "all keys of a ConfigMap, prefixed",
        ),
        (
            {
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "env": [{"name": "COLOR", "value": "not $(COLOR)"}],
            },
            {"COLOR": "not green", "LEVEL": "3"},
            "env wins over envFrom and may refer to it",
        ),
        ({"envFrom": [{"secretRef": {"name": "token"}}]}, {"KEY": "s3cret"}, "a whole Secret"),
        (
            {"envFrom": [{"secretRef": {"name": "none", "optional": True}}]},
            {},
            "an optional source that is missing",
        ),
    ],
)
def test_environment(container, expected, reason):
    assert of(**container) == expected, reason


def test_bytes_that_are_no_text_reach_the_process_unchanged(monkeypatch):
    raw = b"\xffkey"
    monkeypatch.setitem(OBJECTS, ("Secret", "raw"), {"data": {"K": base64.b64encode(raw).decode()}})
    found = of(env=[{"name": "A", **ref("secretKeyRef", "raw", "K")}])
    assert os.fsencode(found["A"]) == raw


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            {"env": [{"name": "A", **ref("configMapKeyRef", "none", "K")}]},
            'configmap "none" not found',
        ),
        (
            {"env": [{"name": "A", **ref("configMapKeyRef", "settings", "K")}]},
            "couldn't find key K in ConfigMap settings",
        ),
        (
            {"env": [{"name": "A", **ref("secretKeyRef", "token", "K")}]},
            "couldn't find key K in Secret token",
        ),
        ({"envFrom": [{"secretRef": {"name": "none"}}]}, 'secret "none" not found'),
    ],
)
def test_what_is_missing_is_named(container, message):
    with pytest.raises(ConfigError) as caught:
        of(**container)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "web-0"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "web"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['a/b']", "c"),
        ("metadata.labels", 'app="web"'),
        ("spec.nodeName", "fluvial"),
        ("spec.serviceAccountName", "runner"),
        ("status.podIP", "127.3.4.5"),
        ("status.hostIP", "127.0.0.1"),
    ],
)
def test_downward_fields(path, expected):
    assert field_of(POD, path, STATUS) == expected


def test_an_unknown_field_is_refused():
    with pytest.raises(ConfigError, match=r"unsupported fieldPath: spec\.secret"):
        field_of(POD, "spec.secret", STATUS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--color=$(COLOR)", "--color=red"),
        ("$$(COLOR)", "$(COLOR)"),
        ("$(NONE)", "$(NONE)"),
        ("$COLOR", "$COLOR"),
        ("$(COLOR", "$(COLOR"),
    ],
)
def test_expansion(text, expected):
    assert expand(text, {"COLOR": "red"}) == expected
