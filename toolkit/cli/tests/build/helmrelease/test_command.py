"""`fluvial build helmrelease`: what it prints."""

import io
import sys

import pytest

from fluvial.cli.main import main
from fluvial.render.yaml import dump_all, load_all

HERE = ("release.yaml", "--source", ".")


def config(name="web-values", namespace="shop", kind="ConfigMap", **data):
    place = {"namespace": namespace} if namespace else {}
    field = "data" if kind == "ConfigMap" else "stringData"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **place}, field: data}


VALUES = config(**{"values.yaml": "replicas: 3\nimage:\n  tag: v2\n"})
SECRET = config("web", "", "Secret", token="hunter2")
ENCODED = {**config("web", "", "Secret"), "data": {"token": "aHVudGVyMg=="}}
FROM = [
    {"kind": "ConfigMap", "name": "web-values"},
    {"kind": "Secret", "name": "web", "valuesKey": "token", "targetPath": "token"},
]


def by_kind(text):
    return {one["kind"]: one for one in load_all(text)}


def test_a_release_is_printed_in_install_order_with_its_definitions_and_tests(release, build):
    release(targetNamespace="prod", commonMetadata={"labels": {"team": "shop"}})
    printed = build(*HERE)
    assert [line for line in printed.splitlines() if line.startswith("# Source")] == [
        "# Source: web/crds/shops.yaml",
        "# Source: web/templates/secret.yaml",
        "# Source: web/templates/app.yaml",
        "# Source: web/templates/test.yaml",
    ]
    found = by_kind(printed)
    origin = {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop"}
    assert found["CustomResourceDefinition"]["metadata"]["labels"] == origin
    assert found["Deployment"]["metadata"] == {
        "name": "prod-web",
        "namespace": "prod",
        "labels": {**origin, "team": "shop"},
    }


@pytest.mark.parametrize(
    ("spec", "objects", "flags", "expected", "reason"),
    [
        ({}, [], [], (1, "web:v1", "none"), "the chart's defaults"),
        ({"values": {"replicas": 2}}, [], [], (2, "web:v1", "none"), "inline values"),
        ({"valuesFrom": FROM}, [VALUES, SECRET], [], (3, "web:v2", "hunter2"), "stringData"),
        ({"valuesFrom": FROM}, [VALUES, ENCODED], [], (3, "web:v2", "hunter2"), "data"),
        ({"valuesFrom": FROM, "values": {"image": {"tag": "v3"}}}, [VALUES, SECRET], [],
         (3, "web:v3", "hunter2"), "inline values win"),
        ({"valuesFrom": [{**FROM[0], "optional": True}]}, [], [], (1, "web:v1", "none"),
         "an optional one that is missing"),
        ({"valuesFrom": FROM[:1]}, [VALUES, config(**{"values.yaml": "replicas: 9", "x": ""},
                                                   namespace="other")], [],
         (3, "web:v2", "none"), "of the release's own namespace"),
        ({"postRenderers": [{"kustomize": {"images": [{"name": "web", "newTag": "v7"}]}}]}, [], [],
         (1, "web:v7", "none"), "images of a post-renderer"),
        ({"chart": {"spec": {"chart": "./charts/web", "valuesFiles": ["prod.yaml"],
                             "sourceRef": {"kind": "Bucket", "name": "fleet"}}}}, [], [],
         (5, ":v9", "none"), "values files replace the chart's own"),
        ({}, [], ["--chart", "charts/web", "--source", "charts"], (1, "web:v1", "none"),
         "a chart that a flag names"),
    ],
)  # fmt: skip
def test_values(release, build, folder, *, spec, objects, flags, expected, reason):
    (folder / "prod.yaml").write_text("replicas: 5\nimage: {tag: v9, name: ''}\n")
    release(*objects, **spec)
    found = by_kind(build(*HERE, *flags))
    wanted = found["Deployment"]["spec"]
    image = wanted["containers"][0]["image"]
    token = found["Secret"]["stringData"]["token"]
    assert (wanted["replicas"], image, token) == expected, reason


def test_an_upgrade_is_the_second_revision(release, build):
    release(install={"crds": "Skip"}, upgrade={"crds": "CreateReplace"})
    first, second = by_kind(build(*HERE)), by_kind(build(*HERE, "--is-upgrade"))
    assert "CustomResourceDefinition" not in first
    assert "CustomResourceDefinition" in second
    assert first["Deployment"]["spec"].get("upgraded") is None
    assert first["Deployment"]["spec"]["revision"] == 1
    assert second["Deployment"]["spec"]["upgraded"] is True
    assert second["Deployment"]["spec"]["revision"] == 2


@pytest.mark.parametrize(
    ("flags", "kinds", "reason"),
    [
        (["--skip-crds"], ["Secret", "Deployment", "Pod"], "no definitions"),
        (["--skip-tests"], ["CustomResourceDefinition", "Secret", "Deployment"], "no tests"),
        (["--no-hooks"], ["CustomResourceDefinition", "Secret", "Deployment"], "no hooks"),
        (["-s", "templates/app.yaml"], ["Deployment"], "one template"),
    ],
)
def test_parts_are_left_out(release, build, flags, kinds, reason):
    release()
    assert [one["kind"] for one in load_all(build(*HERE, *flags))] == kinds, reason


def test_only_definitions_count_in_crds(release, capsys, folder):
    (folder / "charts" / "web" / "crds" / "more.yaml").write_text("kind: Shop\napiVersion: a/v1\n")
    release()
    assert main(["build", "helmrelease", *HERE]) == 0
    printed = capsys.readouterr()
    assert "kind: Shop" not in printed.out
    assert "not a CustomResourceDefinition, skipped" in printed.err
    assert "file=web/crds/more.yaml" in printed.err


def test_what_is_encrypted_in_a_printed_secret_is_masked(release, build):
    text = "sops: {mac: x}\nkey: ENC[AES256_GCM]\n"
    release(values={"token": text})
    assert by_kind(build(*HERE))["Secret"]["stringData"]["token"] == "KipTT1BTKio="


def test_the_schema_counts_unless_it_is_disabled(release, build, refused, folder):
    (folder / "charts" / "web" / "values.schema.json").write_text('{"required": ["size"]}')
    release()
    assert "size" in refused(*HERE)
    release(install={"disableSchemaValidation": True})
    assert "kind: Deployment" in build(*HERE)


def test_the_cluster_is_what_flags_say(release, build, refused, folder):
    template = folder / "charts" / "web" / "templates" / "cluster.yaml"
    template.write_text(
        "kind: Cluster\napiVersion: a/v1\nmetadata: {name: c}\n"
        "version: {{ .Capabilities.KubeVersion.Version }}\n"
        'known: {{ .Capabilities.APIVersions.Has "shops.example.com/v1" }}\n'
    )
    release()
    shown = by_kind(build(*HERE, "--kube-version", "1.30", "-a", "shops.example.com/v1"))
    assert shown["Cluster"]["version"] == "v1.30"
    assert shown["Cluster"]["known"] is True
    assert "invalid kube version 'x'" in refused(*HERE, "--kube-version", "x", status=2)


def test_objects_come_from_folders_lists_and_standard_input(
    release, build, folder, monkeypatch, write
):
    wanted = release(valuesFrom=FROM)
    (folder / "release.yaml").unlink()
    (folder / "more" / "deep").mkdir(parents=True)
    write("more/release.yml", wanted)
    write("more/deep/values.yaml", VALUES)
    write("more/secret.json", SECRET)
    expected = build("more", "--source", ".")
    assert by_kind(expected)["Deployment"]["spec"]["replicas"] == 3
    listed = {"apiVersion": "v1", "kind": "List", "items": [wanted, VALUES, SECRET]}
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(dump_all([listed]).encode()), encoding="utf-8")
    )
    assert build("-", "--source", ".") == expected


def test_a_broken_file_of_a_folder_is_left_out_and_told(release, capsys, folder):
    release()
    (folder / "broken.yaml").write_text("a: {{ template }}\nb: [\n")
    assert main(["build", "hr", ".", "--source", "."]) == 0
    assert "left out: broken.yaml is not YAML" in capsys.readouterr().err


def test_help(build):
    shown = build("--help")
    assert "--provenance[=text|json]" in shown
    assert "--registry-config" in shown
