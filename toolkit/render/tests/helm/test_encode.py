"""What Go's encoders write, and what its readers make of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.gotemplate import FunctionError, Int64, Strings
from fluvial.render.gotemplate.gojson import number_text
from fluvial.render.helm._encode import to_json, to_pretty_json, to_yaml
from fluvial.render.helm._functions import helm_functions
from fluvial.render.helm._globs import file_glob
from fluvial.render.helm._pretty import to_yaml_pretty
from fluvial.render.helm._toml import to_toml
from fluvial.render.helm._values import floats
from fluvial.render.yaml import load

# Without line breaks that only YAML has, which no writer keeps in block text.
# Nor what YAML's scanner refuses in a JSON text: then the functions print nothing.
TEXT = st.text(
    st.characters(
        codec="utf-8",
        exclude_characters="\r\x85\u2028\u2029\ufeff\x7f\ufffe\uffff"
        + "".join(map(chr, range(0x80, 0xA0))),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (0.1, "0.1"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1e-6, "0.000001"),
     (1e-7, "1e-7"), (-0.0, "-0"), (1.5e300, "1.5e+300"), (123456789.125, "123456789.125")],
)  # fmt: skip
def test_floats_of_json(number: float, text: str) -> None:
    assert number_text(number) == text


@given(VALUES)
def test_json_is_read_back(value) -> None:
    assert json.loads(to_json(value), parse_int=float) == value
    assert json.loads(to_pretty_json(value), parse_int=float) == value


@given(VALUES)
def test_yaml_is_read_back(value) -> None:
    assert floats(load(to_yaml({"v": value})))["v"] == value


@pytest.mark.parametrize(
    ("value", "text", "reason"),
    [
        ({"b": 1, "a": [Int64(2), 3.0]}, '{"a":[2,3],"b":1}', "sorted keys, whole floats"),
        ("<&>\u2028", '"\\u003c\\u0026\\u003e\\u2028"', "safe within HTML"),
        (b"hi", '"aGk="', "bytes are base64"),
        (Strings(["x"]), '["x"]', "typed lists"),
        (None, "null", "nil"),
    ],
)
def test_json(value, text: str, reason: str) -> None:
    assert to_json(value) == text, reason


def test_what_json_cannot_say() -> None:
    with pytest.raises(FunctionError, match="unsupported value"):
        to_json(float("inf"))
    with pytest.raises(FunctionError, match="unsupported type"):
        to_json(object())
    functions = helm_functions()
    assert functions["toJson"](float("inf")) == functions["toYaml"](object()) == ""
    assert "unsupported" in functions["toToml"](object())


@pytest.mark.parametrize(
    ("value", "text", "reason"),
    [
        ({"a": 1, "b": 2.0, "c": 2.5}, "a = 1\nb = 2.0\nc = 2.5\n", "integers and floats"),
        ({"a": 1e6, "b": 1.5e-7}, "a = 1e+06\nb = 1.5e-07\n", "exponents"),
        ({"t": {"x": 1}, "a": 1}, "a = 1\n\n[t]\n  x = 1\n", "tables come last"),
        ({"a b": "x\n"}, '"a b" = "x\\n"\n', "quoted keys and escapes"),
        ({"l": [1, {"a": 1}]}, "l = [1, {a = 1}]\n", "mixed lists are inline"),
        ({"l": [{"a": 1}, {}]}, "[[l]]\n  a = 1\n\n[[l]]\n", "lists of tables"),
        ({"n": None}, "", "nil is left out"),
    ],
)
def test_toml(value, text: str, reason: str) -> None:
    assert to_toml(value) == text, reason


def test_pretty_yaml_indents_lists_and_never_folds() -> None:
    words = "word " * 30 + "end"
    value = {"l": [{"a": [1], "b": "x\ny"}], "w": words, "e": [], "f": 1e6}
    lines = to_yaml_pretty(value).split("\n")
    assert lines == [
        "e: []", "f: 1e+06", "l:", "  - a:", "      - 1", "    b: |-", "      x", "      y",
        f"w: {words}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "text", "expected"),
    [
        ("fromYaml", "a: 3", {"a": 3.0}),
        ("fromYaml", "", {}),
        ("fromJson", '{"a": 3}', {"a": 3.0}),
        ("fromJsonArray", "[1]", [1.0]),
        ("fromYamlArray", "- yes", [True]),
        ("fromToml", "a = 1\nb = 'x'", {"a": 1, "b": "x"}),
    ],
)
def test_readers(function: str, text: str, expected) -> None:
    assert helm_functions()[function](text) == expected


@pytest.mark.parametrize("function", ["fromYaml", "fromJson", "fromToml"])
@pytest.mark.parametrize("text", ["[1", "{", "nonsense = = ", '"text"'])
def test_readers_of_maps_answer_with_their_error(function: str, text: str) -> None:
    assert list(helm_functions()[function](text)) == ["Error"]


@pytest.mark.parametrize("function", ["fromYamlArray", "fromJsonArray"])
@pytest.mark.parametrize("text", ["[1", '{"a": 1}'])
def test_readers_of_lists_answer_with_their_error(function: str, text: str) -> None:
    (message,) = helm_functions()[function](text)
    assert isinstance(message, str)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "d/a.txt", False),
        ("**.txt", "d/a.txt", True),
        ("d/**", "d/e/f", True),
        ("{a,b}.txt", "b.txt", True),
        ("[!a].txt", "b.txt", True),
        ("[a-c].txt", "d.txt", False),
        ("a?", "a/", False),
        ("a.b", "axb", False),
        ("{a", "anything", True),
    ],
)
def test_globs_of_files(pattern: str, path: str, matches: bool) -> None:
    assert bool(file_glob(pattern).match(path)) is matches
