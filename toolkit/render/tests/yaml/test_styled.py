"""Documents that are edited without losing what their text has beside the values."""

import pytest

from fluvial.render.yaml import Spelled, YamlError, bare, read_styled, write_styled


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1.50\nb: 0x1F\nc: ~\nd:\ne: yes\n", "scalars as they are spelled"),
        ("a: \"x\"\nb: 'y'\nc: |-\n  one\n  two\n", "quotes and blocks"),
        ('a: {b: [c, "d"], e: {}}\nf: []\n', "braces"),
        ("a: &x\n  b: 1\nc: *x\n", "anchors and aliases"),
        ("# top\n\n# head\na: 1 # line\n# foot\n\nb: 2\n\n# end\n", "comments"),
        ("- a\n- - b\n  - c\n-\n  # head\n  d: 1\n", "lists"),
        ("a: !!str 5\nb: !own x\n", "tags that are written"),
        ("\"a b\": 1\n'c': 2\n", "keys"),
    ],
)
def test_what_is_not_changed_stays(text: str, reason: str) -> None:
    assert write_styled(read_styled(text)) == text, reason


@pytest.mark.parametrize(
    ("text", "printed", "reason"),
    [
        ("a:   1\n\n\nb: 2\n", "a: 1\nb: 2\n", "blank lines and spaces"),
        ("a:\n    - b\n", "a:\n- b\n", "indentation"),
        ("a: {\n  b: 1,\n  c: 2\n}\n", "a: {b: 1, c: 2}\n", "braces over several lines"),
        ("a: one\n  two\n", "a: one two\n", "a text over several lines"),
        ("a: 1\n---\nb: 2\n", "a: 1\n", "further documents"),
    ],
)
def test_what_is_no_style_goes(text: str, printed: str, reason: str) -> None:
    assert write_styled(read_styled(text)) == printed, reason


@pytest.mark.parametrize(
    ("text", "new", "printed", "reason"),
    [
        ("a: 5\n", "x", "a: !!int x\n", "the type stays"),
        ("a: x\n", "5", 'a: "5"\n', "a string stays one"),
        ("a: 'x'\n", "it's", "a: 'it''s'\n", "quotes stay"),
        ("a: x\n", "b: c", "a: 'b: c'\n", "quotes come where they are needed"),
        ("a: x\n", "one\ntwo\n", "a: |\n  one\n  two\n", "lines become a block"),
        ("a: |\n  x\n", "", 'a: ""\n', "a block cannot be empty"),
    ],
)
def test_a_new_text_takes_the_style(text: str, new: str, printed: str, reason: str) -> None:
    document = read_styled(text)
    document["a"] = document["a"].holding(new)
    assert write_styled(document) == printed, reason


def test_plain_values_of_a_document() -> None:
    document = read_styled('a: 1.50\nb: "1"\nc: [true, ~]\n')
    assert bare(document) == {"a": 1.5, "b": "1", "c": [True, None]}
    document["a"] = document["a"].holding("x")
    with pytest.raises(ValueError, match="cannot decode 'x' as a !!float"):
        bare(document)


def test_kinds_of_scalars() -> None:
    kinds = {text: Spelled(text).kind for text in ("1", "1.0", "true", "~", "2024-02-29", "x")}
    assert list(kinds.values()) == ["int", "float", "bool", "null", "timestamp", "str"]
    assert Spelled("1", style="'").kind == "str"


def test_malformed_documents_are_refused() -> None:
    with pytest.raises(YamlError):
        read_styled("a: [\n")
