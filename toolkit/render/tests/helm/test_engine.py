"""Rendering: what templates see, how they call each other, and how they fail."""

import pytest

from fluvial.render.helm import (
    Capabilities,
    ChartError,
    Release,
    RenderError,
    ValuesError,
)


def text_of(rendered, template: str, values=None, files=None, **options) -> str:
    """Render one template whose output is a comment, and return that."""
    done = rendered({"templates/a.yaml": f"# {template}", **(files or {})}, values, **options)
    return done.manifests[0].text.removeprefix("# ") if done.manifests else ""


@pytest.mark.parametrize(
    ("template", "expected", "reason"),
    [
        ("{{ .Values.n }}", "1e+06", "a large number is a float"),
        ("{{ .Values.n | int64 }}", "1000000", "until it is cast"),
        ("{{ .Values.missing }}|", "|", "what is missing prints nothing"),
        ("{{ .Values.missing.x }}", None, "but has no fields"),
        ("{{ .Chart.Version }} {{ .Chart.Nope }}|", "1.2.3 |", "the chart is a map"),
        ("{{ .Release.Name }}/{{ .Release.Namespace }}", "shop/apps", "the release"),
        ("{{ .Release.IsInstall }} {{ .Release.Revision }}", "true 1", "the first revision"),
        ("{{ .Capabilities.KubeVersion }}", "v1.37.0", "prints as its version"),
        ("{{ .Template.Name }}", "web/templates/a.yaml", "its own path"),
        ("{{ .Template.BasePath }}", "web/templates", "and that of its folder"),
        ('{{ lookup "v1" "Pod" "" "" }}', "map[]", "nothing without a cluster"),
        ('{{ getHostByName "localhost" }}|', "|", "no names are resolved"),
        ('{{ env "HOME" }}', None, "no environment"),
        ('{{ (.Files.Glob "none/*").AsConfig }}', "{}", "no files are an empty mapping"),
        (
            '{{ len (deepCopy .).Files }} {{ (deepCopy .Files).Get "x" }}|',
            "0 |",
            "a copy of the root has its files",
        ),
        ("{{ typeOf .Values }} {{ typeOf .Files }}", "common.Values engine.files", "Go's types"),
    ],
)
def test_objects(rendered, template: str, expected: str | None, reason: str) -> None:
    if expected is None:
        with pytest.raises(RenderError):
            text_of(rendered, template)
    else:
        assert text_of(rendered, template, {"n": 1000000}) == expected, reason


def test_an_upgrade_says_so(rendered) -> None:
    release = Release(name="r", revision=4, is_install=False, is_upgrade=True)
    template = "{{ .Release.IsUpgrade }} {{ .Release.IsInstall }} {{ .Release.Revision }}"
    assert text_of(rendered, template, release=release) == "true false 4"


def test_lookup_asks_who_renders(rendered) -> None:
    asked = []

    def lookup(*question: str) -> dict[str, object]:
        asked.append(question)
        return {"data": {"n": 5}}

    template = '{{ (lookup "v1" "Secret" "apps" "s").data.n | kindOf }}'
    assert text_of(rendered, template, lookup=lookup) == "float64"
    assert asked == [("v1", "Secret", "apps", "s")]


@pytest.mark.parametrize(
    ("known", "question", "answer"),
    [
        (["v1", "shop.dev/v1", "shop.dev/v1/Cart"], "shop.dev/v1/Cart", "true"),
        (["v1"], "apps/v1", "false"),
        (None, "apps/v1", "true"),
        (None, "monitoring.coreos.com/v1", "false"),
    ],
)
def test_api_versions(rendered, known, question: str, answer: str) -> None:
    template = f'{{{{ .Capabilities.APIVersions.Has "{question}" }}}}'
    assert text_of(rendered, template, capabilities=Capabilities(api_versions=known)) == answer


@pytest.mark.parametrize(
    ("version", "shown"), [("1.29", "v1.29 1 29"), ("v1.29.3-gke.1", "v1.29.3-gke.1 1 29")]
)
def test_kube_versions(rendered, version: str, shown: str) -> None:
    template = "{{ with .Capabilities.KubeVersion }}{{ . }} {{ .Major }} {{ .Minor }}{{ end }}"
    capabilities = Capabilities(kube_version=version)
    assert text_of(rendered, template, capabilities=capabilities) == shown


@pytest.mark.parametrize(
    ("needed", "version", "fits"),
    [
        (">=1.20-0", "v1.29.3-gke.1", True),
        (">=1.20", "v1.29.3-gke.1", False),
        (">=1.40-0", "v1.36.0", False),
        ("nonsense >", "v1.36.0", False),
    ],
)
def test_the_chart_names_its_kubernetes(rendered, needed: str, version: str, fits: bool) -> None:
    files = {"Chart.yaml": f'name: web\nversion: 1.0.0\nkubeVersion: "{needed}"\n'}
    capabilities = Capabilities(kube_version=version)
    if fits:
        assert rendered(files, capabilities=capabilities).manifests == []
    else:
        with pytest.raises(ChartError, match="incompatible with Kubernetes v1"):
            rendered(files, capabilities=capabilities)


def test_a_kube_version_that_is_none(rendered) -> None:
    with pytest.raises(ChartError, match="'latest'"):
        rendered({}, capabilities=Capabilities(kube_version="latest"))


@pytest.mark.parametrize(
    ("helper", "template", "message", "reason"),
    [
        (
            '{{ define "h" }}\n{{ required "set .host" .Values.host }}{{ end }}',
            '{{ include "h" . }}',
            "execution error at (web/templates/a.yaml:1:5): set .host",
            "the outermost place, the message alone",
        ),
        ("", '{{ fail "no\nway" }}', "no\nway", "a message of two lines"),
        (
            "",
            "{{ nosuch }}",
            'parse error at (web/templates/a.yaml:1): function "nosuch" not defined',
            "a function that does not exist",
        ),
        (
            "",
            '{{ include "nope" . }}',
            'no template "nope" associated with template "gotpl"',
            "a template that does not exist",
        ),
        (
            "",
            '{{ tpl "{{ .Values.a.b }}" . }}',
            "error during tpl function execution for",
            "within tpl",
        ),
        (
            '{{ define "h" }}{{ include "h" . }}{{ end }}',
            '{{ include "h" . }}',
            "nested reference name: h",
            "a template that includes itself",
        ),
        ("", '{{ required "r" "" }}', "r", "an empty text is nothing"),
    ],
)
def test_failures(rendered, helper: str, template: str, message: str, reason: str) -> None:
    with pytest.raises(RenderError) as raised:
        text_of(rendered, template.replace("\n", "\\n"), files={"templates/_h.tpl": helper})
    assert message in str(raised.value), reason
    assert raised.value.file, reason
    assert "HELM_ERR" not in str(raised.value)


def test_required_passes_false_and_zero(rendered) -> None:
    assert text_of(rendered, '{{ required "r" false }} {{ required "r" 0 }}') == "false 0"


def test_definitions_of_tpl_stay_inside(rendered) -> None:
    helper = {"templates/_h.tpl": '{{ define "who" }}out{{ end }}'}
    text = '{{ define "who" }}in{{ end }}{{ include "who" . }}'
    template = '{{ tpl .Values.text . }} {{ include "who" . }}'
    assert text_of(rendered, template, {"text": text}, helper) == "in out"


def test_notes_and_subcharts(rendered) -> None:
    done = rendered(
        {
            "templates/NOTES.txt": "Visit {{ .Release.Name }}\n",
            "charts/sub/Chart.yaml": "name: sub\nversion: 1.0.0\n",
            "charts/sub/templates/NOTES.txt": "not this",
            "charts/sub/crds/b.yaml": "kind: B",
            "crds/a.yaml": "kind: {{ A }}",
            "crds/README.md": "no",
        }
    )
    assert done.notes == "Visit shop\n"
    assert done.manifests == []
    assert [(file.name, file.data) for file in done.crds] == [
        ("web/crds/a.yaml", b"kind: {{ A }}"),
        ("web/charts/sub/crds/b.yaml", b"kind: B"),
    ]


SCHEMA = (
    '{"type": "object", "properties": {"port": {"type": "integer"}, "key": {"maxLength": 3}},'
    ' "required": ["port"]}'
)


@pytest.mark.parametrize(
    ("values", "problem", "reason"),
    [
        ({"port": 80}, "", "a whole float is an integer"),
        ({"port": 80.5}, "at '/port'", "another is not"),
        ({}, "at ''", "what is required"),
        ({"port": 1, "key": "hunter2"}, "at '/key'", "values are not quoted: they may be secret"),
    ],
)
def test_schema(rendered, values, problem: str, reason: str) -> None:
    files = {"values.schema.json": SCHEMA}
    if not problem:
        assert rendered(files, values).manifests == []
        return
    with pytest.raises(ValuesError, match=problem) as raised:
        rendered(files, values)
    assert "web:\n- at " in str(raised.value), reason
    assert "hunter2" not in str(raised.value)
    assert rendered(files, values, skip_schema=True).manifests == []


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ('{"$ref": "http://127.0.0.1:1/x.json"}', r"would have to be fetched: [^\n]+\Z"),
        ('{"$ref": "file:///etc/passwd"}', "would have to be fetched"),
        ("{", "cannot be used"),
    ],
)
def test_schemas_that_cannot_be_used(rendered, schema: str, problem: str) -> None:
    with pytest.raises(ValuesError, match=problem):
        rendered({"values.schema.json": schema})


def test_a_subcharts_schema_holds_too(rendered) -> None:
    files = {
        "charts/sub/Chart.yaml": "name: sub\nversion: 1.0.0\n",
        "charts/sub/values.schema.json": SCHEMA,
    }
    with pytest.raises(ValuesError, match="sub:\n- at ''"):
        rendered(files)


def test_templates_of_a_chart_share_their_root(rendered) -> None:
    """The last file by name runs first; what it sets is there for all that follow."""
    done = rendered(
        {
            "templates/z.yaml": '{{ $_ := set $ "Extra" "set" }}{{ $_ := set .Values "n" 2 }}',
            "templates/a.yaml": "# {{ .Extra }} {{ .Values.n }} {{ .Template.Name }}",
        },
        {"n": 1},
    )
    assert done.manifests[0].text == "# set 2 web/templates/a.yaml"


def test_a_blank_text_replaces_the_template_that_runs_it(rendered) -> None:
    """`tpl` within `tpl`: an empty text prints nothing, and does not run the outer one again."""
    template = "{{ tpl .Values.outer . }}"
    assert text_of(rendered, template, {"outer": "<{{ tpl .Values.inner . }}>", "inner": " "}) == (
        "< >"
    )
    assert text_of(rendered, template, {"outer": "<{{ tpl .Values.inner . }}>", "inner": ""}) == (
        "<>"
    )
