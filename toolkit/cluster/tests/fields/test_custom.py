"""Custom resources: validation, defaulting, pruning, rules."""

from copy import deepcopy

import pytest

from fluvial.cluster import fields
from fluvial.cluster.fields.formats import is_of_format


def schema_of(spec, **kwargs):
    root = {"type": "object", "properties": {"spec": spec}}
    return fields.schema_from_crd(root, **kwargs)


def obj(spec):
    return {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a"}, "spec": spec}


def complaints(spec_schema, value, old=None):
    errors = schema_of(spec_schema).validate(obj(value), None if old is None else obj(old))
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        ({"type": "string", "enum": ["a", "b"]}, "c",
         'spec: Unsupported value: "c": supported values: "a", "b"'),
        ({"type": "integer", "enum": [1, 2]}, 3,
         'spec: Unsupported value: 3: supported values: "1", "2"'),
        ({"type": "string", "minLength": 2}, "é",
         'spec: Invalid value: "é": spec in body should be at least 2 chars long'),
        ({"type": "string", "maxLength": 1}, "ab", "spec: Too long: may not be more than 1 byte"),
        ({"type": "array", "maxItems": 2, "items": {"type": "integer"}}, [1, 2, 3],
         "spec: Too many: 3: must have at most 2 items"),
        ({"type": "array", "minItems": 1, "items": {"type": "integer"}}, [],
         "spec: Invalid value: 0: spec in body should have at least 1 items"),
        ({"type": "object", "minProperties": 1, "additionalProperties": True}, {},
         "spec: Invalid value: 0: spec in body should have at least 1 properties"),
        ({"type": "number", "multipleOf": 0.5}, 0.75,
         "spec: Invalid value: 0.75: spec in body should be a multiple of 0.5"),
        ({"type": "integer"}, True,
         'spec: Invalid value: "boolean": spec in body must be of type integer: "boolean"'),
        ({"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}},
         {"kind": "X"}, "spec.apiVersion: Required value: must not be empty"),
        ({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
         ["a", "b", "a", "a"], 'spec[2]: Duplicate value: "a"'),
        ({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
          "items": {"type": "object", "properties": {"k": {"type": "string"}}}},
         [{"k": "a"}, {"k": "a"}], 'spec[1]: Duplicate value: {"k":"a"}'),
    ],
)  # fmt: skip
def test_what_a_schema_refuses(schema, value, complaint):
    assert complaints(schema, value) == [complaint]


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        ({"type": "integer"}, 3.0, "a whole number may be written as 3.0"),
        ({"type": "number"}, 3, "an integer is a number"),
        ({"type": "string", "nullable": True}, None, "null where it is allowed"),
        ({"x-kubernetes-int-or-string": True}, "50%", "a string"),
        ({"x-kubernetes-int-or-string": True}, 5, "or an integer"),
        ({"type": "string", "format": "nonesuch"}, "x", "unknown formats mean nothing"),
        ({"type": "string", "pattern": "b"}, "abc", "a pattern need not match the whole"),
        ({"type": "string", "pattern": "^[[:alpha:]]+\\z"}, "abc", "Go's spellings"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 1, "one alternative"),
    ],
)
def test_what_a_schema_allows(schema, value, reason):
    assert complaints(schema, value) == [], reason


RATCHETED = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "maxLength": 1},
        "l": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["n"],
            "items": {
                "type": "object",
                "properties": {"n": {"type": "string"}, "v": {"type": "integer", "maximum": 1}},
            },
        },
        "at": {"type": "array", "items": {"type": "integer", "maximum": 1}},
    },
}


@pytest.mark.parametrize(
    ("old", "new", "count", "reason"),
    [
        ({"a": "long"}, {"a": "long"}, 0, "what did not change is not held against the object"),
        ({"a": "long"}, {"a": "wrong"}, 1, "what changed is"),
        ({"l": [{"n": "x", "v": 9}]}, {"l": [{"n": "y"}, {"n": "x", "v": 9}]}, 0, "by key"),
        ({"at": [9]}, {"at": [9, 1]}, 1, "items of atomic lists have no identity"),
    ],
)
def test_ratcheting(old, new, count, reason):
    assert len(complaints(RATCHETED, new, old)) == count, reason


def test_pruning_names_what_it_removes():
    schema = schema_of(
        {
            "type": "object",
            "properties": {
                "a": {"type": "array", "items": {"type": "object", "properties": {}}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "map": {"type": "object", "additionalProperties": {"type": "object"}},
                "pod": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "properties": {},
                },
            },
        }
    )
    value = obj(
        {
            "a": [{"x": 1}],
            "free": {"y": 1},
            "map": {"k": {"z": 1}},
            "pod": {"kind": "P", "metadata": {"name": "p", "odd": 1}, "spec": {}},
        }
    )
    value["metadata"]["nope"] = 1
    assert schema.prune(value) == [
        "metadata.nope", "spec.a[0].x", "spec.map.k.z", "spec.pod.metadata.odd", "spec.pod.spec",
    ]  # fmt: skip
    assert value["spec"] == {
        "a": [{}],
        "free": {"y": 1},
        "map": {"k": {}},
        "pod": {"kind": "P", "metadata": {"name": "p"}},
    }


def test_defaults_nest_and_nulls_give_way():
    schema = schema_of(
        {
            "type": "object",
            "default": {},
            "properties": {
                "a": {"type": "integer", "default": 1},
                "b": {"type": "string", "nullable": True, "default": "x"},
                "c": {"type": "string"},
            },
        }
    )
    value = {"metadata": {}}
    schema.default(value)
    assert value["spec"] == {"a": 1, "b": "x"}
    value = obj({"a": None, "b": None, "c": None})
    schema.default(value)
    assert value["spec"] == {"a": 1, "b": None}
    value = obj({"c": None})
    schema.default(value, nulls=False)
    assert value["spec"]["c"] is None


def test_defaults_are_not_shared_between_objects():
    schema = schema_of({"type": "object", "default": {}, "additionalProperties": True})
    first, second = {"metadata": {}}, {"metadata": {}}
    schema.default(first)
    first["spec"]["x"] = 1
    schema.default(second)
    assert second["spec"] == {}


def rule(text, **more):
    return {"rule": text, **more}


@pytest.mark.parametrize(
    ("schema", "value", "complaint", "reason"),
    [
        ({"type": "integer", "x-kubernetes-validations": [rule("self > 1")]}, 1,
         "spec: Invalid value: 1: failed rule: self > 1", "without a message"),
        ({"type": "string", "x-kubernetes-validations": [rule("size(self) < 3")]}, "héllo",
         'spec: Invalid value: "héllo": failed rule: size(self) < 3', "characters, not bytes"),
        ({"type": "string", "x-kubernetes-validations": [
            rule("false", messageExpression="'not ' + self", message="fallback")]}, "x",
         'spec: Invalid value: "x": not x', "a message made by CEL"),
        ({"type": "string", "x-kubernetes-validations": [
            rule("false", messageExpression="''", message="fallback")]}, "x",
         'spec: Invalid value: "x": fallback', "an empty one gives way"),
        ({"type": "object", "additionalProperties": {"type": "string"},
          "x-kubernetes-validations": [rule("!('a' in self)", reason="FieldValueForbidden")]},
         {"a": "1"}, "spec: Forbidden: failed rule: !('a' in self)", "a reason"),
        ({"type": "string", "format": "duration", "x-kubernetes-validations": [
            rule("self < duration('1m')", message="too long")]}, "2m",
         'spec: Invalid value: "2m": too long', "durations by format"),
        ({"type": "object", "properties": {"namespace": {"type": "string"}},
          "x-kubernetes-validations": [rule("self.__namespace__ == 'x'", message="ns")]},
         {"namespace": "y"}, "spec: Invalid value: ns", "reserved words are escaped"),
        ({"type": "number", "x-kubernetes-validations": [rule("self > 1.0", message="low")]}, 1,
         "spec: Invalid value: 1: low", "an integer in a number field is a double"),
        ({"type": "array", "items": {"type": "string"}, "x-kubernetes-validations": [
            rule("self.isSorted()", message="unsorted")]}, ["b", "a"],
         "spec: Invalid value: unsorted", "Kubernetes' list functions"),
        ({"type": "string", "x-kubernetes-validations": [
            rule("cidr('10.0.0.0/8').containsIP(self)", message="outside")]}, "11.0.0.1",
         'spec: Invalid value: "11.0.0.1": outside', "addresses"),
        ({"type": "string", "x-kubernetes-validations": [
            rule("url(self).getHostname() == 'a.example'", message="host")]}, "https://b.example/",
         'spec: Invalid value: "https://b.example/": host', "URLs"),
        ({"type": "string", "x-kubernetes-validations": [
            rule("self.find('[0-9]+') == ''", message="digits")]}, "a1",
         'spec: Invalid value: "a1": digits', "regular expressions"),
    ],
)  # fmt: skip
def test_rules(schema, value, complaint, reason):
    assert complaints(schema, value) == [complaint], reason


def test_rules_wait_for_the_schema():
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string"}},
        "x-kubernetes-validations": [rule("false", message="never reached")],
    }
    assert complaints(schema, {}) == [
        "spec.a: Required value",
        (
            "<nil>: Invalid value: null: some validation rules were not checked because the "
            "object was invalid; correct the existing errors to complete validation"
        ),
    ]


TRANSITION = {
    "type": "integer",
    "x-kubernetes-validations": [rule("self >= oldSelf", message="only up")],
}
QUOTED = {
    "type": "string",
    "x-kubernetes-validations": [rule("self != 'oldSelf'", message="quoted")],
}
OPTIONAL = {
    "type": "integer",
    "x-kubernetes-validations": [
        rule("!oldSelf.hasValue() || self > oldSelf.value()", optionalOldSelf=True, message="up")
    ],
}


@pytest.mark.parametrize(
    ("schema", "old", "new", "count", "reason"),
    [
        (TRANSITION, None, 1, 0, "no old value, no rule"),
        (TRANSITION, 2, 1, 1, "down"),
        (TRANSITION, 1, 2, 0, "up"),
        (OPTIONAL, None, 1, 0, "an optional old value is absent on creation"),
        (OPTIONAL, 1, 1, 1, "and run even where nothing changed"),
        (QUOTED, None, "oldSelf", 1, "the word in a string is no transition rule"),
    ],
)
def test_transition_rules(schema, old, new, count, reason):
    assert len(complaints(schema, new, old)) == count, reason


def test_status_is_validated_by_its_own_schema():
    root = {
        "type": "object",
        "properties": {
            "spec": {"type": "integer", "maximum": 1},
            "status": {"type": "object", "properties": {"x": {"type": "integer", "maximum": 5}}},
        },
    }
    schema = fields.schema_from_crd(root, status_subresource=True)
    errors = schema.validate_status({"spec": 9, "status": {"x": 9}})
    assert [str(error) for error in errors] == [
        "status.x: Invalid value: 9: x in body should be less than or equal to 5"
    ]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2020-02-29T00:00:00.5+01:00", "2020-02-30T00:00:00Z"),
        ("date", "2020-02-29", "2020-13-01"),
        ("duration", "1h30m", "1x"),
        ("duration", "3 weeks", "weeks"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("byte", "aGk=", "aGk"),
        ("mac", "01:23:45:67:89:ab", "01:23"),
        ("email", "a@b.example", "a b"),
        ("hostname", "a.b", "-a"),
        ("uri", "https://a/b", "a b"),
    ],
)
def test_formats(name, good, bad):
    assert is_of_format(good, name)
    assert not is_of_format(bad, name)


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (
            {"type": "array"},
            "S.properties[spec].items: Required value: must be specified",
        ),
        (
            {"type": "object", "additionalProperties": False},
            (
                "S.properties[spec].additionalProperties: Forbidden: "
                "additionalProperties cannot be set to false"
            ),
        ),
        (
            {"type": "string", "x-kubernetes-map-type": "atomic"},
            (
                'S.properties[spec].type: Invalid value: "string": '
                "must be object if x-kubernetes-map-type is specified"
            ),
        ),
        (
            {"type": "string", "not": {"description": "x"}},
            "S.properties[spec].not.description: Forbidden: must be empty to be structural",
        ),
        (
            {"type": "integer", "x-kubernetes-validations": [rule("self.all(x, x > 1)")]},
            None,
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
                "x-kubernetes-validations": [rule("self.a.c == 'self.a.d'")],
            },
            (
                "S.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "
                '{"Rule":"self.a.c == \'self.a.d\'","Message":"","MessageExpression":"",'
                '"Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: '
                "ERROR: <input>:1:7: "
                "undefined field 'c'\n | self.a.c == 'self.a.d'\n | ......^"
            ),
        ),
    ],
)
def test_definitions_that_are_refused(spec, complaint):
    schema = {"type": "object", "properties": {"spec": spec}}
    errors = [str(error) for error in fields.check_definition_schema(schema, "S")]
    assert len(errors) == 1
    if complaint is not None:
        assert errors == [complaint]
    else:
        assert "rule: Invalid value" in errors[0]
        assert "compilation failed: ERROR: <input>:1:" in errors[0]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            {
                "x-kubernetes-int-or-string": True,
                "anyOf": [{"type": "integer"}, {"type": "string"}],
            },
            "the one pattern that may repeat types",
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "string",
                    "x-kubernetes-validations": [rule("self != ''")],
                },
            },
            "a rule in one list without limit is within the budget",
        ),
        (
            {
                "type": "array",
                "maxItems": 20,
                "items": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}},
                        "x-kubernetes-validations": [rule("self.name != ''")],
                    },
                },
            },
            "what is required makes items larger, so fewer fit into a request",
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "oneOf": [{"required": ["a"]}, {"properties": {"a": {"enum": ["x"]}}}],
            },
            "conditions on declared fields",
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a-b": {"type": "string"},
                    "m": {"type": "object", "additionalProperties": {"type": "string"}},
                    "l": {"type": "array", "maxItems": 9, "items": {"type": "string"}},
                },
                "x-kubernetes-validations": [
                    rule("self.a__dash__b != self.m.anything"),
                    rule("self.l.all(x, x != '')"),
                    rule("!has(oldSelf.m) || has(self.m)"),
                ],
            },
            "escaped names, keys of maps and methods are no undefined fields",
        ),
    ],
)
def test_definitions_that_are_accepted(spec, reason):
    schema = {"type": "object", "properties": {"spec": spec}}
    before = deepcopy(schema)
    assert fields.check_definition_schema(schema, "S") == [], reason
    assert schema == before
