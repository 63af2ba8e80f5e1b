"""Small pure functions of the wire: paths, media types, protobuf, columns, ages."""

import datetime as dt

import pytest

from fluvial.cluster.errors import StatusError
from fluvial.cluster.fields.builtin import _table
from fluvial.cluster.gotimes import canonical_time
from fluvial.cluster.http import protobuf
from fluvial.cluster.http.durations import human
from fluvial.cluster.http.jsonpath import PathError, find
from fluvial.cluster.http.jsontext import duplicates
from fluvial.cluster.http.negotiation import negotiate
from fluvial.cluster.http.paths import parse
from fluvial.cluster.resources import builtin_resources

PATHS = [
    ("a core collection", "/api/v1/namespaces/n/pods", ("", "v1", "n", "pods", "", "")),
    ("an object", "/apis/apps/v1/namespaces/n/deployments/d",
     ("apps", "v1", "n", "deployments", "d", "")),
    ("a subresource", "/apis/apps/v1/namespaces/n/deployments/d/scale",
     ("apps", "v1", "n", "deployments", "d", "scale")),
    ("cluster scope", "/api/v1/nodes/x/status", ("", "v1", "", "nodes", "x", "status")),
    ("a namespace itself", "/api/v1/namespaces/n", ("", "v1", "n", "namespaces", "n", "")),
    ("its finalizers", "/api/v1/namespaces/n/finalize",
     ("", "v1", "n", "namespaces", "n", "finalize")),
    ("the old watch prefix", "/api/v1/watch/namespaces/n/pods", ("", "v1", "n", "pods", "", "")),
    ("no resource", "/apis/apps/v1", ("", "", "", "", "", "")),
    ("health", "/livez", ("", "", "", "", "", "")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "path", "expected"), PATHS, ids=[p[0] for p in PATHS])
def test_paths(reason, path, expected):
    info = parse(path)
    found = (info.group, info.version, info.namespace, info.resource, info.name, info.subresource)
    assert found == expected


CONFIGMAPS = next(item for item in builtin_resources() if item.plural == "configmaps")
ACCEPTS = [
    ("nothing said", "", ("", False)),
    ("JSON", "application/json", ("", False)),
    ("YAML", "application/yaml", ("", True)),
    ("kubectl's tables", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
     ("Table", False)),
    ("protobuf first, JSON as well", "application/vnd.kubernetes.protobuf,application/json",
     ("", False)),
    ("metadata", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
     ("PartialObjectMetadata", False)),
    ("the better quality first", "application/json;q=0.5,application/yaml", ("", True)),
    ("an exact type before a wildcard, whatever its quality",
     "*/*;q=0.9,application/yaml;q=0.1", ("", True)),
    ("a clause that cannot be had is passed over", "application/json;sv=v2,application/yaml",
     ("", True)),
    ("any type as a Table is JSON", "*/*;as=Table;v=v1;g=meta.k8s.io", ("Table", False)),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "header", "expected"), ACCEPTS, ids=[a[0] for a in ACCEPTS])
def test_accepts(reason, header, expected):
    accepted = negotiate(header, CONFIGMAPS)
    assert (accepted.form, accepted.yaml) == expected


@pytest.mark.parametrize(
    "header",
    [
        "text/html",
        "application/*",
        "application/vnd.kubernetes.protobuf",
        "application/json;as=Table",
        "application/json;stream=other",
        "application/json;g=apidiscovery.k8s.io",
        "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
    ],
)
def test_what_cannot_be_served_is_refused(header):
    with pytest.raises(StatusError) as caught:
        negotiate(header, CONFIGMAPS)
    assert caught.value.code == 406


def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


def test_a_protobuf_configmap():
    meta = field(1, b"a") + field(11, field(1, b"k") + field(2, b"v"))
    message = field(1, meta) + field(2, field(1, b"x") + field(2, b"y"))
    kind = field(1, b"v1") + field(2, b"ConfigMap")
    body = protobuf.MAGIC + field(1, kind) + field(2, message)
    assert protobuf.decode(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"k": "v"}},
        "data": {"x": "y"},
    }


def test_numbers_and_booleans_of_a_protobuf_deployment():
    spec = b"\x08\x03" + b"\x38\x01"
    kind = field(1, b"apps/v1") + field(2, b"Deployment")
    body = protobuf.MAGIC + field(1, kind) + field(2, field(2, spec))
    assert protobuf.decode(body)["spec"] == {"replicas": 3, "paused": True}


def test_every_protobuf_field_has_the_name_that_json_has():
    declared = _table()["types"]
    unlike = []
    for message, numbers in protobuf._messages().items():
        known = declared.get(".".join(message.lstrip("@~").split(".")[-3:]))
        names = {entry[0] for entry in numbers.values() if "inline" not in entry}
        if known is not None:
            unlike += [(message, name) for name in names - set(known["f"])]
    assert unlike == []


NO_MESSAGES = [
    (b"", "empty data"),
    (b"{}", "provided data does not appear to be a protobuf message, expected prefix"),
    (protobuf.MAGIC, "empty body"),
    (protobuf.MAGIC + b"\x0a\xff", "proto: "),
]


@pytest.mark.parametrize(("body", "text"), NO_MESSAGES)
def test_a_body_that_is_no_message_is_refused(body, text):
    with pytest.raises(protobuf.BodyError, match=text):
        protobuf.decode(body)


def test_a_protobuf_message_without_a_kind_is_of_the_wanted_one():
    body = protobuf.MAGIC + field(2, field(2, field(1, b"x") + field(2, b"y")))
    decoded = protobuf.decode(body, "v1", "ConfigMap")
    assert decoded == {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "y"}}


def test_of_an_unknown_protobuf_kind_only_the_name_is_read():
    body = protobuf.MAGIC + field(1, field(1, b"v1") + field(2, b"Nope"))
    assert protobuf.decode(body, "v1", "ConfigMap") == {"apiVersion": "v1", "kind": "Nope"}


TIMES = [
    ("UTC", "2026-01-01T00:00:00Z", False, "2026-01-01T00:00:00Z"),
    ("another zone", "2026-01-01T01:00:00+01:00", False, "2026-01-01T00:00:00Z"),
    ("a fraction is cut off", "2026-01-01T00:00:00.999Z", False, "2026-01-01T00:00:00Z"),
    ("microseconds", "2026-01-01T01:00:00.000001+01:00", True, "2026-01-01T00:00:00.000001Z"),
]


@pytest.mark.parametrize(("reason", "text", "micro", "expected"), TIMES, ids=[t[0] for t in TIMES])
def test_times_are_written_in_utc(reason, text, micro, expected):
    assert canonical_time(text, micro=micro) == expected


NO_TIMES = [
    ("no time", "x", False, 'as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
    ("a day", "2026-01-01", False, 'cannot parse "" as "T"'),
    ("a month too many", "2026-13-01T00:00:00Z", False, "month out of range"),
    ("text after it", "2026-01-01T00:00:00Zx", False, 'extra text: "x"'),
    ("microseconds are six digits", "2026-01-01T00:00:00Z", True, 'cannot parse "Z" as ".000000"'),
]


@pytest.mark.parametrize(
    ("reason", "text", "micro", "message"), NO_TIMES, ids=[t[0] for t in NO_TIMES]
)
def test_what_is_no_time_is_refused_in_go_words(reason, text, micro, message):
    with pytest.raises(ValueError, match="parsing time") as caught:
        canonical_time(text, micro=micro)
    assert str(caught.value).endswith(message)


OBJECT = {
    "spec": {
        "size": 3,
        "list": [{"n": "a", "v": 1}, {"n": "b", "v": 2}],
        "a.b": "dotted",
        "nothing": None,
    },
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
COLUMNS = [
    ("a member", ".spec.size", [3]),
    ("an index", ".spec.list[1].v", [2]),
    ("from the end", ".spec.list[-1].v", [2]),
    ("all", ".spec.list[*].n", ["a", "b"]),
    ("a filter", '.status.conditions[?(@.type=="Ready")].status', ["True"]),
    ("a filter with other quotes", ".status.conditions[?(@.type=='Ready')].status", ["True"]),
    ("an escaped dot", r".spec.a\.b", ["dotted"]),
    ("what is not there", ".spec.none.deeper", []),
    ("a slice", ".spec.list[0:1].n", ["a"]),
    ("a slice to the end", ".spec.list[1:].n", ["b"]),
    ("quotes in brackets", ".spec['size']", [3]),
    ("everywhere below", "..v", [1, 2]),
    ("null is a value", ".spec.nothing", [None]),
    ("an order", ".spec.list[?(@.v>1)].n", ["b"]),
    ("no field to compare", ".spec.list[?(@.x==1)].n", []),
    ("whether a field is there", ".spec.list[?(@.n)].v", [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "path", "expected"), COLUMNS, ids=[c[0] for c in COLUMNS])
def test_column_paths(reason, path, expected):
    assert find(OBJECT, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        ".spec.list[2].n",
        ".spec.list[0:3].n",
        ".spec.size[0]",
        ".spec[?(@.n==1)]",
        '.spec.list[?(@.v=="1")].n',
    ],
)
def test_paths_that_cannot_be_followed(path):
    with pytest.raises(PathError):
        find(OBJECT, path)


AGES = [
    (0, "0s"), (119, "119s"), (120, "2m"), (330, "5m30s"), (600, "10m"), (3 * 3600, "3h"),
    (7 * 3600 + 60, "7h1m"), (47 * 3600, "47h"), (50 * 3600, "2d2h"), (30 * 86400, "30d"),
    (800 * 86400, "2y70d"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "expected"), AGES)
def test_ages(seconds, expected):
    assert human(dt.timedelta(seconds=seconds)) == expected


DUPLICATES = [
    ("none", b'{"a":1,"b":{"a":2}}', ()),
    ("at the top", b'{"a":1,"a":2}', ("a",)),
    ("inside, by path", b'{"a":{"b":1,"b":2}}', ("a.b",)),
    ("in a list", b'{"a":[{"b":1,"b":2}]}', ("a[0].b",)),
]


@pytest.mark.parametrize(("reason", "body", "expected"), DUPLICATES, ids=[d[0] for d in DUPLICATES])
def test_duplicate_members(reason, body, expected):
    assert duplicates(body) == tuple(f'duplicate field "{path}"' for path in expected)
