"""Lists and maps of mixed types, which the rules of Kubernetes do not have."""

import pytest

from fluvial.cluster.fields.cel import CelError, Program

SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "s": {"type": "string"},
        "any": {"x-kubernetes-int-or-string": True},
        "o": {"type": "object", "properties": {"x": {"type": "integer"}}},
    },
}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("size([1, 2]) == 2", "one type"),
        ("size([]) == 0 && size([[], [1]]) == 2", "nothing yet"),
        ("size([self.any, 1, 'a']) == 3", "of no type known"),
        ("size([dyn(1), 'a']) == 2", "said to be of any type"),
        ("size({'a': [1], 'b': []}) == 2", "lists of the same, or of nothing"),
        ("size([[1], [dyn(1)], ['a']]) == 3", "the more general one counts"),
        ("size([self.o, {'y': 'z'}]) == 2", "maps of any values"),
        ("[1, 2].exists(x, x in [3, 4]) || true", "inside of macros"),
        ("size({?'a': optional.none(), 'b': 1}) == 1", "optional entries"),
        ("math.greatest(1, 2.5) > 1.0", "numbers to compare"),
    ],
)
def test_one_type(expression, reason):
    assert Program(expression, SCHEMA).result == "BOOL", reason


@pytest.mark.parametrize(
    ("expression", "text", "reason"),
    [
        ("size([1, 'a']) == 2", "1:10: expected type 'int' but found 'string'", "a list"),
        ("size({'a': 1, 'b': true}) == 2", "1:20: expected type 'int' but found 'bool'", "values"),
        ("size({'a': 1, 2: 1}) == 2", "1:15: expected type 'string' but found 'int'", "keys"),
        ("size([[1], ['a']]) == 2", "1:12: expected type 'list(int)' but found 'list(string)'",
         "lists of others"),
        ("[1].all(x, x in [2, 'a'])", "1:21: expected type 'int' but found 'string'", "in macros"),
        ("size([timestamp('2020-01-01T00:00:00Z'), duration('1s')]) == 2",
         "1:50: expected type 'google.protobuf.Timestamp' but found 'google.protobuf.Duration'",
         "times"),
        ("size([1.5, 2]) == 2", "1:12: expected type 'double' but found 'int'", "no conversion"),
    ],
)  # fmt: skip
def test_mixed_types(expression, text, reason):
    with pytest.raises(CelError) as error:
        Program(expression, SCHEMA)
    assert str(error.value).startswith(f"ERROR: <input>:{text}\n | {expression}\n | ."), reason
