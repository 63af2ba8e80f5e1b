"""Durations are read and printed as Go does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        ("0", 0, "zero needs no unit"),
        ("-0", 0, "nor does a signed zero"),
        ("60s", 60, "one term"),
        ("1h30m", 5400, "terms add up"),
        ("30m1h", 5400, "in any order"),
        ("1s1s", 2, "and may repeat"),
        ("1.5h", 5400, "fractions of any unit"),
        (".5s", 0.5, "no digit before the point"),
        ("5.s", 5, "no digit after the point"),
        ("300ms", 0.3, "ms is not m and s"),
        ("1us", 1e-6, "microseconds in ASCII"),
        ("1\u00b5s", 1e-6, "with the micro sign"),
        ("1\u03bcs", 1e-6, "with the Greek letter"),
        ("1ns", 1e-9, "nanoseconds"),
        ("-1m30s", -90, "the sign is that of the whole"),
        ("+1m", 60, "a plus is allowed"),
    ],
)
def test_parse(text, seconds, reason):
    assert parse_duration(text) == pytest.approx(seconds), reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing"),
        ("-", "only a sign"),
        ("60", "no unit"),
        ("1d", "days vary in length"),
        ("1H", "units are in lower case"),
        (" 1s", "no space before"),
        ("1s ", "nor after"),
        ("1 s", "nor between"),
        (".s", "a point is no number"),
        ("1m-30s", "no sign inside"),
        ("1,5s", "the point is a point"),
        ("\u0661s", "digits are ASCII"),
        ("2562048h", "beyond 64 bits of nanoseconds"),
    ],
)
def test_refuse(text, reason):
    with pytest.raises(ValueError, match="duration") as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value), reason


@pytest.mark.parametrize(
    ("seconds", "text", "reason"),
    [
        (0, "0s", "zero is in seconds"),
        (60, "1m0s", "lower units are written out"),
        (3600, "1h0m0s", "all of them"),
        (5400.5, "1h30m0.5s", "only seconds have a fraction"),
        (1.5, "1.5s", "below a minute"),
        (0.3, "300ms", "below a second"),
        (0.0000015, "1.5\u00b5s", "below a millisecond"),
        (0.000000001, "1ns", "below a microsecond"),
        (-90, "-1m30s", "the sign is in front"),
        (90000, "25h0m0s", "there are no days"),
    ],
)
def test_format(seconds, text, reason):
    assert format_duration(seconds) == text, reason


@given(st.integers(-(2**52), 2**52))
def test_printed_is_read_again(nanoseconds):
    seconds = nanoseconds / 1e9
    assert parse_duration(format_duration(seconds)) == seconds


@given(
    st.lists(
        st.tuples(st.integers(0, 999), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60)])),
        min_size=1,
        max_size=5,
    )
)
def test_terms_add_up(terms):
    text = "".join(f"{count}{name}" for count, (name, _) in terms)
    assert parse_duration(text) == pytest.approx(sum(count * unit for count, (_, unit) in terms))
