"""Limits of request bodies that are too large to stand in a recorded case."""

import json

import msgspec
import pytest

from fluvial.cluster.errors import StatusError
from fluvial.cluster.http import bodies
from fluvial.cluster.http.bodies import decode_patch
from fluvial.cluster.http.jsontext import duplicates
from fluvial.cluster.resources import builtin_resources
from fluvial.render import yaml

CONFIG_MAP = next(one for one in builtin_resources() if one.prefix == "/configmaps")
JSON_PATCH = "application/json-patch+json"


def patch_of(count):
    """Return a JSON patch with so many operations."""
    return msgspec.json.encode([{"op": "test", "path": "/kind", "value": "ConfigMap"}] * count)


def test_ten_thousand_operations_are_taken():
    value, form, complaints = decode_patch(patch_of(10_000), JSON_PATCH, CONFIG_MAP)
    assert (len(value), form, complaints) == (10_000, "json", ())


def test_one_more_is_refused():
    with pytest.raises(StatusError, match="in a JSON patch is 10000, got 10001") as refusal:
        decode_patch(patch_of(10_001), JSON_PATCH, CONFIG_MAP)
    assert (refusal.value.code, refusal.value.reason) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    ("key", "shown"),
    [("x", '"x"'), ("7", "7"), ("'7'", '"7"'), ("yes", "true"), ("1.5", "1.5")],
)
def test_repeated_keys_are_shown_as_go_prints_them(key, shown):
    text = f"kind: ConfigMap\ndata:\n  {key}: a\n  {key}:\n    b\n"
    _, _, complaints = decode_patch(text.encode(), "application/apply-patch+yaml", CONFIG_MAP)
    assert complaints == (
        (
            "error converting YAML to JSON: yaml: unmarshal errors:\n"
            f"  line 5: key {shown} already set in map"
        ),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": {"b": [1, true, null, "x"]}}', "plain JSON is read as such"),
        ('{"a": 1e3, "b": 1.0, "c": 1.5}', "numbers are as YAML reads them"),
        ('{"a": "\\u00e9\\n"}', "escapes are YAML's"),
        ('{"a": 12345678901234567890}', "and so are large numbers"),
        ('{"a": "yes", "y": "on", "1": "2"}', "what is quoted is text"),
        ("{a: 1}", "flow style is no JSON"),
        ("a: 1", "nor is a block"),
        ('{"a": 1} # done', "nor what has comments"),
        ('{"a": "\\"\\\\\\b\\f\\r\\t\\u2028"}', "most escapes are the same in both"),
        ('{"a": "x\u2028y"}', "what ends a line in YAML is folded"),
        ('{"a": "12345678901234567890"}', "digits in text are no number"),
        ('{"a": 123456789012345, "b": -12}', "small numbers are the same"),
        ('{"a": NaN}', "Python's JSON has words that JSON has not"),
        (json.dumps({"k" * 300: 1}), "a long key"),
    ],
)
def test_json_is_read_as_yaml_reads_it(text, reason):
    value, _, _ = decode_patch(text.encode(), "application/apply-patch+yaml", CONFIG_MAP)
    assert value == yaml.load(text), reason
    assert msgspec.json.encode(value) == msgspec.json.encode(yaml.load(text)), reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": "x\\ny", "b": "é"}', "text of several lines, in any language"),
        ('{"a": "12345678901234567890"}', "text of many digits"),
        ('{"a": [1, {"b": null}]}', "small numbers"),
    ],
)
def test_plain_json_is_not_parsed_as_yaml(text, reason, monkeypatch):
    monkeypatch.setattr(bodies, "yaml", None)  # which takes ten times as long
    value, _, complaints = decode_patch(text.encode(), "application/apply-patch+yaml", CONFIG_MAP)
    assert (value, complaints) == (json.loads(text), ()), reason


@pytest.mark.parametrize(
    ("text", "complaints", "reason"),
    [
        ('{"a": 1, "b": {"a": 1}}', (), "the same name in two objects"),
        ('{"a": 1, "a": 2, "a": 3}', ('duplicate field "a"',), "each is told once"),
        (
            '{"b": [{"c": 1, "c": 2}], "a": 1, "a": 1}',
            ('duplicate field "a"', 'duplicate field "b[0].c"'),
            "from the outside in",
        ),
        (f'{{"a": {"1" * 5000}, "b": 1, "b": 2}}', ('duplicate field "b"',), "numbers of any size"),
    ],
)
def test_members_that_stand_twice(text, complaints, reason):
    assert duplicates(text.encode()) == complaints, reason


def test_json_that_names_a_key_twice_is_told_as_yaml_tells_it():
    text = b'{"a": 1,\n "a": 2}'
    value, _, complaints = decode_patch(text, "application/apply-patch+yaml", CONFIG_MAP)
    assert value == {"a": 2}
    assert 'line 2: key "a" already set in map' in complaints[0]


def test_an_escape_that_yaml_does_not_have_is_refused():
    with pytest.raises(StatusError, match="error converting YAML to JSON"):
        decode_patch(b'{"a": "b\\/c"}', "application/apply-patch+yaml", CONFIG_MAP)
