import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.kustomize import SubstitutionError
from fluvial.render.kustomize._substitute import check_names, substitute

VALUES = {
    "v": "value",
    "path": "a/b/c.tar.gz",
    "e": "",
    "u": "éa",
    "n": "2",
    "neg": "-3",
    "one": "x",
}


@pytest.mark.parametrize(
    ("text", "result", "reason"),
    [
        ("${v}", "value", "a value"),
        ("a${v}b${one}", "avaluebx", "in between"),
        ("$v $(v) $ $", "$v $(v) $ $", "without braces it is text"),
        ("$${v}", "${v}", "two dollars are one"),
        ("$$$$", "$$", "each two of them"),
        ("${#v} ${#u}", "5 3", "lengths count bytes"),
        ("${v^} ${v^^}", "Value VALUE", "upper case"),
        ("${u^}", "Éa", "of any letter"),
        ("${v^^,}", None, "one operator only"),
        ("${v:1} ${v:1:2}", "alue al", "a part"),
        ("${v:9}", "", "past the end"),
        ("${v:1:99}", "alue", "longer than there is"),
        ("${v:${neg}}", "lue", "a negative start from an expression"),
        ("${v:x} ${v: 1}", "value value", "no integer, no change"),
        ("${v:1:${neg}}", None, "a negative length"),
        ("${path#*/} ${path##*/}", "b/c.tar.gz c.tar.gz", "from the start"),
        ("${path%.*} ${path%%.*}", "a/b/c.tar a/b/c", "from the end"),
        ("${v#v?l}", "ue", "a question mark"),
        ("${v#[a-w]}", "alue", "a range"),
        ("${v#[!v]}", "value", "a negated range"),
        ("${path#\\*}", "a/b/c.tar.gz", "an escaped star"),
        ("${v#}", "value", "nothing strips nothing"),
        ("${path/\\//-} ${path//\\//-}", "a-b/c.tar.gz a-b-c.tar.gz", "replacements"),
        ("${path//*/x}", "a/b/c.tar.gz", "a pattern of a replacement is literal"),
        ("${v/#va/X} ${v/%ue/X}", "Xlue valX", "at an end"),
        ("${v/l}", "vaue", "by nothing"),
        ("${v:-d} ${e:-d} ${no:-d}", "value d d", "a default"),
        ("${no:=d} ${no=d} ${no:+d} ${no:?d}", "d d d d", "all five operators are one"),
        ("${v:+d}", "value", "even the one that is the opposite in a shell"),
        ("${no:=a${v}b}", "avalueb", "a nested default"),
        ("${no:=${nope:=deep}}", "deep", "nested twice"),
        ("${no-d}", None, "without colon it is malformed"),
        ("${a.b}", None, "no dots"),
        ("${}", None, "no name"),
        ("${-x}", None, "no name either"),
        ("${v", None, "no end"),
        ("${v:=", None, "no end of the default"),
        ("back\\slash ${v}", "back\\slash value", "a backslash is text"),
    ],
)  # fmt: skip
def test_grammar(text: str, result: str | None, reason: str) -> None:
    if result is None:
        with pytest.raises(SubstitutionError, match="variable substitution failed at line 1"):
            substitute(text, VALUES)
    else:
        assert substitute(text, VALUES) == result, reason


@pytest.mark.parametrize("text", ["${no}", "${#no}", "${no^}", "${no:1}", "${no#x}", "${no/a/b}"])
def test_strict_refuses_unset_variables(text: str) -> None:
    with pytest.raises(SubstitutionError, match=r'variable not set \(strict mode\): "no"'):
        substitute(f"a\n{text}", VALUES)
    assert substitute(text, VALUES, strict=False) in {"", "0"}


def test_strict_looks_into_defaults_that_are_not_needed() -> None:
    with pytest.raises(SubstitutionError, match="strict mode"):
        substitute("${v:=${no}}", VALUES)


def test_set_but_empty_is_set() -> None:
    assert substitute("[${e}]", VALUES) == "[]"


def test_errors_name_the_line() -> None:
    with pytest.raises(SubstitutionError, match="at line 3: missing closing brace"):
        substitute("a\nb\n${v", VALUES)


def test_newlines_go_from_values() -> None:
    assert check_names({"a": "x\ny\n"}) == {"a": "xy"}


@pytest.mark.parametrize("name", ["1a", "a-b", "a.b", "", "é", "a b", "a\n"])
def test_names_must_be_identifiers(name: str) -> None:
    with pytest.raises(SubstitutionError, match="not a valid variable name"):
        check_names({name: ""})


def test_nesting_and_size_are_bounded() -> None:
    with pytest.raises(SubstitutionError, match="nested too deeply"):
        substitute("${a:=" * 10_000, {})
    with pytest.raises(SubstitutionError, match="too large"):
        substitute("${a}" * 100, {"a": "x" * 1_000_000})


def test_values_are_never_evaluated() -> None:
    assert substitute("${a}", {"a": "${b}$(c)"}) == "${b}$(c)"


def test_patterns_take_linear_time() -> None:
    assert substitute("${a##" + "*a" * 50 + "b}", {"a": "a" * 5_000}) == "a" * 5_000


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_text_without_dollar_stays(text: str) -> None:
    assert substitute(text, VALUES) == text


@given(st.text(alphabet="ab${}:=-/#%^*\\x"))
def test_any_text_ends_in_a_result_or_a_named_error(text: str) -> None:
    with contextlib.suppress(SubstitutionError):
        assert isinstance(substitute(text, {"a": "x"}), str)
