"""The folder of parsed templates: found safe before any worker uses it, or done without."""

import os
import tempfile
from pathlib import Path

import pytest

from fluvial.helm.flags import HelmFlags
from fluvial.helm.template_cache import template_folder
from fluvial.toolkit.flags import parse


def test_by_default_it_is_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = template_folder(parse(HelmFlags, []).template_cache)
    assert folder == str(tmp_path / f"helm-controller-templates-{os.geteuid()}")
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    assert template_folder("") == folder, "a controller that starts again uses it again"


def test_a_flag_names_another_or_none(tmp_path):
    wanted = parse(HelmFlags, [f"--template-cache={tmp_path / 'a'}"]).template_cache
    assert template_folder(wanted) == str(tmp_path / "a")
    assert template_folder("off") == ""


@pytest.mark.parametrize("mode", [0o777, 0o750], ids=["group-writable", "readable"])
def test_one_that_others_reach_is_done_without(tmp_path, mode, caplog):
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(mode)
    assert template_folder(str(tmp_path / "a")) == ""
    assert "parsed templates are not kept" in caplog.text


def test_one_that_cannot_be_made_is_done_without(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert template_folder(str(tmp_path / "file" / "a")) == ""
    assert "parsed templates are not kept" in caplog.text
