"""`fluvial new controller`: what it creates works, and what it cannot create it explains."""

import os
import subprocess
import sys

import pytest

from fluvial.cli.main import main
from fluvial.render.yaml import load


def test_what_is_created_passes_its_own_tests(tmp_path, capsys):
    arguments = ["note-controller", "--group=notes.example.org", f"--directory={tmp_path}"]
    assert main(["new", "controller", *arguments]) == 0
    folder = tmp_path / "note-controller"
    assert "Note.notes.example.org" in capsys.readouterr().out
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_the_definition_is_that_of_the_code(tmp_path):
    assert main(["new", "controller", "note-controller", f"--directory={tmp_path}"]) == 0
    folder = tmp_path / "note-controller"
    path = folder / "deploy" / "example.com_notes.yaml"
    created = path.read_text()
    again = [sys.executable, "-m", "fluvial.apis.crds", "deploy", "note_controller.controller:KIND"]
    subprocess.run(again, cwd=folder, env={**os.environ, "PYTHONPATH": "src"}, check=True)
    assert path.read_text() == created
    spec = load(created)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert spec["properties"]["spec"]["properties"]["text"]["description"] == "The text to keep."


def test_names_are_spelled_as_go_does(tmp_path):
    arguments = ["feature-flag-controller", "--plural=featureflags", f"--directory={tmp_path}"]
    assert main(["new", "controller", *arguments]) == 0
    module = tmp_path / "feature-flag-controller" / "src" / "feature_flag_controller"
    source = (module / "controller.py").read_text()
    assert 'define("example.com/v1alpha1", "FeatureFlag", Spec, plural="featureflags")' in source


@pytest.mark.parametrize(
    ("arguments", "expected", "reason"),
    [
        (["Note"], "NAME: 'Note'", "names of Kubernetes are in lower case"),
        (["../note"], "NAME: '../note'", "a name, not a path"),
        (["class"], "word of Python's", "it is a package, too"),
        (["note", "--group=apps"], "--group: 'apps'", "core groups are not ours to extend"),
        (["note", "--kind=note"], "--kind: 'note'", "kinds begin with a capital"),
        (["note", "--plural=a/b"], "--plural: 'a/b'", "it stands in URLs"),
    ],
)
def test_what_cannot_be_is_refused(arguments, expected, reason, tmp_path, capsys):
    assert main(["new", "controller", *arguments, f"--directory={tmp_path}"]) == 1, reason
    assert expected in capsys.readouterr().err, reason
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path, capsys):
    (tmp_path / "note").mkdir()
    assert main(["new", "controller", "note", f"--directory={tmp_path}"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert list((tmp_path / "note").iterdir()) == []
