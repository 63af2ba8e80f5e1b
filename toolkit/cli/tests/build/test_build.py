"""`fluvial build kustomize`."""

import pytest

from fluvial.cli.main import main

CONFIG_MAP = "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: settings\n"


@pytest.fixture
def tree(tmp_path):
    base, overlay = tmp_path / "base", tmp_path / "overlay"
    base.mkdir()
    overlay.mkdir()
    (base / "settings.yaml").write_text(CONFIG_MAP)
    (base / "kustomization.yaml").write_text("resources: [settings.yaml]\n")
    (overlay / "kustomization.yaml").write_text("namePrefix: my-\nresources: [../base]\n")
    return tmp_path


def test_prints_the_objects(tree, capsys):
    assert main(["build", "kustomize", str(tree / "base")]) == 0
    assert capsys.readouterr().out == CONFIG_MAP


def test_an_overlay_reaches_its_base_below_the_root(tree, capsys):
    assert main(["build", "kustomize", str(tree / "overlay"), "--root", str(tree)]) == 0
    assert "name: my-settings" in capsys.readouterr().out


def test_the_root_is_the_repository(tree, capsys):
    (tree / ".git").mkdir()
    assert main(["build", "kustomize", str(tree / "overlay")]) == 0
    assert "name: my-settings" in capsys.readouterr().out


def test_charts_need_their_flag(tree, capsys):
    chart = tree / "base" / "charts" / "shop"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{name: shop, version: 1.0.0}")
    (chart / "values.yaml").write_text("a: b")
    template = CONFIG_MAP.replace("a: b", "a: {{ .Values.a }}")
    (chart / "templates" / "settings.yaml").write_text(template)
    (tree / "base" / "kustomization.yaml").write_text("helmCharts: [{name: shop}]\n")
    arguments = ["build", "kustomize", str(tree / "base")]
    assert main(arguments) == 1
    assert "helmCharts" in capsys.readouterr().err
    assert main([*arguments, "--enable-helm"]) == 0
    assert capsys.readouterr().out == CONFIG_MAP


@pytest.mark.parametrize(
    ("arguments", "said", "reason"),
    [
        (["overlay"], "../base", "a reference leaves the root"),
        (["missing"], "is not a folder", "there is nothing"),
        (["base", "--root", "overlay"], "is not below --root", "outside of the root"),
    ],
)
def test_refusals(tree, capsys, monkeypatch, arguments, said, reason):  # noqa: PLR0917
    monkeypatch.chdir(tree)
    assert main(["build", "kustomize", *arguments]) == 1, reason
    assert said in capsys.readouterr().err, reason
