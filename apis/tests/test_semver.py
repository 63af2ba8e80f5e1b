import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.apis.semver import Constraint, ConstraintInvalid, coerce_version, parse_version

RANGES = [
    # range, inside, outside, reason
    ("*", "0.0.0 1.2.3 99.0.0", "1.0.0-alpha", "any release, no prerelease"),
    ("x", "0.0.0 1.2.3", "1.0.0-alpha", "x is a wildcard too"),
    ("*-0", "1.2.3 1.0.0-alpha", "", "the idiom for prereleases of anything"),
    ("1", "1.0.0 1.9.9", "0.9.9 2.0.0", "a lone major is its range"),
    ("1.2", "1.2.0 1.2.9", "1.1.9 1.3.0", "a missing patch is a wildcard"),
    ("1.2.x", "1.2.0 1.2.9", "1.3.0", "so is an x"),
    ("=1.2", "1.2.7", "1.3.0", "an equals sign changes nothing"),
    ("v1.2.3", "1.2.3", "1.2.4", "a v is allowed"),
    ("1.2.3+build", "1.2.3 1.2.3+other", "1.2.4", "build metadata counts for nothing"),
    ("!=1.2.x", "1.1.0 1.3.0 2.0.0", "1.2.0 1.2.9", "excludes the whole minor"),
    ("!=1.2.3", "1.2.4", "1.2.3", "excludes one version"),
    ("!=1", "0.9.0 2.0.0", "1.0.0 1.9.9", "excludes a whole major"),
    (">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9", "above the whole minor"),
    (">1", "2.0.0", "1.0.0 1.9.9", "above the whole major"),
    (">*", "0.0.1 1.0.0", "0.0.0", "above zero"),
    (">1.2.3", "1.2.4", "1.2.3", "strictly above"),
    (">=1.2", "1.2.0 9.0.0", "1.1.9", "compared with 1.2.0"),
    ("=>1.2", "1.2.0", "1.1.9", "the other spelling"),
    ("<1.2", "1.1.9 0.0.0", "1.2.0", "compared with 1.2.0"),
    ("<=1.2", "1.2.9 0.1.0", "1.3.0", "includes the whole minor"),
    ("=<1", "1.9.9", "2.0.0", "includes the whole major"),
    ("<=1.2.3", "1.2.3", "1.2.4", "exact bound"),
    ("~1", "1.0.0 1.9.0", "2.0.0", "the major's range"),
    ("~1.2", "1.2.0 1.2.9", "1.3.0", "stays in the minor"),
    ("~>1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0", "stays in the minor, not below"),
    ("~0.0.0", "0.0.0 7.0.0", "", "accepts all, as upstream does"),
    ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0", "below the next major"),
    ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0", "zero major: below the next minor"),
    ("^0.2", "0.2.0 0.2.9", "0.3.0", "the same, patch left open"),
    ("^0.0.3", "0.0.3", "0.0.2 0.0.4", "zero minor: this patch alone"),
    ("^0.0", "0.0.0 0.0.9", "0.1.0", "zero minor, patch left open"),
    ("^0", "0.0.0 0.9.9", "1.0.0", "the zero major's range"),
    ("1.2 - 1.4", "1.2.0 1.4.9", "1.1.9 1.5.0", "a partial upper bound includes its range"),
    ("1.0.0 - 2.0.0", "1.0.0 2.0.0", "0.9.9 2.0.1", "both ends included"),
    (">=1.0.0 <2.0.0", "1.5.0", "2.0.0 0.9.0", "a space joins"),
    (">=1.0 , <2", "1.5.0", "2.0.0", "so does a comma, with or without blanks"),
    ("1.x || >=3.1", "1.0.0 3.1.0", "2.0.0 3.0.0", "one of the groups is enough"),
    (">=1.0.0-0", "1.0.0-alpha 1.0.0", "0.9.0", "a prerelease in the bound admits prereleases"),
    (">=1.0.0-0 <2.0.0", "2.0.0-rc.1 1.0.0", "2.0.0", "in every term of its group"),
    (">=1.0.0-0 || <2.0.0", "2.0.0-rc.1", "0.9.0-rc.1", "but not in the other groups"),
    ("^1.2.3-beta.2", "1.2.3-beta.11 1.2.3", "1.2.3-beta", "numeric identifiers are numbers"),
]


@pytest.mark.parametrize(("text", "inside", "outside", "reason"), RANGES, ids=lambda v: str(v)[:40])
def test_range(text, inside, outside, reason):
    constraint = Constraint.parse(text)
    assert [v for v in inside.split() if not constraint.check(parse_version(v))] == [], reason
    assert [v for v in outside.split() if constraint.check(parse_version(v))] == [], reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the empty range is an error"),
        ("1 ||", "an empty alternative too"),
        ("V1", "an upper-case V"),
        ("1.2.3.4", "four parts"),
        (">1.2.3<2", "terms have to be apart"),
        (">=1.0.0,", "a comma joins two"),
        (">>1", "no such operator"),
        ("1.2.3-01", "a zero-padded numeric identifier"),
        ("main", "no version at all"),
        ("1." * 200, "longer than any honest range"),
    ],
)
def test_what_is_no_range(text, reason):
    with pytest.raises(ConstraintInvalid, match="improper constraint"):
        Constraint.parse(text)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("v1.2.3", "1.2.3", "a v is allowed"),
        ("v2025.02.03-rc.1", "2025.2.3-rc.1", "zeros may lead in the core"),
        ("1.2.3-rc.1+b.5", "1.2.3-rc.1+b.5", "prerelease and build"),
        ("v1", None, "one part"),
        ("1.2", None, "two parts"),
        ("1.2.3.4", None, "four parts"),
        ("app-1.2.3", None, "a prefix"),
        ("V1.2.3", None, "an upper-case V"),
        ("1.2.3-01", None, "zeros may not lead in a numeric identifier"),
        ("1.2.3-0a", "1.2.3-0a", "but in an alphanumeric one"),
        ("99999999999999999999.0.0", None, "does not fit 64 bits"),
        ("1.2.3\n", None, "nothing may follow"),
        ("\u0661.2.3", None, "only ASCII digits are digits"),
    ],
)
def test_candidates(text, expected, reason):
    version = parse_version(text)
    assert (None if version is None else str(version)) == expected, reason


numbers = st.integers(min_value=0, max_value=12)
versions = st.builds("{}.{}.{}".format, numbers, numbers, numbers)


@given(versions)
def test_a_version_is_in_its_own_ranges(text):
    version = parse_version(text)
    for operator in ("", "=", ">=", "<=", "~", "^"):
        assert Constraint.parse(operator + text).check(version)
    for operator in ("!=", ">", "<"):
        assert not Constraint.parse(operator + text).check(version)


@given(versions, versions)
def test_the_order_is_total(one, other):
    low, high = parse_version(one), parse_version(other)
    ways = [Constraint.parse(operator + other).check(low) for operator in ("<", "=", ">")]
    assert sum(ways) == 1
    assert ways[0] == (low < high)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("1.2.3-rc.1+abc", "1.2.3-rc.1+abc", "a full version is itself"),
        ("v1.2.3", "1.2.3", "less its v"),
        ("1.2", "1.2.0", "a missing patch is zero"),
        ("1", "1.0.0", "so is a missing minor"),
        ("1.2-rc1", "1.2.0-rc1", "parts are added in their place"),
        ("v2+abc", "2.0.0+abc", "before build metadata too"),
        ("1.2.3.4", None, "four parts are no version"),
        ("latest", None, "nor is a word"),
        ("1.2.3-01", None, "nor a padded identifier"),
        ("", None, "nor nothing"),
    ],
)
def test_versions_that_are_completed(text, expected, reason):
    found = coerce_version(text)
    assert (None if found is None else str(found)) == expected, reason
