import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.cluster.fields.quantity import canonical_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "canonical", "reason"),
    [
        ("0.5", "500m", "fractions take a smaller suffix"),
        ("1000m", "1", "whole amounts a larger one"),
        ("1000", "1k", "also without a suffix"),
        ("1500", "1500", "but never a fraction"),
        ("1024Mi", "1Gi", "binary suffixes by 1024"),
        ("1500Mi", "1500Mi", "as far as it divides"),
        ("0.5Gi", "512Mi", "a fraction of a binary suffix"),
        ("1Ki", "1Ki", "the smallest that stays binary"),
        ("0.5Ki", "512", "below 1024 there is no suffix"),
        ("1e3", "1e3", "exponents stay exponents"),
        ("12e2", "1200", "in steps of three"),
        ("-1500m", "-1500m", "negative amounts"),
        ("0Mi", "0", "zero is zero"),
        ("0.1n", "1n", "what is too small is rounded up"),
        ("x", "x", "no quantity"),
    ],
)
def test_canonical(text, canonical, reason):
    assert canonical_quantity(text) == canonical, reason


@given(
    st.integers(min_value=-(10**9), max_value=10**9),
    st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi", "e3"]),
)
def test_the_canonical_form_is_the_same_amount_and_stable(number, suffix):
    text = canonical_quantity(f"{number}{suffix}")
    assert parse_quantity(text) == parse_quantity(f"{number}{suffix}")
    assert canonical_quantity(text) == text


def test_what_is_no_quantity():
    with pytest.raises(ValueError, match="quantities must match"):
        parse_quantity("1 Gi")
