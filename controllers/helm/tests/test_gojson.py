"""JSON as Go writes it."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.helm.gojson import encode, sorted_keys


@pytest.mark.parametrize(
    ("value", "text", "reason"),
    [
        (3.0, "3", "whole floats have no fraction"),
        (1e20, "100000000000000000000", "below 1e21 there is no exponent"),
        (1e21, "1e+21", "from there on there is, with its sign"),
        (1.5e300, "1.5e+300", "a fraction stays"),
        (0.000001, "0.000001", "down to 1e-6 there is no exponent"),
        (0.00001234, "0.00001234", "where Python would write one"),
        (1e-7, "1e-7", "below there is, without a leading zero"),
        (1.25e-10, "1.25e-10", "likewise"),
        (-2.5, "-2.5", "negative"),
        (0.0, "0", "zero"),
        ("<a&b>", '"\\u003ca\\u0026b\\u003e"', "HTML characters are escaped"),
        ("\u2028", '"\\u2028"', "line separators too"),
        ("ü\n", '"ü\\n"', "other text is not"),
        ({"b": [1, None, True]}, '{"b":[1,null,true]}', "compact, in the order given"),
        ([], "[]", "an empty list"),
    ],
)
def test_encode(value, text, reason):
    assert encode(value).decode() == text + "\n", reason


def test_infinity_is_refused():
    with pytest.raises(ValueError, match="inf"):
        encode(math.inf)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back(value):
    assert float(msgspec.json.decode(encode(value))) == value


def test_keys_sort_bytewise_at_every_level():
    value = sorted_keys({"b": {"a10": 1, "a2": 2, "B": 3}, "a": [{"d": 1, "c": 2}]})
    assert list(value) == ["a", "b"]
    assert list(value["b"]) == ["B", "a10", "a2"]
    assert list(value["a"][0]) == ["c", "d"]
