from typing import Any

import pytest

from fluvial.render.yaml import (
    Dialect,
    Position,
    YamlError,
    load,
    load_all,
    load_documents,
    pointers,
)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("y: 1\n1: a\n1.5: b\nno: c", {"true": 1, "1": "a", "1.5": "b", "false": "c"}, "keys"),
        ("a: 1\na: 2", {"a": 2}, "the last of equal keys wins"),
        ("x: &a {q: 1}\nz: *a", {"x": {"q": 1}, "z": {"q": 1}}, "aliases are copies"),
        ("x: &a {q: 1}\nz: {<<: *a, w: 3}", {"x": {"q": 1}, "z": {"q": 1, "w": 3}}, "merge"),
        ("z: {q: 3, <<: {q: 1}}", {"z": {"q": 3}}, "an explicit key wins, wherever it stands"),
        ("z: {<<: [{a: 1}, {a: 2, b: 2}]}", {"z": {"a": 1, "b": 2}}, "earlier maps win"),
        ("'<<': 1", {"<<": 1}, "a quoted << is a key"),
        ("", None, "nothing"),
        ("# only a comment", None, "still nothing"),
        ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}, "JSON is YAML"),
        ("\ufeffa: 1", {"a": 1}, "a byte order mark is skipped"),
        ("a: 1\n--- \nb: [", {"a": 1}, "what is wrong in the second document is not looked at"),
        ("a: 1\n... # end\n%YAML 9\nb", {"a": 1}, "nor what comes after the end of the first"),
        ("# c\n---\n---\na: 1", None, "a first document may be empty"),
    ],
)  # fmt: skip
def test_load(text: str, value: Any, reason: str) -> None:
    assert load(text) == value, reason
    assert load(text.encode()) == value, reason


def test_aliases_share_nothing() -> None:
    value = load("x: &a [1]\nz: *a")
    value["x"].append(2)
    assert value["z"] == [1]


def test_documents_without_content_are_left_out() -> None:
    assert load_all("---\n---\na: 1\n---\n# note\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


def test_equal_keys_are_an_error_in_kyaml() -> None:
    with pytest.raises(YamlError, match='key "a" already defined at line 1') as caught:
        load("a: 1\nb: 2\na: 3", file="x.yaml", dialect=Dialect.KYAML)
    assert (caught.value.file, caught.value.line, caught.value.column) == ("x.yaml", 3, 1)


def test_keys_must_be_strings_in_kyaml() -> None:
    with pytest.raises(YamlError, match="unsupported mapping key '1'"):
        load("a: {1: b}", dialect=Dialect.KYAML)
    assert load("1: a", dialect=Dialect.KYAML) == {"1": "a"}, "the outermost map takes any"


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        (r'a: "it\'s"', "it's", "an escaped single quote"),
        ("b: &x 1\nc: &x 2\na: *x", 2, "the latest anchor of a name"),
        ("a: &x {b: &x 1, c: *x}", {"b": 1, "c": 1}, "an anchor within its namesake"),
    ],
)
def test_what_go_reads_and_libyaml_does_not(text: str, value: Any, reason: str) -> None:
    assert load(text)["a"] == value, reason


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (r'a: "b\/c"', "unknown escape"),
        ("%YAML 1.2\n---\na: 1", "incompatible YAML document"),
        (r'a: ["it\'s", "\q"]', "unknown escape"),
        ("a: *x\nb: &x 1\nc: &x 2", "undefined alias"),
        ("a: b\nc: d\n{ }\n", "^f:3:1: did not find expected key"),
        ("a: b\n{c: d}\n", "could not find expected ':'"),
        ("a:\n  b:\n  []\n", "could not find expected ':'"),
    ],
)
def test_what_go_does_not_read(text: str, problem: str) -> None:
    with pytest.raises(YamlError, match=problem):
        load(text, file="f")


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("a: >\n  b\n  c\n", "b c\n", "one paragraph stays"),
        ("a: >\n  b\n   c\n", "b\n\n c\n", "the break before an indented line doubles"),
        ("a: >+\n  b\n\n", "b\n\n\n", "kept breaks at the end gain one"),
        ("a: >2\n   b\n  c\n\n  d\n", " b\nc d\n", "a leading blank loses breaks"),
        ("a: >\n\n  b\n\n  c\n", "\nb\nc\n", "a leading break changes nothing"),
        ("a: >-\n  b \n\n  c \n   d\n", "b \nc \n d", "trailing blanks keep all"),
    ],
)
def test_folded_texts_are_written_and_read_again(text: str, value: str, reason: str) -> None:
    assert load(text, dialect=Dialect.KYAML)["a"] == value, reason


def test_blanks_are_keys_without_a_value() -> None:
    (document,) = load_documents("a: {b: , c: ~, d}\ne:\nf: {g: ''}\n")
    inner = document.value["a"]
    assert inner == {"b": None, "c": None, "d": None}
    assert document.blanks == [(inner, "b", True), (inner, "d", True), (document.value, "e", False)]


@pytest.mark.parametrize("text", ["{[a]: 1}", "~: 1", "? {a: b}\n: c"])
def test_keys_that_are_no_scalars(text: str) -> None:
    with pytest.raises(YamlError, match="key"):
        load(text)


def test_positions_by_pointer() -> None:
    (document,) = load_documents("a:\n  b/c: [x,\n    y]\n", positions=True)
    assert document.positions == {
        "": Position(1, 1),
        "/a": Position(1, 1),
        "/a/b~1c": Position(2, 3),
        "/a/b~1c/0": Position(2, 9),
        "/a/b~1c/1": Position(3, 5),
    }


@pytest.mark.parametrize(
    ("text", "places", "reason"),
    [
        (
            "x: &x\n  a: {b: 1}\nz:\n  <<: *x\n  c: 2\n",
            {"/x/a/b": "2:7", "/z/a": "1:4", "/z/a/b": "1:4", "/z/c": "5:3"},
            "what a merge key brings stands where the merged map does",
        ),
        (
            "x: &x {a: {b: 1}}\nz:\n  <<: *x\n  a: [3]\n  c: 2\n",
            {"/z/a": "4:3", "/z/a/0": "4:7", "/z/c": "5:3"},
            "a key that overrides a merged one",
        ),
        (
            "a: {b: 1}\nc: 2\na: [3]\n",
            {"/a": "3:1", "/a/0": "3:5", "/c": "2:1"},
            "of two equal keys the last",
        ),
        (
            "a: &a [1]\nb: *a\n",
            {"/a/0": "1:8", "/b": "2:1", "/b/0": "1:8"},
            "what an alias repeats stands where it is written",
        ),
        ("just text", {"": "1:1"}, "a scalar"),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_places_in_documents_that_repeat(
    text: str, places: dict[str, str], reason: str, dialect: Dialect
) -> None:
    (document,) = load_documents(text, positions=True, dialect=dialect, unique_keys=False)
    found = {pointer: f"{at.line}:{at.column}" for pointer, at in document.positions.items()}
    assert {pointer: found[pointer] for pointer in places} == places, reason
    assert len(found) == len(pointers(document.value)), reason


def test_positions_cost_nothing_when_not_asked_for() -> None:
    assert load_documents("a: 1")[0].positions is None


def test_errors_quote_the_place() -> None:
    with pytest.raises(YamlError) as caught:
        load("a: 1\n  b: 2\n", file="dir/x.yaml")
    assert str(caught.value) == (
        "dir/x.yaml:2:4: mapping values are not allowed in this context\n"
        "    2 |   b: 2\n"
        "      |    ^"
    )


def test_errors_mask_the_values_of_secrets() -> None:
    with pytest.raises(YamlError) as caught:
        load("kind: Secret\nstringData:\n  password: hunter2: x\n", file="s.yaml")
    assert "hunter2" not in str(caught.value)
    assert "password: ***" in str(caught.value)


def test_invalid_utf8_names_the_line() -> None:
    with pytest.raises(YamlError, match=r"x\.yaml:2:0: invalid UTF-8"):
        load(b"a: 1\nb: \xff\n", file="x.yaml")


def test_deep_nesting_is_refused_before_it_can_crash() -> None:
    for text in ("[" * 100_000, "{a: " * 100_000, "- " * 2_000 + "x"):
        with pytest.raises(YamlError, match="nested deeper than"):
            load(text)


def test_alias_bombs_are_bounded() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, inner in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]")
    with pytest.raises(YamlError, match="excessive aliasing"):
        load("\n".join(lines))


def test_an_anchor_inside_itself_is_refused() -> None:
    with pytest.raises(YamlError, match="contains itself"):
        load("a: &a [*a]")


@pytest.mark.parametrize(
    ("repeats", "refused", "reason"),
    [
        (90, False, "much is repeated, within what a small document may grow to"),
        (110, True, "a little more than a hundred thousand values"),
    ],
)
def test_the_bound_of_aliases(repeats: int, refused: bool, reason: str) -> None:
    text = f"a: &a [{'1,' * 1000}]\nb: [{'*a,' * repeats}]\n"
    if refused:
        with pytest.raises(YamlError, match="excessive aliasing"):
            load(text)
    else:
        assert len(load(text)["b"]) == repeats, reason
