"""Random values: trees of everything that a values file can say, and layers that lie over them."""

from typing import Any

from hypothesis import strategies as st

KEYS = [
    "alpha", "bravo", "name", "image", "port", "enabled", "size", "list", "labels", "data1",
    "data10", "data2", "aB", "x_y",
]  # fmt: skip

# Texts that a YAML printer, a number reader or a template function may take for something else.
TRICKY = [
    "", " ", "a", "app", "1", "1.0", "1e3", "0x1F", "0o17", "0777", "1_000", "12:30", "2020-01-02",
    "true", "Yes", "off", "null", "~", ".inf", "-", "- a", "a: b", "a #b", "#", "*a", "&a", "!t",
    "%", "@x", "`", "'", '"', "it's", '"q"', "{a}", "[a]", "a,b", "x=y", "a/b/c.txt",
    "/abs//x/../y",
    " lead", "trail ", "tab\there", "two\nlines", "end\n", "\n", "more\n\n", " pad\nx", "nginx:1.2",
    "Hello World", "helloWorld", "hello-world_again", "HTTPServer", "é",
    "日本語", "😀", "\\", "\\n",
    "1.2.3", "v1.2.3-rc.1", ">=1.2-0", "^1.2", "64Mi", "100m", "<b>&</b>", "{{ .x }}", "$", "%d%%",
    "a long text that has more than eighty characters, so that a printer has to fold it somewhere",
    "x" * 130, "2001:db8::1", "http://user@host:8080/path?q=1#f", "---", "...", "<<", "=", "\u00a0",
]  # fmt: skip

texts = st.one_of(
    *[st.sampled_from(TRICKY)] * 7,
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=6),
)
integers = st.sampled_from(
    [
        0,
        1,
        -1,
        2,
        3,
        7,
        10,
        80,
        255,
        8080,
        65536,
        999999,
        1000000,
        123456789,
        2**31,
        2**53,
        -(2**40),
    ]
) | st.integers(-20, 200)
reals = st.sampled_from([0.5, 1.5, -2.25, 0.1, 1e-7, 1e21, 3.0, 123456.789, 0.00001, 1e6])
scalars = st.one_of(texts, integers, reals, st.booleans())
lists_of_texts = st.lists(texts, max_size=4)


def trees(depth: int) -> st.SearchStrategy[Any]:
    """Make values of any kind, at most `depth` levels deep."""
    if depth == 0:
        return scalars
    inner = trees(depth - 1)
    return st.one_of(
        scalars,
        st.none(),
        lists_of_texts,
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    )


def values() -> st.SearchStrategy[dict[str, Any]]:
    """Make the values of a chart: some keys of each kind are always there."""
    return st.fixed_dictionaries(
        {
            "text": texts,
            "count": integers,
            "ratio": reals,
            "on": st.booleans(),
            "words": lists_of_texts,
            "items": st.lists(trees(1), max_size=4),
            "table": st.dictionaries(st.sampled_from(KEYS), trees(1), min_size=1, max_size=5),
        },
        optional={key: trees(1) for key in KEYS[:6]},
    )


@st.composite
def layer(draw: st.DrawFn, below: dict[str, Any], depth: int = 2) -> dict[str, Any]:
    """Make values that change, delete and add to those below them."""
    over: dict[str, Any] = {}
    if below and draw(st.booleans()):
        for key in draw(st.lists(st.sampled_from(sorted(below)), max_size=3, unique=True)):
            value = below[key]
            if isinstance(value, dict) and depth and draw(st.booleans()):
                over[key] = draw(layer(value, depth - 1))
            elif draw(st.integers(0, 3)) == 0:
                over[key] = draw(st.none() | trees(1))
            else:
                over[key] = draw(_alike(value))
    if draw(st.integers(0, 3)) == 0:
        over[draw(st.sampled_from(KEYS))] = draw(trees(2))
    return over


def _alike(value: Any) -> st.SearchStrategy[Any]:
    """Make values of the kind of one."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, str):
        return texts
    if isinstance(value, int):
        return integers
    if isinstance(value, float):
        return reals
    if isinstance(value, list):
        return lists_of_texts
    return trees(1)
