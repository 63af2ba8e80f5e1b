"""The grammar of `--set`."""

import pytest

from fluvial.render.helm import ValuesError
from fluvial.render.helm.flux import set_path


@pytest.mark.parametrize(
    ("path", "value", "expected", "reason"),
    [
        ("a", "x", {"a": "x"}, "plain text"),
        ("a.b.c", "x", {"a": {"b": {"c": "x"}}}, "dots nest"),
        (r"a\.b", "x", {"a.b": "x"}, "an escaped dot is part of the key"),
        ("a[0]", "x", {"a": ["x"]}, "an index makes a list"),
        ("a[2]", "x", {"a": [None, None, "x"]}, "a list grows with nulls"),
        ("a[0].b", "x", {"a": [{"b": "x"}]}, "maps in lists"),
        ("a[0][1]", "x", {"a": [[None, "x"]]}, "lists in lists"),
        ("a", "3", {"a": 3}, "whole numbers"),
        ("a", "-3", {"a": -3}, "negative ones"),
        ("a", "0", {"a": 0}, "zero"),
        ("a", "007", {"a": "007"}, "a leading zero makes text"),
        ("a", "1.5", {"a": "1.5"}, "fractions are text"),
        ("a", "9223372036854775808", {"a": "9223372036854775808"}, "beyond 64 bits is text"),
        ("a", "TRUE", {"a": True}, "booleans in any case"),
        ("a", "null", {"a": None}, "null stays, to delete a default"),
        ("a", "'3'", {"a": "3"}, "single quotes force text"),
        ("a", '"true"', {"a": "true"}, "double quotes too"),
        ("a", "{x,2}", {"a": ["x", 2]}, "braces make a list"),
        ("a", "{}", {"a": [""]}, "empty braces hold one empty text, as helm has it"),
        ("a", r"x\,y", {"a": "x,y"}, "an escaped comma"),
        ("a", "x,b=2", {"a": "x", "b": 2}, "a comma starts another assignment"),
        ("a", "", {"a": ""}, "nothing is empty text"),
    ],
)
def test_set_path(path, value, expected, reason):
    values = {}
    set_path(values, path, value)
    assert values == expected, reason


def test_what_is_there_stays_around_it():
    values = {"a": {"keep": 1, "list": ["x", {"k": 1}]}}
    set_path(values, "a.list[1].n", "2")
    assert values == {"a": {"keep": 1, "list": ["x", {"k": 1, "n": 2}]}}


@pytest.mark.parametrize("value", ["{x,y}", "a,b=c", r"back\slash", "3", "true", "[0]"])
def test_literal_is_text_and_nothing_else(value):
    values = {}
    set_path(values, "a.b", value, literal=True)
    assert values == {"a": {"b": value}}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("a[x]", "hidden", "an index that is no number"),
        ("a[70000]", "hidden", "an index beyond the limit"),
        (".".join("a" * 40), "hidden", "nested too deep"),
        ("a", "{x", "a list without an end"),
        ("a", "x,b", "a second key without a value"),
        ("a[0]b", "hidden", "something after an index"),
        ("s.x", "hidden", "a map where text is"),
    ],
)
def test_refused_without_quoting_the_value(path, value, reason):
    with pytest.raises(ValuesError, match="targetPath") as caught:
        set_path({"s": "secret"}, path, value)
    assert value not in str(caught.value).replace(path, ""), reason
