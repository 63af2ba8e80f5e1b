"""The command line as a whole."""

import pytest

from fluvial.cli.main import main


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("demo", "get", "build"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no command"),
        (["demo", "--metrics=graphite"], "no such store"),
        (["demo", "--until=never"], "no such step"),
    ],
)
def test_not_understood(arguments, reason):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2, reason


def test_an_unknown_store_in_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("METRICS", "graphite")
    assert main(["demo"]) == 2
    assert "METRICS=graphite is not known; use embedded or prometheus" in capsys.readouterr().err


def test_get_names_the_kinds_it_knows(capsys):
    assert main(["get", "pods"]) == 2
    assert "unknown kind 'pods'; known are: gitrepositories" in capsys.readouterr().err


def test_get_without_a_cluster(capsys, tmp_path):
    assert main(["get", "--kubeconfig", str(tmp_path / "missing")]) == 1
    assert "missing" in capsys.readouterr().err
