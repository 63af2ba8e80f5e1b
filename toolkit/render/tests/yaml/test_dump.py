import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.yaml import Dialect, dump, dump_all, load

LONG = "word " * 20


@pytest.mark.parametrize(
    ("value", "text", "reason"),
    [
        ({"b": [1, [2]], "a": {}}, "a: {}\nb:\n- 1\n- - 2\n", "sequences are not indented"),
        ([{"a": 1, "b": []}], "- a: 1\n  b: []\n", "maps start on the dash's line"),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n", "lines are a literal block"),
        ({"a": "x\ny"}, "a: |-\n  x\n  y\n", "clipped"),
        ({"a": "x\n\n"}, "a: |+\n  x\n\n", "or kept"),
        ({"a": " x\ny"}, "a: |2-\n   x\n  y\n", "with an indentation hint"),
        ({"a": "x \ny"}, 'a: "x \\ny"\n', "a trailing space forbids the block"),
        ({"a": "t\tx"}, 'a: "t\\tx"\n', "so does a tab"),
        ({"a": "é☃"}, "a: é☃\n", "letters stay"),
        ({"a": "😀"}, 'a: "\\U0001F600"\n', "what is beyond the BMP does not"),
        ({"a": "- x"}, "a: '- x'\n", "indicators are quoted"),
        ({"a": "it's: so"}, "a: 'it''s: so'\n", "quotes are doubled"),
        ({"a": "yes", "no": "1"}, 'a: "yes"\n"no": "1"\n', "what would be mistaken is quoted"),
        ({"a": None, "b": True, "c": 1.5}, "a: null\nb: true\nc: 1.5\n", "scalars"),
        ({"a": 1e22, "b": 1e-7}, "a: 1e+22\nb: 1e-07\n", "Go's floats"),
        ([123456789.5], "- 1.234567895e+08\n", "large ones too"),
        ({"a": math.inf, "b": -math.inf}, "a: .inf\nb: -.inf\n", "infinities"),
        ({"k" * 129: 1}, f"? {'k' * 129}\n: 1\n", "long keys are explicit"),
        ({"a\nb": 1}, "? |-\n  a\n  b\n: 1\n", "so are keys of lines"),
        ({"": ""}, '"": ""\n', "the empty string"),
        (dict.fromkeys(["a10", "a2", "A", "a-b"], 1), "A: 1\na-b: 1\na2: 1\na10: 1\n", "order"),
        ("x", "x\n", "a lone scalar"),
    ],
)  # fmt: skip
def test_dump(value: Any, text: str, reason: str) -> None:
    assert dump(value) == text, reason


def test_long_scalars_fold_at_spaces_beyond_column_80() -> None:
    text = dump({"a": LONG.strip()})
    assert text == f"a: {'word ' * 15}word\n  {'word ' * 3}word\n"
    assert load(text) == {"a": LONG.strip()}


def test_own_order_on_request() -> None:
    assert dump({"b": 1, "a": 2}, sort_keys=False) == "b: 1\na: 2\n"


def test_documents_are_joined_without_leading_marker() -> None:
    assert dump_all([{"a": 1}, {"b": 2}]) == "a: 1\n---\nb: 2\n"


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no YAML form"):
        dump({"a": {1}})


TEXT = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=120
) | st.sampled_from(["y", "0x1", "1e3", "- a", "a: b", "#", " ", "\n", "x\n\n", LONG, "'", "~"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_both_dialects_read_back_what_was_written(value: Any) -> None:
    text = dump(value)
    assert load(text, dialect=Dialect.SIGS) == value
    assert load(text, dialect=Dialect.KYAML) == value


@given(VALUES)
def test_writing_is_stable(value: Any) -> None:
    text = dump(value)
    assert dump(load(text)) == text
