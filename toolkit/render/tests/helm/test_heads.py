"""The quick reader of heads: it agrees with the YAML reader, or leaves the document to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.helm._heads import Head, scan
from fluvial.render.yaml import YamlError, load

PLAIN = """\
# a comment
apiVersion: apps/v1
kind: "Deployment"
metadata:
  labels: {}
  name: 'it''s'  # behind a value
  annotations:
    note: |
      name: of the text
        deeper

      last
    "quoted/key": >-
      folded
spec:
  ports:
  - name: http
    port: 80
  - {name}
"""


def test_the_usual_manifest_is_read():
    second = 'name: https\n    args: ["a", b]\n  list:\n    - --x=http://y:1'
    text = PLAIN.replace("{name}", second)
    assert scan(text) == Head("apps/v1", "Deployment", "it's")


@pytest.mark.parametrize(
    ("text", "head", "reason"),
    [
        ("kind: A\nkind: B", (None, "B", None), "the last of two equal keys wins"),
        ("metadata:\n  name: a\nmetadata:\n  x: y", (None, None, None), "and takes the whole map"),
        ("kind: on\nmetadata:\n  name: 0x10", (None, True, 16), "scalars have YAML's types"),
        ('kind: "on"\nmetadata:\n  name: "1"', (None, "on", "1"), "quoted ones are strings"),
        ("a:\n  kind: X\n  metadata:\n    name: y\nkind: Z", (None, "Z", None),
         "only the outermost map and its metadata count"),
        ("metadata:\n- name: x", (None, None, None), "metadata that is a list has no name"),
        ("a:\n- b:\n  - c\n  d: e\n- f\nkind: G", (None, "G", None), "lists as deep as their key"),
        ("a: |\n\nkind: A", (None, "A", None), "an empty text"),
        ("a: |\n  kind: B\n # no text\nkind: A", (None, "A", None), "a comment behind a text"),
        ("a: one\n  two:three\n\n   - four # end\nkind: A", (None, "A", None),
         "a plain scalar goes on in deeper lines"),
        ("a:\n- one\n  two\nkind: A", (None, "A", None), "one of a list, too"),
        ("a: 'one\n\n  two: # three'\nkind: A", (None, "A", None), "a quoted one holds anything"),
        ("a:\n  {}\nb:\n  'c'\nd:\n  e\n  f\nkind: A", (None, "A", None),
         "a value in the line below its key"),
        ("a: [ \"\" , 'b', c ]\nd: { }\nkind: A", (None, "A", None), "short lists, empty maps"),
        ("kind: A:b#c d", (None, "A:b#c d", None), "colons and hashes within a word"),
        ("name: µ\nkind: Ä", (None, "Ä", None), "letters beyond ASCII"),
    ],
)  # fmt: skip
def test_a_head_is_read(text, head, reason):
    assert scan(text) == head, reason
    assert scan(text) == of_the_reader(text), reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: A\n  b: c", "a map below a scalar is an error"),
        ("a:\n    b: c\n  d: e", "an indentation that nothing opened"),
        ("a: b: c", "a second colon"),
        ("a: b\n  c: d", "a second line that could be a key"),
        ("a: b # c\n  d", "a line behind a comment that ended the scalar"),
        ("a: b\n c\n- d", "a list behind a scalar of two lines"),
        ("a: 'b\n---\n'", "a quoted scalar that runs into the end of the document"),
        ("a:\n  b: c\n- d", "a list behind a map"),
        ("- a\nb: c", "a list that becomes a map"),
        ("a: 'b' c", "something behind a quoted scalar"),
        ('a: "\\/"', "an escape that Go refuses"),
        ("a: .inf", "a number without a JSON form"),
        ("null: a", "a key that JSON does not have"),
        ("a: @b", "a reserved character"),
        ("a: %b", "another one"),
        ("a: b\n\tc: d", "a tab for an indentation"),
        ("a: |\n   \n  b", "a text whose first line is a deeper blank one"),
        ("a: [b", "an open bracket"),
        ("a: *b", "an unknown alias"),
        ("kind: A\x01", "a control character"),
        ("a", "a document that is no map"),
    ],
)
def test_a_faulty_document_is_left_to_the_reader(text, reason):
    assert scan(text) is None, reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: A\n  B", "a scalar of two lines"),
        ("kind: &a A", "an anchor"),
        ("kind: !!str A", "a tag"),
        ("{kind: A}", "flow style"),
        ("kind: |\n  A", "a text for a kind"),
        ('kind: "\\\\A"', "an escape in a kind"),
        ("kind:\nmetadata:\n  name: # none", "a kind without a value, which may come below it"),
        ("? kind\n: A", "an explicit key"),
        ("kind: A\n...\n", "the end of a document"),
        ("a: |2\n  b\nkind: A", "a text that says how deep it is"),
        ("a:\n  -\n    b: c\nkind: A", "an item that starts a line later"),
        ("1: a\nkind: A", "a key that is no word"),
        ("<<: {kind: A}", "a merge key"),
        ("kind: A\u2028", "a line break of Unicode"),
        ("# nothing else", "a document of comments"),
    ],
)
def test_an_unusual_document_is_left_to_the_reader(text, reason):
    load(text)
    assert scan(text) is None, reason


def of_the_reader(text):
    document = load(text)
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return Head(document.get("apiVersion"), document.get("kind"), name)


KEYS = ["apiVersion", "kind", "metadata", "name", "a", '"b c"', "null", "on", "d-1.e/f", "-", "'g'"]
VALUES = [
    "", "A", "v1", "'it''s'", '"q"', '"\\"e\\n"', '"\\x41"', "12", "0b1", "1e3", "yes", "~", "null",
    "{}", "[]", '["a", b,c]', "[a", "|", ">-", "|+", "|1", ".inf", "-.inf", ".info", "-x", "- x",
    "a: b", "a:b", "a:", "a #c", "a#c", "#c", "&n A", "*n", "!t A", "'", '"', "@a", "%a", "`a",
    "? a", "?a", ":a", ",a", "]a", "a]", "{a: b}", "1_000", "2001-01-01", "é", "\x85", "a\tb",
    "!!binary a", "=", "<<", "---", "...", "a ", "\\", "\\/", "'a' b", "'a' #b", "'a'#b",
    "--x=y: z",
]  # fmt: skip
LINES = st.builds(
    lambda indent, dash, key, colon, value, end: f"{indent}{dash}{key}{colon}{value}{end}",
    st.sampled_from(["", "", "", "  ", "  ", "  ", "    ", "    ", " ", "   ", "      ", "\t"]),
    st.sampled_from(["", "", "", "", "- ", "- ", "-   ", "- - ", "-", "-  "]),
    st.sampled_from(KEYS),
    st.sampled_from([": ", ": ", ": ", ": ", ":", "", " : ", ":  "]),
    st.sampled_from(VALUES),
    st.sampled_from(["\n", "\n", "\n", "\n", "\n\n", "\n  \n", " # c\n", "\n # c\n", ""]),
)
MORE = st.builds(
    lambda indent, text, end: f"{indent}{text}{end}",
    st.sampled_from(["  ", "    ", " ", ""]),
    st.sampled_from(["more", "a b", "x: y", "- z", "b'", '"', "{}", "'q'", ":x", "x:", "a # b"]),
    st.sampled_from(["\n", "\n", "\n\n", ""]),
)


@pytest.mark.fuzz
@given(st.lists(LINES | MORE, min_size=1, max_size=9).map("".join))
def test_what_is_read_is_what_the_reader_says(text):
    head = scan(text)
    if head is None:
        return
    try:
        expected = of_the_reader(text)
    except YamlError as error:
        raise AssertionError(f"{text!r} is no YAML: {error}") from error
    assert head == expected
    assert [type(value) for value in head] == [type(value) for value in expected]
