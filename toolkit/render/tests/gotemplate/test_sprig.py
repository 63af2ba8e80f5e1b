"""The inventory of functions, and those whose result cannot be recorded because it is random."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.gotemplate import Templates, TemplateSyntaxError, sprig
from fluvial.render.gotemplate._quote import quote, unquote
from fluvial.render.gotemplate.gojson import encode
from fluvial.render.gotemplate.jsonread import decode

# the names that sprig 3.3.0 has in its text function map, less env and expandenv
INVENTORY = (Path(__file__).parent / "inventory.txt").read_text().split()


def render(text, data=None):
    templates = Templates(sprig.functions())
    templates.add("t", text)
    return templates.execute("t", data)


def test_the_inventory_is_complete():
    assert set(INVENTORY) <= set(sprig.functions())
    assert not {"env", "expandenv"} & set(sprig.functions())


def test_two_tables_are_independent():
    sprig.functions().clear()
    assert sprig.functions()


@pytest.mark.parametrize(
    ("template", "pattern", "reason"),
    [
        ("{{ randAlphaNum 20 }}", "[0-9A-Za-z]{20}", "letters and digits"),
        ("{{ randAlpha 20 }}", "[A-Za-z]{20}", "letters"),
        ("{{ randNumeric 20 }}", "[0-9]{20}", "digits"),
        ("{{ randAscii 20 }}", "[ -~]{20}", "what ASCII prints"),
        ("{{ randInt 3 5 }}", "[34]", "from the first to before the second"),
        ("{{ uuidv4 }}", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
         "a version 4 UUID"),
        ("{{ randBytes 3 }}", "[0-9A-Za-z+/]{4}", "base64 of the bytes"),
        ('{{ shuffle "abc" | splitList "" | sortAlpha | join "" }}', "abc", "the same letters"),
        ("{{ ago now }}", "[01]s", "now was just now"),
    ],
)  # fmt: skip
def test_random(template, pattern, reason):
    assert render("{{ regexMatch .pattern .text }}", {
        "pattern": f"^(?:{pattern})$", "text": render(template)}) == "true", reason  # fmt: skip


@given(st.text())
def test_quoting_can_be_read_back(text):
    assert unquote(quote(text)) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_comes_back_as_it_was(value):
    assert decode(encode(value)) == value
    assert decode(encode(value, indent=2)) == value


@given(st.text(alphabet="{}-/*\" .$|()=:,`'\\xif1end\n", max_size=40))
def test_no_text_breaks_the_parser(text):
    templates = Templates()
    with contextlib.suppress(TemplateSyntaxError):
        templates.add("t", "{{" + text)
    assert list(templates) in ([], ["t"]), "added whole, or refused in Go's form"


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
def test_arithmetic_stays_within_64_bits(left, right):
    shown = render("{{ add .l .r }} {{ mul .l .r }}", {"l": left, "r": right})
    assert all(-(2**63) <= int(number) < 2**63 for number in shown.split())
