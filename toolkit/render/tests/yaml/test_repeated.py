"""Keys that a map names twice, with the lines that Go's strict decoder tells."""

import pytest

from fluvial.render import yaml


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("a: 1\nb: 2\n", [], "different keys are fine"),
        ("a: 1\na: 2\n", [(2, "a")], "the line is the second value's"),
        ("a: 1\na:\n  b: 1\n", [(3, "a")], "which may begin below its key"),
        ("a:\n  b: 1\n  b: 2\na: 3\n", [(3, "b"), (4, "a")], "inner maps come first"),
        ("- a: 1\n  a: 2\n- a: 3\n", [(2, "a")], "each item has keys of its own"),
        ("1: a\n1: b\n", [(2, 1)], "a number stays one"),
        ("1: a\n'1': b\n", [], "and is not the text of it"),
        ("a: 1\na: 2\na: 3\n", [(2, "a"), (3, "a")], "each further one counts"),
        ("x: &x {a: 1, a: 2}\ny: *x\n", [(1, "a")], "an alias is not looked at again"),
        ("<<: {a: 1}\na: 2\n", [], "what is merged in may be set again"),
        ("a: 1\n---\na: 1\na: 2\n", [], "only the first document is read"),
        ("", [], "nothing repeats nothing"),
    ],
)
def test_repeated_keys(text, expected, reason):
    assert yaml.repeated_keys(text) == expected, reason
