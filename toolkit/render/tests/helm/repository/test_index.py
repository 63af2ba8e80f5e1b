"""index.yaml: what is found in it, in whatever shape it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.render.helm.repository import ChartNotFound, ChartVersion, Index, IndexInvalid
from fluvial.render.yaml import dump

ENTRY = {"apiVersion": "v2", "name": "shop", "urls": ["shop.tgz"]}


def index(*versions, name="shop", **head):
    entries = [{**ENTRY, "name": name, "version": version} for version in versions]
    return {"apiVersion": "v1", "entries": {name: entries}, "generated": "2026-01-01", **head}


def block(document):
    return Index(dump(document).encode())


def found(source, name="shop", version="", **options):
    try:
        return source.find(name, version, **options).version
    except ChartNotFound as error:
        return f"! {error}"


VERSIONS = ("1.0.0", "1.2.0", "2.0.0-rc.1", "1.1.0+build.5", "v0.9.0", "1.3")


@pytest.mark.parametrize(
    ("wanted", "version", "reason"),
    [
        ("", "1.3", "the newest release, parts that are missing are zero"),
        ("1.2.0", "1.2.0", "an exact version"),
        ("1.2", "1.2.0", "a version of two parts is a range"),
        ("0.9.0", "v0.9.0", "a leading v does not count"),
        ("v0.9.0", "v0.9.0", "the very text"),
        ("1.1.0+build.5", "1.1.0+build.5", "build metadata, as it is written"),
        ("1.1.0", "1.1.0+build.5", "build metadata makes no difference in a range"),
        ("<1.2.0", "1.1.0+build.5", "the newest below"),
        (">0.0.0-0", "2.0.0-rc.1", "prereleases where the range has one"),
        ("2.0.0-rc.1", "2.0.0-rc.1", "a prerelease by its name"),
        ("^2", "! no chart version found for shop-^2", "no prerelease in a range without"),
        ("9", "! no chart version found for shop-9", "nothing fits"),
        ("^1 || ^9", "1.3", "either of two ranges"),
        ("banana", '! improper constraint: "banana"', "no range"),
    ],
)
def test_version(wanted, version, reason):
    for source in (block(index(*VERSIONS)), Index(json.dumps(index(*VERSIONS)).encode())):
        assert found(source, version=wanted) == version, reason


def test_an_entry_says_what_it_is():
    document = index("1.0.0")
    document["entries"]["shop"][0] |= {
        "digest": "sha256:ab",
        "created": "2026-01-02T03:04:05Z",
        "appVersion": "7",
        "deprecated": True,
        "unknown": {"a": 1},
    }
    assert block(document).find("shop") == ChartVersion(
        name="shop",
        version="1.0.0",
        urls=["shop.tgz"],
        digest="sha256:ab",
        created="2026-01-02T03:04:05Z",
        app_version="7",
        deprecated=True,
    )


@pytest.mark.parametrize(
    ("entry", "problem", "reason"),
    [
        (None, "empty entry", "nothing after the dash"),
        ("text", "must be a mapping", "no mapping"),
        ({"version": "9.0.0"}, "name is required", "no name"),
        ({"name": "a/b", "version": "9.0.0"}, "is invalid", "a name that leads elsewhere"),
        ({"name": "..", "version": "9.0.0"}, "invalid", "a name that leads up"),
        ({"name": "shop"}, "version is required", "no version"),
        ({"name": "shop", "version": "nine"}, "is invalid", "a version that is none"),
        ({"name": "shop", "version": "9.0.0", "type": "x"}, "type", "a type that is none"),
        ({"name": "shop", "version": "9.0.0", "urls": 5}, "urls", "addresses that are none"),
        ({"name": "shop", "version": "9.0.0", "urls": [5]}, "urls", "an address that is none"),
        ({"name": "shop", "version": "9.0.0", "digest": [1]}, "digest", "a digest that is none"),
        (
            {"name": "shop", "version": "9.0.0", "keywords": 1},
            "keywords",
            "a field of another type",
        ),
        ({"name": "shop", "version": "9.0.0", "dependencies": [1]}, "dependencies", "dependencies"),
    ],
)
def test_a_broken_entry_is_passed_over(entry, problem, reason):
    document = index("1.0.0")
    document["entries"]["shop"].insert(0, entry)
    for source in (block(document), Index(json.dumps(document).encode())):
        assert found(source) == "1.0.0", reason
        assert [entry.version for entry in source.versions("shop")] == ["1.0.0"]
        assert [note for note in source.notes if problem in note], source.notes


def test_text_that_is_no_yaml_stays_within_its_entry():
    text = dump(index("1.0.0", "2.0.0")).replace("version: 2.0.0", "version: 2.0.0\n    a: [")
    assert found(Index(text.encode())) == "1.0.0"


def test_without_address():
    document = index("1.0.0", "2.0.0")
    document["entries"]["shop"][1]["urls"] = []
    assert found(block(document)) == "2.0.0"
    assert found(block(document), fetchable=True) == "1.0.0"
    assert found(block(document), version="2.0.0", fetchable=True).startswith("! no chart version")


def test_of_equal_versions_the_first_counts():
    document = index("1.0.0+a", "1.0.0+b")
    assert found(block(document)) == "1.0.0+a"


def test_versions_are_sorted_newest_first():
    names = [entry.version for entry in block(index(*VERSIONS)).versions("shop")]
    assert names == ["2.0.0-rc.1", "1.3", "1.2.0", "1.1.0+build.5", "1.0.0", "v0.9.0"]


SHAPES = [
    (
        """apiVersion: v1
entries:
  shop:
  - name: shop
    version: 1.0.0
""",
        "dashes below keys",
    ),
    (
        """apiVersion: v1
entries:
  shop:
    - name: shop
      version: 1.0.0
""",
        "indented",
    ),
    (
        """apiVersion: v1
entries:
 shop:
 -   version: 1.0.0
     name: shop
""",
        "wide dashes",
    ),
    (
        """entries:
  shop:
  - {name: shop, version: 1.0.0}
apiVersion: v1
""",
        "mappings in flow",
    ),
    (
        """entries:
  shop: [{name: shop, version: 1.0.0}]
apiVersion: v1
""",
        "a list in flow",
    ),
    (
        """entries: {shop: [{name: shop, version: 1.0.0}]}
apiVersion: v1
""",
        "entries in flow",
    ),
    ("""{apiVersion: v1, entries: {shop: [{name: shop, version: 1.0.0}]}}""", "all in flow"),
    (
        """---
apiVersion: v1
entries:
  shop:
  - name: shop
    version: 1.0.0
""",
        "a start",
    ),
    (
        """apiVersion: v1
entries:
  shop:
  - name: shop
    version: 1.0.0
""".replace("\n", "\r\n"),
        "windows",
    ),
    (
        """apiVersion: v1
entries:
  "shop":
  - "name": shop
    "version": "1.0.0"
""",
        "quotes",
    ),
    (
        """apiVersion: v1
entries:
  'shop':
  - name: shop
    version: '1.0.0'
""",
        "single quotes",
    ),
    (
        """apiVersion: v1
entries:  # all

  # one
  shop: # it

  # x
  -
    name: shop
    version: 1.0.0 # y
""",
        "comments and blank lines",
    ),
    (
        """apiVersion: v1
entries:
  shop:
  - name: shop
    version: >-
      1.0.0
""",
        "folded",
    ),
    (
        """apiVersion: v1
entries:
  a:
  - &x
    name: shop
    version: 1.0.0
  shop:
  - *x
""",
        "an alias of another chart's entry",
    ),
    (
        """apiVersion: v1
entries:
  shop:
  - dependencies:
    - name: a
      version: 9.0.0
    name: shop
    version: 1.0.0
""",
        "versions of dependencies",
    ),
    (
        """apiVersion: v1
entries:
  shop:
  - description: |
      x

    name: shop
    version: 1.0.0
  - annotations:
      version: 3.0.0
      c: |
        - version: 2.0.0
    name: shop
    version: 0.1.0
""",
        "versions within texts",
    ),
    (
        """apiVersion: v1
entries:
  shop:
  - name: shop
    version: 1.0.0""",
        "no end of line",
    ),
    (
        """\ufeffapiVersion: v1
entries:
  shop:
  - name: shop
    version: 1.0.0
""",
        "a mark",
    ),
    (
        """apiVersion: v1
entries:
  shop:
  - name: shop
    version: 0.0.1
  shop2:
  - name: shop2
    version: 2.0.0
  shop:
  - name: shop
    version: 1.0.0
""",
        "twice",
    ),
    (
        """apiVersion: v1
entries:
  nix: null
  none:
  shop:
  - name: shop
    version: 1.0.0
serverInfo: {}
""",
        "charts without versions before it",
    ),
]


@pytest.mark.parametrize(
    ("wanted", "version"), [("1.1", "1.1"), ("1.1.0", "1.1.0+b"), ("1.1.0+b", "1.1.0+b")]
)
def test_an_entry_of_this_very_name_wins(wanted, version):
    """Also over newer ones that the text would fit as a range."""
    assert found(block(index("1.1.0+b", "1.1", "1.1.5")), version=wanted) == version


def test_a_line_break_of_unicode():
    text = 'a: "x\n\u2028\n   y"'
    source = Index(
        f"apiVersion: v1\nentries:\n  shop:\n  - {{name: shop, version: 1.0.0, {text}}}\n".encode()
    )
    assert found(source) == "1.0.0"


def test_names_of_other_scripts():
    for text in ("caf\u00e9", '"caf\\xe9"', "'caf\u00e9'", "? caf\u00e9\n  "):
        source = Index(
            f"apiVersion: v1\nentries:\n  {text}:\n  - {{name: caf\u00e9, version: 1.0.0}}".encode()
        )
        assert list(source.names()) == ["caf\u00e9"], text
        assert found(source, "caf\u00e9") == "1.0.0", text


@pytest.mark.parametrize(("text", "reason"), SHAPES, ids=[reason for _, reason in SHAPES])
def test_shape(text, reason):
    source = Index(text.encode())
    assert found(source) == "1.0.0"
    assert "shop" in set(source.names())
    assert found(source, "shop9") == "! no chart name found"


@pytest.mark.parametrize(
    ("data", "problem", "reason"),
    [
        (b"", "empty index.yaml file", "nothing"),
        (b"entries: {}\n", "no API version specified", "no API version"),
        (b'{"entries": {}}', "no API version specified", "no API version in JSON"),
        (b"<html>not found</html>", "holds no mapping", "a page"),
        (b"apiVersion: v1\nentries: [a]\n", "must be a mapping", "a list of entries"),
        (b"apiVersion: v1\nentries: {\n", "no YAML", "what does not parse"),
        (b"apiVersion: v1\nentries: {}\n#" + b"x" * 100, "larger than 64 bytes", "too large"),
    ],
)
def test_no_index(data, problem, reason):
    with pytest.raises(IndexInvalid, match=problem):
        Index(data, 64)


def test_a_large_index_of_another_shape_is_refused():
    text = "{apiVersion: v1, entries: {}, a: " + "x" * (9 << 20) + "}"
    with pytest.raises(IndexInvalid, match="unusual shape"):
        Index(text.encode())


PARTS = st.integers(0, 3)
TEXTS = st.sampled_from(
    ["a", "b c", "x: y", "- version: 9.9.9", "a\nversion: 8.8.8\n  b", "#", "*z"]
)


@pytest.mark.fuzz
@given(
    st.dictionaries(
        st.sampled_from(["shop", "shop-2", "a.b", "true", "1"]),
        st.lists(
            st.fixed_dictionaries(
                {
                    "version": st.builds("{}.{}.{}".format, PARTS, PARTS, PARTS)
                    | st.sampled_from(["1.2", "3", "2.0.0-rc.1", "nix", "1.0.0+a"]),
                    "description": TEXTS,
                    "annotations": st.dictionaries(TEXTS, TEXTS, max_size=2),
                }
            ),
            max_size=4,
        ),
    ),
    st.sampled_from(["", "^1", "1.2", ">0.0.0-0", "2.0.0-rc.1"]),
)
def test_every_way_of_writing_finds_the_same(entries, wanted):
    document = {
        "apiVersion": "v1",
        "entries": {
            name: [{**ENTRY, "name": name, **entry} for entry in versions]
            for name, versions in entries.items()
        },
    }
    block_style, compact = block(document), Index(json.dumps(document).encode())
    flow = Index(b"apiVersion: v1\nentries: " + json.dumps(document["entries"]).encode())
    for name in [*entries, "other"]:
        answers = {found(source, name, wanted) for source in (block_style, compact, flow)}
        assert len(answers) == 1, (name, answers)
