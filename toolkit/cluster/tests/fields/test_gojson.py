import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.fields.gojson import json_complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "unexpected end of JSON input"),
        ("[{", "unexpected end of JSON input"),
        ('"abc', "unexpected end of JSON input"),
        ("{bad", "invalid character 'b' looking for beginning of object key string"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("metadata", "invalid character 'm' looking for beginning of value"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("trux", "invalid character 'x' in literal true (expecting 'e')"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("01", "invalid character '1' after top-level value"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"),
        ('"a\nb"', "invalid character '\\n' in string literal"),
    ],
)
def test_what_is_no_json(text, complaint):
    assert json_complaint(text.encode()) == complaint


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@given(JSON)
def test_json_is_fine(value):
    if value not in (float("inf"), float("-inf")):
        assert json_complaint(msgspec.json.encode(value)) is None


@given(st.text(alphabet='{}[]":,01ae.-"\\ tn', max_size=12))
def test_there_is_a_complaint_exactly_where_another_decoder_fails(text):
    try:
        msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        assert json_complaint(text.encode()) is not None
    else:
        assert json_complaint(text.encode()) is None
