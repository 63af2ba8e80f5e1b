"""The specification pages hold the tables that the models give."""

import re
from pathlib import Path

import pytest
import yaml

from fluvial.apis import decode, encode, tables
from fluvial.apis.kinds import ALL

PAGES = Path(__file__).parents[2] / "docs" / "spec"


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_the_tables_are_those_of_the_models(path):
    page = path.read_text(encoding="utf-8")
    assert tables.fill(page) == page, "run `python -m fluvial.apis.tables docs/spec`"


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_every_kind_has_a_page(kind):
    page = (PAGES / f"{kind.kind.lower()}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {kind.kind}\n")
    assert f"`{kind.api_version}`" in page
    assert all(f"short name `{name}`" in page for name in kind.short_names)
    parts = [part for part in ("spec", "status") if hasattr(kind.model, part)]
    assert re.findall(r"fields: (\S+)", page) == [f"{kind.kind}.{part}" for part in parts]
    assert "## Differences from upstream" in page


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_the_example_is_an_object_of_its_kind(kind):
    page = (PAGES / f"{kind.kind.lower()}.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.split("```")[1].removeprefix("yaml"))
    assert (example["apiVersion"], example["kind"]) == (kind.api_version, kind.kind)
    assert missing(example, encode(decode(kind, example))) == []


def missing(expected, actual, path=""):
    """List what a decoded object lost: misspelt fields, for one."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        lost = [f"{path}.{key}" for key in expected.keys() - actual.keys()]
        for key in expected.keys() & actual.keys():
            lost += missing(expected[key], actual[key], f"{path}.{key}")
        return lost
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            text
            for index, pair in enumerate(zip(expected, actual, strict=True))
            for text in missing(*pair, f"{path}[{index}]")
        ]
    return [] if expected == actual else [path]


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("GitRepository.spec", "| `interval` | duration | required | ", "patterns with a name"),
        ("GitRepository.spec", '| `timeout` | duration | `"60s"` | ', "defaults as JSON"),
        ("GitRepository.spec", r"| `url` | string, `^(http\|https\|ssh)://.*$` |", "bars in cells"),
        ("GitRepository.spec", "| `include[].fromPath` | string |  |", "members of lists"),
        ("GitRepository.status", "| `artifact` | [Artifact](common.md#artifact) |", "shared types"),
        ("Kustomization.spec", "| `buildMetadata[]` | `originAnnotations` `trans", "elements"),
        ("Kustomization.spec", "| `namePrefix` | string, at least 1, at most 200 |", "lengths"),
        ("Kustomization.spec", "| `commonMetadata.labels{}` | string |", "members of maps"),
        ("HelmRelease.spec", "| `values` | any |  |", "free form"),
        ("HelmRelease.spec", "\n- either chart or chartRef must be set\n", "rules"),
        ("Canary.spec", "| `service.targetPort` | integer or string |", "a number or a name"),
        ("Canary.spec", "| `service.port` | number | required |", "the schema's own type"),
        ("Canary.spec", "| `analysis.alerts[].severity` | empty `info`", "the empty choice"),
        ("Canary.spec", "`service.match[].uri`: exactly one of: exact; prefix; regex, or none",
         "choices that may be left open"),
        ("Condition", "| `observedGeneration` | integer, at least 0 |", "a shared type itself"),
    ],
)  # fmt: skip
def test_rows(name, row, reason):
    assert row in tables.table(name), reason


def test_the_command_fills_pages_and_leaves_text_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- fields: Artifact -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    assert tables.main([str(tmp_path)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text == f"a\n<!-- fields: Artifact -->\n{tables.table('Artifact')}<!-- end -->\nb\n"


def test_the_command_says_how_it_is_used(capsys):
    assert tables.main([]) == 2
    assert "DIRECTORY" in capsys.readouterr().err


def test_an_unknown_table_is_an_error():
    with pytest.raises(KeyError, match="Nothing"):
        tables.fill("<!-- fields: Nothing.spec -->\n<!-- end -->")
