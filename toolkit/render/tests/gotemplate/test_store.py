"""Parsed templates on disk: read again, never trusted, never more than the budget."""

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from fluvial.render.gotemplate import ParsedStore, Templates, keep_parsed, parsed_together
from fluvial.render.gotemplate._compile import compile_text
from fluvial.render.gotemplate._kept import parsed_text
from fluvial.render.gotemplate._parse import parse
from fluvial.render.gotemplate._plain import to_plain

TEXT = """{{- define "labels" -}}
app: {{ .name }}
{{- end }}
{{ range $i, $item := .items }}{{ if eq $i 3 }}{{ break }}{{ else if $item }}{{ continue }}{{ end }}
{{ with $item }}{{ . | print }}{{ else }}none{{ end }}{{ end }}
{{ $x := 1 }}{{ $x = 2 }}{{ template "labels" . }}{{ block "b" $x }}{{ . }}{{ end }}
{{/* long enough to be kept: short texts are parsed as soon as they are read */}}
"""
CHART = {"c/templates/a.yaml": TEXT, "c/templates/_b.tpl": '{{ define "z" }}{{ print 1 }}{{ end }}'}
PARSED = {name: parse(name, text) for name, text in CHART.items()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def anew():
    """Parse as a process does that has just started; afterwards nothing is kept any more."""

    def forget():
        parsed_text.cache_clear()
        compile_text.cache_clear()

    forget()
    yield forget
    keep_parsed(None)
    forget()


def the_file(folder):
    (path,) = folder.iterdir()
    return path


def test_what_was_kept_is_what_was_parsed(folder):
    ParsedStore(folder).save(CHART, PARSED)
    found = ParsedStore(folder).load(CHART)
    assert to_plain(found.values()) == to_plain(PARSED.values())
    assert [parsed.functions for parsed in found.values()] == [{"eq": 4, "print": 5}, {"print": 1}]
    assert stat.S_IMODE(the_file(folder).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({**CHART, "c/templates/a.yaml": TEXT + " "}, "another text"),
        ({"d" + name: text for name, text in CHART.items()}, "another chart"),
        ({"c/templates/a.yaml": TEXT}, "a template less"),
    ],
)
def test_only_the_same_chart_is_found(folder, other, reason):
    store = ParsedStore(folder)
    store.save(CHART, PARSED)
    assert store.load(other) is None, reason


def test_what_is_parsed_together_is_read_from_the_store_the_next_time(folder, anew):
    keep_parsed(ParsedStore(folder))
    outputs = []
    for _ in range(2):
        anew()
        templates = Templates()
        with parsed_together(CHART):
            for name, text in CHART.items():
                templates.add(name, text)
        outputs.append(templates.execute("c/templates/a.yaml", {"name": "n", "items": [0, 1]}))
        # Whoever breaks the content, digest and all, proves that it is read.
        path = the_file(folder)
        data = path.read_bytes()[32:].replace(b"app: ", b"APP: ")
        path.write_bytes(hashlib.sha256(data).digest() + data)
    assert "app: n" in outputs[0]
    assert outputs[1] == outputs[0].replace("app", "APP")


def test_what_is_parsed_beside_never_reaches_the_disk(folder, anew):
    keep_parsed(ParsedStore(folder))
    with parsed_together(CHART):
        parsed_text("gotpl", "{{ print }} the value of a secret" * 20)
    assert list(folder.iterdir()) == []


def test_a_text_that_does_not_parse_leaves_nothing(folder, anew):
    keep_parsed(ParsedStore(folder))
    with pytest.raises(ValueError, match="unexpected"), parsed_together({"a": "{{" * 200}):
        parsed_text("a", "{{" * 200)
    assert list(folder.iterdir()) == []


def test_the_folder_is_for_its_user_alone(tmp_path):
    folder = tmp_path / "deep" / "kept"
    ParsedStore(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_is_open_is_refused(folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(PermissionError, match="open to others"):
        ParsedStore(folder)


def test_a_link_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="not a folder of this user"):
        ParsedStore(tmp_path / "link")


def test_a_folder_of_another_user_is_refused(folder, monkeypatch):
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="not a folder of this user"):
        ParsedStore(folder)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _data: b"", "nothing"),
        (lambda data: data[:-1], "its end is missing"),
        (lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:], "one bit is another"),
        (lambda _data: signed(b"\xc1"), "no msgpack"),
        (lambda _data: signed(b"\x90"), "parts are missing"),
        (lambda _data: signed(b"\x92\x90\x90"), "templates are missing"),
        (
            lambda _data: signed(b"\x92\x90\x92\x92\x91\x94\xa1t\x01\xc2\xc0\x90\x90"),
            "without a body",
        ),
        (lambda _data: signed(msgspec.msgpack.encode(deep(600))), "nested beyond what parses"),
    ],
)
def test_a_damaged_file_counts_as_missing(folder, damage, reason):
    store = ParsedStore(folder)
    store.save(CHART, PARSED)
    path = the_file(folder)
    path.write_bytes(damage(path.read_bytes()))
    assert store.load(CHART) is None, reason
    store.save(CHART, PARSED)
    assert store.load(CHART) is not None


def signed(data):
    return hashlib.sha256(data).digest() + data


def deep(levels):
    return [deep(levels - 1)] if levels else []


def test_a_file_that_others_may_write_to_counts_as_missing(folder):
    store = ParsedStore(folder)
    store.save(CHART, PARSED)
    the_file(folder).chmod(0o620)
    assert store.load(CHART) is None


def test_a_link_in_place_of_a_file_counts_as_missing(folder, tmp_path):
    store = ParsedStore(folder)
    store.save(CHART, PARSED)
    path = the_file(folder).rename(tmp_path / "elsewhere")
    (folder / path.name).symlink_to(path)
    for entry in folder.iterdir():
        entry.unlink()
    store.save(CHART, PARSED)
    kept = the_file(folder)
    kept.rename(tmp_path / "moved")
    kept.symlink_to(tmp_path / "moved")
    assert store.load(CHART) is None


def test_the_budget_holds_and_what_was_used_stays(folder):
    charts = [{"a": TEXT + f"{{{{ print {number} }}}}"} for number in range(40)]
    store = ParsedStore(folder, budget=5_000)
    for chart in charts:
        store.save(chart, {"a": parse("a", chart["a"])})
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 5_000
    assert store.load(charts[-1]) is not None
    assert store.load(charts[0]) is None


def test_a_chart_larger_than_the_budget_is_not_kept(folder):
    ParsedStore(folder, budget=100).save(CHART, PARSED)
    assert list(folder.iterdir()) == []


def test_what_earlier_processes_left_counts_too(folder):
    ParsedStore(folder).save(CHART, PARSED)
    (folder / "tmp_of_a_killed_process").write_bytes(b"x" * 4_500)
    os.utime(folder / "tmp_of_a_killed_process", (0, 0))
    store = ParsedStore(folder, budget=5_000)
    other = {"a": TEXT}
    store.save(other, {"a": parse("a", TEXT)})
    assert not (folder / "tmp_of_a_killed_process").exists()
    assert store.load(other) is not None


def test_writers_at_the_same_time_leave_whole_files(folder):
    stores = [ParsedStore(folder, budget=4_000) for _ in range(4)]
    charts = [{"a": TEXT + f"{{{{ print {number} }}}}"} for number in range(6)]

    def work(store):
        for chart in charts * 5:
            found = store.load(chart)
            if found is None:
                store.save(chart, {"a": parse("a", chart["a"])})
            else:
                assert to_plain(found.values()) == to_plain([parse("a", chart["a"])])

    with ThreadPoolExecutor(len(stores)) as threads:
        list(threads.map(work, stores))
    assert all(len(path.name) == 64 for path in folder.iterdir())


def test_a_folder_that_went_away_is_no_error(folder):
    store = ParsedStore(folder)
    folder.rmdir()
    store.save(CHART, PARSED)
    assert store.load(CHART) is None
