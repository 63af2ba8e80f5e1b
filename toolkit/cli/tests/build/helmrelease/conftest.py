"""A chart, and manifests that release it."""

import pytest

from fluvial.cli.main import main
from fluvial.render.yaml import dump_all

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "values.yaml": "replicas: 1\nimage:\n  name: web\n  tag: v1\n",
    "templates/app.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  revision: {{ .Release.Revision }}
  {{- if .Release.IsUpgrade }}
  upgraded: true
  {{- end }}
  containers:
    - name: web
      image: {{ .Values.image.name }}:{{ .Values.image.tag }}
""",
    "templates/secret.yaml": """\
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  token: {{ .Values.token | default "none" | quote }}
""",
    "templates/test.yaml": """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test}
""",
    "crds/shops.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: shops.example.com
""",
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Be in a folder with the chart `charts/web`, and without parsed templates on disk."""
    for name, text in CHART.items():
        path = tmp_path / "charts" / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLUVIAL_TEMPLATE_CACHE", "off")
    return tmp_path


@pytest.fixture
def write(folder):
    """Write objects into a file of the folder."""

    def run(file, *objects):
        (folder / file).write_text(dump_all(list(objects)))

    return run


@pytest.fixture
def release(write):
    """Write `release.yaml` with one HelmRelease; keywords are fields of its spec."""

    def run(*more, name="web", namespace="shop", **spec):
        source = {"kind": "GitRepository", "name": "fleet"}
        chart = {"chart": {"spec": {"chart": "charts/web", "sourceRef": source}}}
        obj = {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
            "spec": {"interval": "10m", **({} if "chartRef" in spec else chart), **spec},
        }
        write("release.yaml", obj, *more)
        return obj

    return run


@pytest.fixture
def build(capsys):
    """Run the command; return what it prints."""

    def run(*arguments):
        status = main(["build", "helmrelease", *arguments])
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        return printed.out

    return run


@pytest.fixture
def refused(capsys):
    """Run the command, which must fail; return what it says."""

    def run(*arguments, status=1):
        assert main(["build", "helmrelease", *arguments]) == status
        printed = capsys.readouterr()
        assert not printed.out
        return printed.err

    return run
