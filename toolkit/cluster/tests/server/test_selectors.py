import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.selectors import SelectorError, parse_fields, parse_labels

LABELS = {"tier": "web", "n": "5", "empty": ""}

MATCHES = [
    ("equal", "tier=web", True),
    ("equal, the other spelling", "tier==web", True),
    ("another value", "tier=db", False),
    ("not equal", "tier!=db", True),
    ("not equal holds for what is absent", "other!=x", True),
    ("one of several", "tier in (db, web)", True),
    ("none of several", "tier notin (db, web)", False),
    ("there", "tier", True),
    ("not there", "!tier", False),
    ("all terms have to hold", "tier=web,n=6", False),
    ("greater", "n>4", True),
    ("less", "n<5", False),
    ("greater needs a number", "tier>1", False),
    ("an empty value", "empty=", True),
    ("nothing selects everything", "", True),
    ("an empty set holds the empty value", "empty in ()", True),
]


@pytest.mark.parametrize(("reason", "text", "expected"), MATCHES, ids=[m[0] for m in MATCHES])
def test_labels(reason, text, expected):
    assert all(term.matches(LABELS) for term in parse_labels(text)) is expected


REFUSED = [
    ("a set without its parenthesis", "a in b", "found 'b' expected: '('"),
    ("a number is needed", "a>x", "the value must be an integer"),
    ("a comma at the end", "a=b,", "expected: identifier after ','"),
    ("an operator first", "=a", "expected: !, identifier, or 'end of string'"),
    ("a key that is none", "-bad=x", "name part must consist of"),
    ("a value that is none", "a=-x", "a valid label must be"),
]


@pytest.mark.parametrize(("reason", "text", "expected"), REFUSED, ids=[m[0] for m in REFUSED])
def test_labels_that_do_not_parse(reason, text, expected):
    with pytest.raises(SelectorError, match=expected.replace("(", r"\(")):
        parse_labels(text)


@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused(text):
    for parse in (parse_labels, parse_fields):
        with contextlib.suppress(SelectorError):
            assert isinstance(parse(text), tuple)


FIELDS = [
    ("equal", "a=b", [("a", True, "b")]),
    ("the other spelling", "a==b", [("a", True, "b")]),
    ("not equal", "a!=b", [("a", False, "b")]),
    ("several", "a=b,c=d", [("a", True, "b"), ("c", True, "d")]),
    ("escaped comma and equals sign", r"a=b\,c\=d", [("a", True, "b,c=d")]),
    ("an empty value", "a=", [("a", True, "")]),
]


@pytest.mark.parametrize(("reason", "text", "expected"), FIELDS, ids=[m[0] for m in FIELDS])
def test_fields(reason, text, expected):
    assert [(t.field, t.equal, t.value) for t in parse_fields(text)] == expected
