from typing import Any

import pytest

from fluvial.render.yaml import Dialect, YamlError, load, needs_quotes, resolve

BOTH = [
    ("017", 15, "a leading zero is octal"),
    ("0o17", 15, "so is 0o"),
    ("0x1F", 31, "hexadecimal"),
    ("0b101", 5, "binary"),
    ("0b-1", -1, "Go reads the sign behind the prefix"),
    ("08", 8, "no octal number, hence a float, hence whole"),
    ("1_000", 1000, "underscores group"),
    ("1__0", 10, "however many"),
    ("1e3", 1000, "a whole float is an integer in JSON"),
    ("1.0", 1, "as is this one"),
    ("1.50", 1.5, "a float"),
    (".5", 0.5, "without a leading zero"),
    ("5.", 5, "without a part"),
    ("+4", 4, "a plus sign"),
    ("18446744073709551615", 2**64 - 1, "the largest unsigned integer"),
    ("18446744073709551616", 18446744073709551616.0, "larger ones are floats"),
    ("1e400", "1e400", "what overflows is a string"),
    ("0x", "0x", "no digits"),
    ("1e", "1e", "no exponent"),
    ("1.2.3", "1.2.3", "a version"),
    ("190:20:30", "190:20:30", "sexagesimals are strings"),
    ("~", None, "null"),
    ("Null", None, "in three spellings"),
    ("nULL", "nULL", "but not in others"),
    ("TRUE", True, "true in three spellings"),
    ("tRue", "tRue", "but not in others"),
    ("-", "-", "a lone sign"),
    (".", ".", "a lone dot"),
    ("=", "=", "no meaning"),
]
APART = [
    ("y", True, "y"),
    ("No", False, "No"),
    ("on", True, "on"),
    ("OFF", False, "OFF"),
    ("2020-01-01", "2020-01-01", "2020-01-01T00:00:00Z"),
    ("2020-1-2T3:4:5.50Z", "2020-1-2T3:4:5.50Z", "2020-01-02T03:04:05.5Z"),
    ("2020-01-01T10:00:00+00:00", "2020-01-01T10:00:00+00:00", "2020-01-01T10:00:00Z"),
    ("2020-01-01 10:00:00", "2020-01-01 10:00:00", "2020-01-01T10:00:00Z"),
    ("2020-13-01", "2020-13-01", "2020-13-01"),
]


@pytest.mark.parametrize(("text", "value", "reason"), BOTH)
@pytest.mark.parametrize("dialect", [Dialect.SIGS, Dialect.KYAML])
def test_both_dialects_agree(text: str, value: Any, reason: str, dialect: Dialect) -> None:
    found = resolve(text, dialect)
    assert found == value, reason
    assert type(found) is type(value), reason


@pytest.mark.parametrize(("text", "sigs", "kyaml"), APART)
def test_the_dialects_differ(text: str, sigs: Any, kyaml: Any) -> None:
    assert resolve(text, Dialect.SIGS) == sigs
    assert resolve(text, Dialect.KYAML) == kyaml


@pytest.mark.parametrize("text", ["y", "1e3", "08", "0o7", "1_000", "2020-01-01", "12:30:45", ""])
def test_what_a_yaml_11_reader_would_mistake_needs_quotes(text: str) -> None:
    assert needs_quotes(text)


@pytest.mark.parametrize("text", ["word", "1.2.3", "=", "<<", "1e", "v1", "0x"])
def test_the_rest_stands_plain(text: str) -> None:
    assert not needs_quotes(text)


def test_text_dialect_reads_structure_only() -> None:
    assert load("a: 1.50\nb: !!int '5'\nc: yes", dialect=Dialect.TEXT) == {
        "a": "1.50",
        "b": "5",
        "c": "yes",
    }


@pytest.mark.parametrize("text", [".inf", "-.INF", ".NaN"])
def test_what_json_cannot_say_is_an_error(text: str) -> None:
    with pytest.raises(YamlError, match="has no JSON form"):
        load(f"a: {text}")


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("!!str 5", "5", "a string by its tag"),
        ("!!int '5'", 5, "an integer by its tag"),
        ("!!float 5", 5, "an integer passes for a float"),
        ("!foo bar", "bar", "unknown tags mean strings"),
        ("!!binary aGVsbG8=", "hello", "binary is decoded"),
    ],
)
def test_tags(text: str, value: Any, reason: str) -> None:
    assert load(text) == value, reason


@pytest.mark.parametrize("text", ["!!int x", "!!bool 1", "!!binary '*'", "!!binary ä", "!!null x"])
def test_tags_that_lie(text: str) -> None:
    with pytest.raises(YamlError, match="!!"):
        load(text)
