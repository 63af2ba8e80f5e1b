"""Parsed templates on disk: read again, never trusted, never more than the budget."""

import stat

import pytest

from fluvial.render.gotemplate import ParsedStore
from fluvial.render.gotemplate._parse import parse
from fluvial.render.gotemplate._plain import to_plain

TEXT = """{{- define "labels" -}}
app: {{ .name }}
{{- end }}
{{ range $i, $item := .items }}{{ if eq $i 3 }}{{ break }}{{ else if $item }}{{ continue }}{{ end }}
{{ with $item }}{{ . | quote }}{{ else }}none{{ end }}{{ end }}
{{ $x := 1 }}{{ $x = 2 }}{{ template "labels" . }}{{ block "b" $x }}{{ . }}{{ end }}
{{/* long enough to be kept: short texts are parsed as soon as they are read */}}
"""


def test_what_was_kept_is_what_was_parsed(tmp_path):
    folder = tmp_path / "kept"
    parsed = parse("c/templates/a.yaml", TEXT)
    ParsedStore(folder).save(TEXT, parsed)
    found = ParsedStore(folder).load("c/templates/a.yaml", TEXT)
    assert to_plain(found) == to_plain(parsed)
    assert found.functions == parsed.functions


def test_the_same_text_serves_another_name(tmp_path):
    store = ParsedStore(tmp_path / "kept")
    store.save(TEXT, parse("one", TEXT))
    assert [tree.name for tree in store.load("two", TEXT).trees] == ["labels", "b", "two"]


def test_the_folder_is_for_its_user_alone(tmp_path):
    folder = tmp_path / "deep" / "kept"
    ParsedStore(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_is_open_is_refused(tmp_path, mode):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(PermissionError, match="open to others"):
        ParsedStore(folder)


def test_a_link_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="not a folder of this user"):
        ParsedStore(tmp_path / "link")


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xc1", b"\x90", b"\x93\x00\x90\x90", b"\x94\x00\x90\x90\x90\x90", b"\xa3abc",
     b"\x94\x00\x91\x93\xa1t\x01\xc0\x90\x90", b"\x91" * 5000],
)  # fmt: skip
def test_a_damaged_file_counts_as_missing(tmp_path, damage):
    store = ParsedStore(tmp_path / "kept")
    store.save(TEXT, parse("t", TEXT))
    (path,) = (tmp_path / "kept").iterdir()
    path.write_bytes(damage)
    assert store.load("t", TEXT) is None


def test_the_budget_holds_and_what_was_used_stays(tmp_path):
    folder = tmp_path / "kept"
    texts = [TEXT + f"{{{{ print {number} }}}}" for number in range(40)]
    store = ParsedStore(folder, budget=5_000)
    for text in texts:
        store.save(text, parse("t", text))
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 5_000
    assert store.load("t", texts[-1]) is not None
    assert store.load("t", texts[0]) is None


def test_a_folder_that_went_away_is_no_error(tmp_path):
    store = ParsedStore(tmp_path / "kept")
    (tmp_path / "kept").rmdir()
    store.save(TEXT, parse("t", TEXT))
    assert store.load("t", TEXT) is None
