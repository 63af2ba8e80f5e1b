"""What the releases of Helm do differently, read in upstream's sources; 4.3 also has an oracle."""

import pytest

from fluvial.render.helm import (
    HELM_3,
    HELM_4_2,
    HELM_4_3,
    Capabilities,
    ChartError,
    HelmError,
    Release,
    RenderError,
    helm_version,
    load_chart,
    read_values,
    render,
    split_documents,
)
from fluvial.render.kustomize.tree import MemoryTree

CHART = (
    "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: '7'\nkeywords: [a, b]\n"
    "maintainers: [{name: Ann, email: ann@example.com}]\nannotations: {team: core}\n"
    "dependencies: [{name: kid, repository: '', version: 1.x, tags: [t]}]\n"
)
KID = {"charts/kid/Chart.yaml": "name: kid\nversion: 1.0.0\n"}


def printed(version, files, values=None, **given) -> str:
    """Return what the template `a.yaml` of a chart comes to under a release of Helm."""
    tree = MemoryTree({"Chart.yaml": CHART, **KID, **files})
    chart = load_chart(tree, version)
    done = render(
        chart, values or {}, Release(name="r"), Capabilities(**given), helm_version=version
    )
    return done.manifest


@pytest.mark.parametrize(
    ("text", "found", "reason"),
    [
        ("3", HELM_3, "a major means its newest"),
        ("4", HELM_4_3, "the newest of several minors"),
        ("v4.2", HELM_4_2, "a leading v"),
        ("4.2.1", HELM_4_2, "a patch belongs to its minor"),
        ("3.21.4", HELM_3, "a patch of the oldest"),
    ],
)
def test_a_release_is_found(text: str, found, reason: str) -> None:
    assert helm_version(text) is found, reason


@pytest.mark.parametrize("text", ["", "2", "4.20", "latest", "3.2"])
def test_a_release_that_is_not_known(text: str) -> None:
    with pytest.raises(ChartError, match=r"name one of 3\.21, 4\.2, 4\.3"):
        helm_version(text)


@pytest.mark.parametrize(
    ("text", "third", "fourth", "reason"),
    [
        ("a: 1\n\n---\nb: 2\n\n", ["a: 1", "b: 2"], ["a: 1\n\n", "b: 2\n\n"], "the end is trimmed"),
        ("a: 1\n--- \n\n  b: 2", ["a: 1", "b: 2"], ["a: 1\n", "b: 2"], "space after the mark"),
        ("a: 1\n---b: 2", ["a: 1", "b: 2"], ["a: 1\n", "b: 2"], "a mark stuck to its document"),
        ("a: |\n  x\n ---\nb: 2", ["a: |\n  x\n ---\nb: 2"], ["a: |\n  x\n ---\nb: 2"], "indented"),
        ("---\n---\na: 1", ["---\na: 1"], ["a: 1"], "a mark right after one is part of a document"),
        ("\n\n", [], [], "nothing but white space"),
        ("# c\n---\n", ["# c"], ["# c\n"], "a mark at the very end"),
    ],
)
def test_documents(text: str, third: list[str], fourth: list[str], reason: str) -> None:
    assert split_documents(text, HELM_3) == third, reason
    assert split_documents(text, HELM_4_2) == split_documents(text, HELM_4_3) == fourth, reason


@pytest.mark.parametrize(
    ("values", "given", "third", "fourth", "reason"),
    [
        ("a: ~\n", {}, '{"a":null,"kid":{"global":{}}}', '{"kid":{"global":{}}}', "a default null"),
        (
            "a: {b: ~, c: 1}\n", {},
            '{"a":{"b":null,"c":1},"kid":{"global":{}}}', '{"a":{"c":1},"kid":{"global":{}}}',
            "one within a default map",
        ),
        (
            "a: {b: ~, c: 1}\n", {"a": {"d": 2.0}},
            '{"a":{"b":null,"c":1,"d":2},"kid":{"global":{}}}',
            '{"a":{"c":1,"d":2},"kid":{"global":{}}}',
            "one within a map that the user adds to",
        ),
        (
            "a: {b: 1}\n", {"a": {"b": None}},
            '{"a":{},"kid":{"global":{}}}', '{"a":{},"kid":{"global":{}}}',
            "a user's null deletes in all of them",
        ),
        (
            "a: {b: ~}\n", {"a": {"b": None}},
            '{"a":{"b":null},"kid":{"global":{}}}', '{"a":{"b":null},"kid":{"global":{}}}',
            "a user's null over a default null stays in all of them",
        ),
        (
            "kid: {k: ~}\n", {},
            '{"kid":{"global":{},"k":null}}', '{"kid":{"global":{}}}',
            "a default null for a subchart",
        ),
    ],
)  # fmt: skip
def test_nulls(values: str, given, third: str, fourth: str, reason: str) -> None:
    files = {"values.yaml": values, "templates/a.yaml": "kind: A\nv: {{ .Values | toJson }}\n"}

    def seen(version) -> str:
        return printed(version, files, given).partition("v: ")[2].strip()

    assert sorted(seen(HELM_3)) == sorted(third), reason
    assert seen(HELM_4_2) == seen(HELM_4_3) == fourth, reason


@pytest.mark.parametrize(
    ("template", "third", "fourth", "reason"),
    [
        ("{{ .Chart.Nope }}", RenderError, "", "an unknown field"),
        ("{{ typeOf .Chart }}", "struct { chart.Metadata; IsRoot bool }", "map[string]interface {}",
         "the type"),
        ("{{ .Chart.Metadata.Name }}", "web", RenderError, "the metadata within the struct"),
        ("{{ .Chart.Name }}-{{ .Chart.IsRoot }}", "web-true", "web-true", "fields of both"),
        ("{{ range .Chart.Maintainers }}{{ .Name }} {{ .Email }}{{ end }}", "Ann ann@example.com",
         "Ann ann@example.com", "fields of what a list holds"),
        ("{{ .Chart.Annotations.team }}{{ .Chart.Annotations.none }}", "core", "core",
         "annotations are texts"),
        ("{{ (index .Chart.Dependencies 0).Tags }}", "[t]", "[t]", "dependencies"),
        ("{{ index .Chart.Dependencies 0 | toJson }}",
         '{"name":"kid","version":"1.x","repository":"","tags":["t"],"enabled":true}',
         ('{"Alias":"","Condition":"","Enabled":true,"ImportValues":[],"Name":"kid",'
          '"Repository":"","Tags":["t"],"Version":"1.x"}'), "JSON keys"),
        ("{{ index .Chart.Maintainers 0 | toJson }}", '{"name":"Ann","email":"ann@example.com"}',
         '{"Email":"ann@example.com","Name":"Ann","URL":""}', "empty fields of a struct go"),
        ("{{ with .Chart }}{{ kindOf .Sources }}{{ len .Sources }}{{ end }}", "slice0", "slice0",
         "what Chart.yaml does not have is empty"),
        ("{{ .Capabilities.HelmVersion.KubeClientVersion }}", RenderError, ("v1.37", "v1.36"),
         "the client's version is told since Helm 4"),
        ("{{ .Capabilities.HelmVersion.Version }}", "v3.21.4", ("v4.3.1", "v4.2"), "its own"),
        ('{{ semverCompare ">=4" .Capabilities.HelmVersion.Version }}', "false", "true",
         "which charts compare"),
        ('{{ .Files.Lines "empty" | len }}', "0", ("0", "1"), "lines of an empty file"),
        ("{{ mustToYaml 1 }}", RenderError, "1", "a function that Helm 4 brought"),
        ("{{ mustToToml dict }}", RenderError, "", "another one"),
        ('{{ durationSeconds "1m" }}', RenderError, ("60", RenderError), "functions of 4.3"),
        ("{{ .Capabilities.KubeVersion.Version }}", "v1.29.4", "v1.29.4-gke.1",
         "the vendor's suffix of a version that a command line gave"),
        ("{{ .Capabilities.KubeVersion.GitVersion }}", "v1.29.4", "v1.29.4-gke.1",
         "under its old name"),
        ("{{ .Capabilities.KubeVersion }}", "v1.29.4", "v1.29.4", "without a suffix, as text"),
    ],
)  # fmt: skip
def test_objects_and_functions(template: str, third, fourth, reason: str) -> None:
    files = {"templates/a.yaml": f"kind: A\nv: '{template}'\n", "empty": ""}

    def seen(version) -> object:
        given = {"kube_version": "v1.29.4-gke.1", "kube_version_given": True}
        try:
            return printed(version, files, **given).partition("v: '")[2].strip("\n'")
        except HelmError as error:
            return type(error)

    newest, older = fourth if isinstance(fourth, tuple) else (fourth, fourth)
    assert seen(HELM_3) == third, reason
    assert seen(HELM_4_3) == newest, reason
    assert seen(HELM_4_2) == older, reason


def test_webhooks_come_among_unknown_kinds_in_helm_3() -> None:
    kinds = ["ValidatingWebhookConfiguration", "APIService", "Alpha", "Zebra"]
    files = {"templates/a.yaml": "---\n".join(f"kind: {kind}\n" for kind in kinds)}

    def order(version) -> list[str]:
        found = printed(version, files).split("kind: ")[1:]
        return [part.split("\n")[0] for part in found]

    assert order(HELM_3) == ["APIService", "Alpha", "ValidatingWebhookConfiguration", "Zebra"]
    assert order(HELM_4_2) == ["APIService", "ValidatingWebhookConfiguration", "Alpha", "Zebra"]


def test_only_the_first_document_of_values_counts_in_helm_3() -> None:
    text = b"a: 1\n---\na: 2\nb: 3\n"
    assert read_values(text, "values.yaml", HELM_3) == {"a": 1.0}
    assert read_values(text, "values.yaml", HELM_4_2) == {"a": 2.0, "b": 3.0}
    files = {"values.yaml": text.decode(), "templates/a.yaml": "kind: A\na: {{ .Values.a }}\n"}
    assert "\na: 1\n" in printed(HELM_3, files)
    assert "\na: 2\n" in printed(HELM_4_2, files)


def test_a_failing_template_is_told_in_one_line_by_helm_3() -> None:
    files = {
        "templates/_h.tpl": '{{ define "h" }}{{ .Values.a.b }}{{ end }}',
        "templates/a.yaml": '{{ include "h" . }}',
    }
    with pytest.raises(RenderError) as third:
        printed(HELM_3, files)
    assert str(third.value) == (
        'template: web/templates/a.yaml:1:3: executing "web/templates/a.yaml" at <include "h" .>: '
        'error calling include: template: web/templates/_h.tpl:1:26: executing "h" at '
        "<.Values.a.b>: nil pointer evaluating interface {}.b"
    )
    with pytest.raises(RenderError, match=r'^web/templates/a\.yaml:1:3\n  executing "web'):
        printed(HELM_4_2, files)


def test_a_chart_for_another_kubernetes() -> None:
    files = {"Chart.yaml": "name: web\nversion: 1.0.0\nkubeVersion: '>=1.40'\n"}
    given = {"kube_version": "v1.29.4-gke.1", "kube_version_given": True}
    with pytest.raises(ChartError, match=r"incompatible with Kubernetes v1\.29\.4$"):
        printed(HELM_3, files, **given)
    with pytest.raises(ChartError, match=r"incompatible with Kubernetes v1\.29\.4-gke\.1$"):
        printed(HELM_4_2, files, **given)
