"""Any function with any arguments: a result, or the template's error; in bounded time and space."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.gotemplate import Budget, Int64, TemplateError, Templates, sprig
from fluvial.render.helm._functions import helm_functions

# Keys of 4096 bits and hashes are slow by design; what they do is tested by name.
SLOW = {
    "genPrivateKey", "genCA", "genSelfSignedCert", "genSignedCert", "bcrypt", "htpasswd",
    "derivePassword",
}  # fmt: skip
FUNCTIONS = helm_functions()
NAMES = sorted(set(FUNCTIONS) - SLOW)

NUMBERS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-5, 20)
    | st.sampled_from([10**9, 10**12, -(10**12), 2**31, 2**62])
)
TEXTS = st.text(max_size=20) | st.sampled_from([
    "", "(", "[", "a{1000}{1000}", "(a*)*b", "(((((a{30}){30}){30}))", "%!d", "{{ fail }}", "1h1ns",
    "2006-01-02T15:04:05Z07:00", "9" * 400, "1e999", "-", "\udcff", "null", "[[[[", "a: &x [*x]",
    '{"a":', "http://[::1]:80/%zz", ">=1.2 || ^0", "a" * 5000, "-----BEGIN X-----\n", "$1${a}$",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NUMBERS.map(Int64) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)


def execute(text, data):
    templates = Templates(FUNCTIONS)
    templates.add("t", text)
    return templates.execute("t", data, budget=Budget(seconds=5, size=64 * 2**20))


@pytest.mark.fuzz
@given(st.sampled_from(NAMES), st.lists(VALUES, max_size=5), st.booleans())
def test_any_function_takes_any_arguments(name, arguments, piped):
    places = [f"(index .a {place})" for place in range(len(arguments))]
    call = f"{places[-1]} | {name} {' '.join(places[:-1])}" if piped and places else (
        f"{name} {' '.join(places)}"
    )  # fmt: skip
    started = time.monotonic()
    try:
        outcome = execute(f"{{{{ {call} | toString | len }}}}", {"a": arguments})
    except TemplateError as error:
        outcome = str(error)
    assert outcome.isdigit() or outcome.startswith("template: t:")
    assert time.monotonic() - started < 20, call


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ repeat 1000000000 .x }}", "too long"),
        ("{{ until 1000000000000 }}", "too long"),
        ("{{ untilStep 0 9000000000000000000 1 }}", "too long"),
        ("{{ seq 0 1000000000 }}", "too long"),
        ("{{ indent 1000000000 .x }}", "too long"),
        ("{{ nindent 100000000 .x }}", "too long"),
        ('{{ replace "" (repeat 100000 "y") (repeat 100000 "x") }}', "too long"),
        ('{{ regexReplaceAll "" (repeat 100000 "x") (repeat 100000 "y") }}', "too long"),
        ("{{ randAlphaNum 1000000000 }}", "too long"),
        ("{{ randBytes 1000000000 }}", "too many"),
        ('{{ mustRegexMatch "((a{100}){100}){100}" .x }}', "invalid repeat count"),
        ("{{ $d := dict }}{{ $_ := set $d .x $d }}{{ $d | mustToJson }}", "cycle"),
        ("{{ $d := dict }}{{ $_ := set $d .x $d }}{{ deepCopy $d }}", "holds itself"),
        ("{{ $d := dict }}{{ $_ := set $d .x $d }}{{ $d | toYaml | required .x }}", "x"),
        ("{{ $d := dict }}{{ $_ := set $d .x $d }}{{ mustToToml $d }}", "holds itself"),
        ("{{ $l := list .x }}{{ range until 40 }}{{ $l = concat $l $l }}{{ end }}", "characters"),
    ],
)
def test_what_grows_without_bound_is_refused(template, message):
    with pytest.raises(TemplateError, match=message):
        execute(template, {"x": "x"})


@pytest.mark.parametrize("pattern", ["^(a*)*$", "(a|aa)+$", "(.*a){20}", "(x+x+)+y"])
def test_patterns_take_linear_time(pattern):
    started = time.monotonic()
    execute("{{ regexMatch .p .t }}", {"p": pattern, "t": "a" * 50000 + "b"})
    assert time.monotonic() - started < 5


def test_the_table_of_sprig_alone_runs_too():
    templates = Templates(sprig.functions())
    templates.add("t", '{{ list 3 1 2 | sortAlpha | join "," }}')
    assert templates.execute("t", None) == "1,2,3"
