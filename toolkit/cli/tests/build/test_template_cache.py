"""Templates that the command has parsed: kept for its user, unless that is switched off."""

import stat

import pytest

from fluvial.cli.main import main
from fluvial.render.gotemplate import keep_parsed

TEMPLATE = "kind: A\nname: {{ .Release.Name }}\n" + "# so long that parsing it takes a while\n" * 9


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give the command a home of its own, and a chart."""
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text(f"{{name: c{tmp_path.name}, version: 1.0.0}}")
    (tmp_path / "chart" / "templates" / "a.yaml").write_text(TEMPLATE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("FLUVIAL_TEMPLATE_CACHE")
    yield tmp_path / "home"
    keep_parsed(None)


def build(capsys, *flags):
    status = main(["build", "helm", "web", "chart", *flags])
    printed = capsys.readouterr()
    assert status == 0
    assert "name: web" in printed.out
    return printed.err


def test_they_are_in_the_users_cache(home, capsys):
    assert build(capsys) == ""
    folder = home / ".cache" / "fluvial" / "templates"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(list(folder.iterdir())) == 1
    assert build(capsys) == ""


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("XDG_CACHE_HOME={}/xdg", "xdg/fluvial/templates"),
        ("XDG_CACHE_HOME=relative", "home/.cache/fluvial/templates"),
        ("FLUVIAL_TEMPLATE_CACHE={}/own", "own"),
    ],
    ids=["the system's caches", "which are absolute or void", "a folder that is named"],
)
def test_another_folder(home, capsys, monkeypatch, variable, place):
    name, _, value = variable.format(home.parent).partition("=")
    monkeypatch.setenv(name, value)
    build(capsys)
    assert len(list((home.parent / place).iterdir())) == 1


@pytest.mark.parametrize(
    ("flag", "variable"), [(["--no-template-cache"], ""), ([], "off")], ids=["flag", "variable"]
)
def test_it_is_switched_off(home, capsys, monkeypatch, flag, variable):
    monkeypatch.setenv("FLUVIAL_TEMPLATE_CACHE", variable)
    build(capsys, *flag)
    assert not home.exists()


def test_a_folder_that_others_can_open_is_told_and_not_used(home, capsys):
    folder = home / ".cache" / "fluvial" / "templates"
    folder.mkdir(parents=True)
    folder.chmod(0o775)
    assert "parsed templates are not kept" in build(capsys)
    assert list(folder.iterdir()) == []


def test_a_home_that_cannot_be_written_is_done_without(home, capsys):
    home.write_text("no folder")
    assert build(capsys) == ""
