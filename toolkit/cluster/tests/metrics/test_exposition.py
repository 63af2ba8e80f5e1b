import math

import pytest

from fluvial.cluster.metrics.errors import ExpositionError
from fluvial.cluster.metrics.exposition import Sample, parse


@pytest.mark.parametrize(
    ("text", "wanted", "reason"),
    [
        ("a 1", Sample("a", {}, 1.0, None), "a name and a value"),
        ("a{} 1e3", Sample("a", {}, 1000.0, None), "no labels"),
        ('a{b="c",} +Inf 12', Sample("a", {"b": "c"}, math.inf, 12), "a last comma, a time"),
        ('a{b="c"}5', Sample("a", {"b": "c"}, 5.0, None), "no blank after the labels"),
        ('a { b = "c" } -0.5', Sample("a", {"b": "c"}, -0.5, None), "blanks"),
        (r'a{b="\"\\\n"} 1', Sample("a", {"b": '"\\\n'}, 1.0, None), "escapes"),
        ('a{le="{},"} 1', Sample("a", {"le": "{},"}, 1.0, None), "braces in a value"),
        ("a:b_total 1 -5", Sample("a:b_total", {}, 1.0, -5), "a time before the epoch"),
    ],
)
def test_reads(text, wanted, reason):
    assert list(parse(f"# HELP a b\n\n{text}\r\n")) == [wanted], reason


def test_reads_what_is_no_number():
    (sample,) = parse("a NaN")
    assert math.isnan(sample.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1a 5", "line 1: a metric's name was expected: '1a 5'"),
        ("a", "a value and at most a timestamp"),
        ("a one", "'one' is no value"),
        ("a 1_000", "'1_000' is no value"),
        ("a 1 2 3", "a value and at most a timestamp"),
        ('a{b="c" d="e"} 1', "separated by commas"),
        ('a{b="c",b="d"} 1', "the label b is there twice"),
        ('a{b="c" 1', "the labels do not end"),
        ("a{b=c} 1", "the labels do not end"),
        ("ok 1\nbad", "line 2"),
    ],
)
def test_refuses_the_whole_with_the_line(text, message):
    with pytest.raises(ExpositionError) as caught:
        list(parse(text))
    assert message in str(caught.value)
