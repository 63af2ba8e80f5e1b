"""`fluvial build helm` against `helm template`: same lines in, same bytes and status out."""

import pathlib
import subprocess

import pytest

from fluvial.cli.main import main

CHARTS = pathlib.Path(__file__).parents[1] / "charts"
ORACLE = pathlib.Path(__file__).parents[4] / ".venv" / "oracles" / "helm"
FILES = {
    "text.txt": "hello\nworld",
    "one.yaml": "table: {c: 5}\nzz: 12345678\n",
    "two.yaml": "table: null\nkept: x\n",
    "empty.yaml": "",
}

CASES = [
    ("no arguments", ""),
    ("three names", "a b c"),
    ("a chart that is not there", "demo ./nope"),
    ("a repository that is not known", "demo foo/bar"),
    ("a name with capitals", "BAD_name {nulls}"),
    ("no name", "{nulls}"),
    ("a name from a template", "{nulls} --name-template x{{{{add(1)(2)}}}}"),
    ("a name twice", "demo {nulls} -g"),
    ("a template that fails", "demo {failing}"),
    ("output that is no YAML", "demo {noyaml}"),
    ("a cluster that is too old", "demo {toonew}"),
    ("flags between names, a space joined", "demo -n shop {capabilities} --is-upgrade"),
    ("a letter with its value", "demo {capabilities} -nshop"),
    ("more APIs, split and repeated", "demo {capabilities} -a a/v1,b/v1 --api-versions=c/v1"),
    ("a version of two parts", "demo {capabilities} --kube-version 1.30"),
    ("a vendor's version", "demo {capabilities} --kube-version v1.29.3-gke.100"),
    ("a version that is none", "demo {nulls} --kube-version abc"),
    ("remarks on what has no effect", "demo {remarks}"),
    ("remarks before an error", "demo {remarks} --set kid=3"),
    ("hooks come last", "demo {hooks}"),
    ("no hooks", "demo {hooks} --no-hooks"),
    ("no tests", "demo {hooks} --skip-tests"),
    ("CRDs", "demo {crds} --include-crds"),
    ("CRDs are not asked for", "demo {crds}"),
    ("some templates", "demo {hooks} -s templates/*.yaml"),
    ("a template that is not there", "demo {hooks} -s templates/nope.yaml"),
    ("a schema left out", "demo {schema} --skip-schema-validation"),
    ("an unknown flag", "demo {nulls} --bogus"),
    ("an unknown letter", "demo {nulls} -Z"),
    ("a flag without its value", "demo {nulls} --set"),
    ("a switch with a text", "demo {nulls} --no-hooks=x"),
    ("a dry run that is none", "demo {nulls} --dry-run=foo"),
    ("files merge in order", "demo {nulls} -f one.yaml,two.yaml"),
    ("flags win over files", "demo {nulls} --set zz=1 -f one.yaml"),
    ("an empty file", "demo {nulls} -f empty.yaml"),
    ("a file that is not there", "demo {nulls} -f none.yaml"),
    ("set: types", "demo {nulls} --set a=1,b=TRUE,c=Null,d=007,e=1.5,f=12345678901"),
    ("set: lists", "demo {nulls} --set x={{1,a,true}},l[2]=x,l[0].y=z,m[0][1]=3"),
    ("set: escapes", r"demo {nulls} --set a=b\,c,d\.e=f"),
    ("set: null deletes", "demo {nulls} --set table.a=null"),
    ("set: a table over a text", "demo {nulls} --set a=1,a.b=2"),
    ("set: a key alone", "demo {nulls} --set a=1,b"),
    ("set: a key before a comma", "demo {nulls} --set a,b=1"),
    ("set: an index that is none", "demo {nulls} --set a[x]=1"),
    ("set: an index below zero", "demo {nulls} --set a[-1]=1"),
    ("set: a large index", "demo {nulls} --set a[99999]=1"),
    ("set: an open index", "demo {nulls} --set a[=1"),
    ("set: text after an index", "demo {nulls} --set a[0]b=1"),
    ("set: an open list", "demo {nulls} --set a={{x"),
    ("set: too deep", f"demo {{nulls}} --set {'a.' * 31}b=1"),
    ("set-string: no types", "demo {nulls} --set-string a=1,b={{true,2}}"),
    ("set-json: pairs", 'demo {nulls} --set-json a={{"b":1.5}},c=[1,null],d='),
    ("set-json: an object", 'demo {nulls} --set-json {{"table":{{"a":null}}}}'),
    ("set-json: no JSON", "demo {nulls} --set-json a=1x"),
    ("set-json: not a number", "demo {nulls} --set-json a=NaN"),
    ("set-file: text of files", "demo {nulls} --set-file a=text.txt,b={{text.txt,one.yaml}}"),
    ("set-file: no file", "demo {nulls} --set-file a=none.txt"),
    ("set-literal: nothing splits", r"demo {nulls} --set-literal a.b[1]=x=\y,{{"),
]


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle helm is not installed")
@pytest.mark.parametrize(("reason", "line"), CASES, ids=[reason for reason, _ in CASES])
def test_same_as_helm(reason, line, tmp_path, monkeypatch, capsys) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    charts = {path.name: path for path in CHARTS.iterdir()}
    arguments = [word.format_map(charts) for word in line.split()]
    real = subprocess.run(
        [ORACLE, "template", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    status = main(["build", "helm", *arguments])
    shown = capsys.readouterr()
    assert (status, shown.out) == (real.returncode, real.stdout)
    assert shown.err.splitlines() == real.stderr.splitlines()


def test_files_of_a_folder(tmp_path, capsys) -> None:
    chart = str(CHARTS / "crds")
    assert (
        main(["build", "helm", "demo", chart, "--include-crds", "--output-dir", str(tmp_path)]) == 0
    )
    said = [one.removeprefix("wrote ") for one in capsys.readouterr().out.split("\n") if one]
    assert said
    assert all(pathlib.Path(one).read_text().startswith("---\n# Source: crds/") for one in said)


@pytest.mark.parametrize("flag", ["--validate", "--dry-run=server"])
def test_refused(flag, capsys) -> None:
    assert main(["build", "helm", "demo", str(CHARTS / "nulls"), flag]) == 1
    assert "is not supported" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "shown"), [("3", "v3.21.4"), ("4.2", "v4.2"), ("4.3", "v4.3.1"), ("", "v4.3.1")]
)
def test_the_release_of_helm_is_chosen(version, shown, tmp_path, capsys) -> None:
    (tmp_path / "Chart.yaml").write_text("name: c\nversion: 1.0.0\n")
    (tmp_path / "templates").mkdir()
    text = "v: {{ .Capabilities.HelmVersion.Version }} {{ .Capabilities.KubeVersion.Minor }}\n"
    (tmp_path / "templates" / "a.yaml").write_text(text)
    flags = ["--helm-version", version] if version else []
    assert main(["build", "helm", "demo", str(tmp_path), *flags]) == 0
    minor = "37" if shown.startswith("v4.3") else "36"
    assert f"\nv: {shown} {minor}\n" in capsys.readouterr().out


def test_a_release_of_helm_that_is_not_known(capsys) -> None:
    assert main(["build", "helm", "demo", str(CHARTS / "nulls"), "--helm-version", "2"]) == 1
    assert "--helm-version: helm_version '2' is not known" in capsys.readouterr().err
