"""What is said of values and settings that have no effect."""

from typing import Any

import pytest

from fluvial.render.helm import Notice, ValuesError

PARENT = """\
apiVersion: v2
name: web
version: 1.2.3
dependencies:
  - {name: kid, version: 1.x, condition: "kid.on,on", tags: [t], import-values: %s}
"""


def files(defaults: str, kid: str, imports: str = "[]") -> dict[str, str]:
    return {
        "Chart.yaml": PARENT % imports,
        "values.yaml": defaults,
        "charts/kid/Chart.yaml": "name: kid\nversion: 1.2.0\n",
        "charts/kid/values.yaml": kid,
    }


def info(text: str) -> str:
    return f'level=INFO msg="warning: {text}"'


def missing(text: str) -> str:
    return f'level=WARN msg="ImportValues missing table{text} is not a table"'


@pytest.mark.parametrize(
    ("defaults", "kid", "imports", "values", "told", "reason"),
    [
        ("a: {b: 1}", "x: {y: 2}", "[]", {"a": {"b": 2}}, set(), "everything fits"),
        (
            "a: text", "", "[]", {"a": {"b": 1}},
            {info("skipped value for web.a: Not a table.")},
            "a table for a default that is none",
        ),
        (
            "a: {b: {c: 1.0}}", "", "[]", {"a": {"b": 7}},
            {info("cannot overwrite table with non table for web.a.b (map[c:1])")},
            "a text for a table within one",
        ),
        (
            "a: {b: 5}", "", "[]", {"a": {"b": {"c": 1}}},
            {info("destination for web.a.b is a table. Ignoring non-table value (5)")},
            "a table for a default within one",
        ),
        (
            "global: {g: {h: 1}, k: 1}", "", "[]", {"kid": {"global": {"g": 1, "k": {"l": 1}}}},
            {
                r'level=INFO msg="Conflict: cannot merge map onto non-map for \"g\". Skipping."',
                'level=INFO msg="key k is table. Skipping"',
                info("cannot overwrite table with non table for web.kid.global.g (map[h:1])"),
                info("destination for web.kid.global.k is a table. Ignoring non-table value (1)"),
            },
            "globals that a subchart has otherwise",
        ),
        (
            "", "", "[]", {"kid": {"global": 1}},
            {
                info("skipping globals because destination global is not a table."),
                info("cannot overwrite table with non table for web.kid.global (map[])"),
            },
            "globals of a subchart that are no table",
        ),
        (
            "", "", "[]", {"on": "yes", "tags": {"t": 1}},
            {
                'level=WARN msg="returned non-bool value" path=on chart=kid',
                'level=WARN msg="returned non-bool value" tag=t chart=kid',
            },
            "switches that are no booleans",
        ),
        (
            "", "c: {d: 1}", "[up, {child: c.d.e, parent: x}, {child: c, parent: y}]", {},
            {
                missing(r'" error="\"exports\"'),
                missing(r' from chart" chart=kid error="\"d\"'),
            },
            "imports of what is not there",
        ),
    ],
)  # fmt: skip
def test_told(rendered, defaults, kid, imports, values, told, reason) -> None:  # noqa: PLR0917
    notices: list[Notice] = []
    done = rendered(files(defaults, kid, imports), values, tell=notices.append)
    # One may come several times: helm combines values for each chart with dependencies.
    assert {str(notice) for notice in notices} == told, reason
    assert done.manifests == []


def test_told_before_it_fails(rendered) -> None:
    notices: list[Notice] = []
    with pytest.raises(ValuesError, match="type mismatch on kid"):
        rendered(files("", ""), {"kid": "text"}, tell=notices.append)
    failed = 'level=ERROR msg="chart dependencies processing failed"'
    assert list(map(str, notices)) == [f'{failed} error="type mismatch on kid: %!t(string=text)"']


@pytest.mark.parametrize(
    ("value", "word"),
    [("kid", "kid"), ("a b", '"a b"'), ("", '""'), ("k=v", '"k=v"'), ("\x07", r'"\a"')],
)
def test_words_in_a_line(value: Any, word: str) -> None:
    assert str(Notice("WARN", "x", (("path", value),))) == f"level=WARN msg=x path={word}"
