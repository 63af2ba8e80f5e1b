"""Where the chart of a release is: what is asked of the loader, and what is not found."""

import base64
from pathlib import Path

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import HELM_RELEASE
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.cli.build.helmrelease.manifests import Manifests
from fluvial.cli.build.helmrelease.sources import locate

API = "source.toolkit.fluxcd.io/v1"


def source(kind, name, namespace="shop", **spec):
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace},
            "spec": {"interval": "1h", **spec}}  # fmt: skip


def chart(name="web", kind="HelmRepository", source_name="charts", **more):
    return {"chart": name, "sourceRef": {"kind": kind, "name": source_name}, **more}


def template(*arguments, **more):
    return {"chart": {"spec": chart(*arguments, **more)}}


def reference(kind, name="web"):
    return {"chartRef": {"kind": kind, "name": name}}


HTTP = source("HelmRepository", "charts", url="https://charts.example.com/a")
OCI = source("HelmRepository", "charts", type="oci", url="oci://reg.example.com/a/", insecure=True)
CLOSED = source("HelmRepository", "charts", url="https://charts.example.com/a",
                secretRef={"name": "login"}, passCredentials=True)  # fmt: skip
LOGIN = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop"},
         "stringData": {"username": "me"},
         "data": {"password": base64.b64encode(b"hunter2").decode()}}  # fmt: skip
URL = "oci://reg.example.com/a/web"


def oci(**ref):
    return source("OCIRepository", "web", url=URL, ref=ref)


@pytest.fixture
def located(write):
    """Locate the chart of a release with this spec among these objects."""

    def run(spec, objects, **given):
        raw = {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"interval": "1h", **spec},
        }
        write("objects.yaml", *objects)
        return locate(Manifests.read(["objects.yaml"]), decode(HELM_RELEASE, raw), given)

    return run


@pytest.mark.parametrize(
    ("spec", "objects", "given", "place", "version", "repo", "reason"),
    [
        (template(), [HTTP], {}, "web", "", "https://charts.example.com/a", "an index"),
        (template(version="1.x"), [HTTP], {}, "web", "1.x", "https://charts.example.com/a",
         "with a range"),
        (template(version="1.x"), [HTTP], {"version": "2.0.0"}, "web", "2.0.0",
         "https://charts.example.com/a", "a flag names another version"),
        (template(version="1.x"), [OCI], {}, "oci://reg.example.com/a/web", "1.x", "",
         "a registry"),
        (template(version="1.x"), [], {"chart": "mine/web"}, "mine/web", "1.x", "",
         "a chart of a flag is asked for at the version of the spec"),
        (template(version="1.x"), [], {"chart": "web", "repo": "https://a"}, "web", "1.x",
         "https://a", "of a repository by a flag"),
        (reference("HelmChart"), [source("HelmChart", "web", **chart(version="2.x")), HTTP], {},
         "web", "2.x", "https://charts.example.com/a", "by way of a HelmChart"),
        (reference("HelmChart"), [], {"chart": "mine/web"}, "mine/web", "", "",
         "a HelmChart that a flag stands for"),
        (reference("OCIRepository"), [oci(tag="1.2.0")], {}, f"{URL}:1.2.0", "", "", "a tag"),
        (reference("OCIRepository"), [oci(semver="1.x")], {}, URL, "1.x", "", "a range"),
        (reference("OCIRepository"), [oci(digest="sha256:ab", tag="x")], {}, f"{URL}@sha256:ab",
         "", "", "a digest wins"),
        (reference("OCIRepository"), [oci()], {"version": "3.0.0"}, URL, "3.0.0", "", "a flag"),
        (reference("ExternalArtifact"), [], {"chart": "mine/web"}, "mine/web", "", "",
         "what only a cluster has is named by a flag"),
    ],
)  # fmt: skip
def test_places(located, *, spec, objects, given, place, version, repo, reason):
    found = located(spec, objects, **given)
    assert (found.place, found.settings.version, found.settings.repo) == (place, version, repo), (
        reason
    )


def test_a_folder_of_the_source(located, folder):
    found = located(template("./charts/web", "GitRepository", valuesFiles=["a.yaml"]), [],
                    source=".")  # fmt: skip
    assert Path(found.place) == folder / "charts" / "web"
    assert (found.root, found.values_files) == (folder, ["a.yaml"])


def test_who_asks_comes_from_the_secret_unless_flags_say(located):
    settings = located(template(), [CLOSED, LOGIN]).settings
    assert (settings.username, settings.password) == ("me", "hunter2")
    assert settings.pass_credentials
    anywhere = {**CLOSED, "metadata": {"name": "charts"}}
    assert located(template(), [anywhere, LOGIN]).settings.username == "me"
    settings = located(template(), [CLOSED, LOGIN], username="you", password="x").settings
    assert (settings.username, settings.password) == ("you", "x")
    assert not located(template(), [CLOSED]).settings.username, "helm's and docker's files are left"
    assert located(template(), [OCI]).settings.plain_http


@pytest.mark.parametrize(
    ("spec", "objects", "given", "message", "reason"),
    [
        (template(), [], {}, ("HelmRepository shop/charts is in none of the files: name its file, "
         "too, or the chart with --chart"), "no repository"),
        (template(), [source("HelmRepository", "charts", "other", url="https://a")], {},
         "HelmRepository shop/charts is in none", "one of another namespace"),
        (reference("HelmChart"), [], {}, "HelmChart shop/web is in none of the files", "no chart"),
        (reference("OCIRepository"), [], {}, "OCIRepository shop/web is in none", "no registry"),
        (reference("ExternalArtifact"), [], {}, ("ExternalArtifact shop/web has its chart in a "
         "cluster: name the chart with --chart"), "an artifact"),
        (reference("OCIRepository"), [oci(tag="main")], {}, ("'main', is no version of a chart: "
         "name one with --version"), "a tag that is no version"),
        (reference("OCIRepository"), [oci()], {}, "'latest', is no version", "the tag by default"),
        (reference("OCIRepository"), [oci(semver="1.x", semverFilter=".*-rc.*")], {},
         "'.*-rc.*', is no version", "a filter of tags"),
        (template(), [source("HelmRepository", "charts", url="https://a",
                             certSecretRef={"name": "ca"})], {},
         ("HelmRepository shop/charts: spec.certSecretRef is not read: name the files with "
         "--ca-file"), "certificates"),
        (template(), [CLOSED, {**LOGIN, "sops": {}}], {}, ("Secret 'shop/login' in objects.yaml is "
         "encrypted"), "an encrypted login"),
        (template(), [source("HelmRepository", "charts", url=5)], {},
         "objects.yaml: HelmRepository shop/charts: spec.url", "a broken source"),
        (template("../web", "GitRepository"), [], {"source": "charts"},
         "the chart '../web' leaves GitRepository shop/charts", "a path that leads out"),
        (template("none", "GitRepository"), [], {"source": "charts"},
         "no chart found at path 'none' of --source", "a path that is not there"),
    ],
)  # fmt: skip
def test_what_is_not_found(located, *, spec, objects, given, message, reason):
    with pytest.raises(ReleaseRefused) as caught:
        located(spec, objects, **given)
    assert message in str(caught.value), reason


@pytest.mark.parametrize(
    ("spec", "flags", "expected", "reason"),
    [
        ({"valuesFiles": ["a.yaml", "b.yaml"]}, [], "1:b", "later ones win"),
        ({"valuesFiles": ["charts/web/values.yaml", "b.yaml"]}, [], "web:b", "over the chart's"),
        ({"valuesFiles": ["a.yaml", "none.yaml"], "ignoreMissingValuesFiles": True}, [], "1:a",
         "a missing one is ignored"),
    ],
)  # fmt: skip
def test_values_files(release, build, folder, *, spec, flags, expected, reason):
    (folder / "a.yaml").write_text("image: {name: 1, tag: a}\n---\nimage: {tag: second}\n")
    (folder / "b.yaml").write_text("image: {tag: b}\n")
    release(**template("charts/web", "GitRepository", **spec))
    assert f"image: {expected}\n" in build("release.yaml", "--source", ".", *flags), reason


@pytest.mark.parametrize(
    ("files", "message", "reason"),
    [
        (["none.yaml"], "no values file found at path 'none.yaml' of the source", "missing"),
        (["../a.yaml"], "the values file '../a.yaml' leaves its source", "outside"),
        (["list.yaml"], "reading values from 'list.yaml' failed: it is not a mapping", "a list"),
        (["broken.yaml"], "reading values from 'broken.yaml' failed: broken.yaml:2:1", "broken"),
    ],
)
def test_values_files_that_are_refused(release, refused, folder, *, files, message, reason):
    (folder / "list.yaml").write_text("- a\n")
    (folder / "broken.yaml").write_text("a: [hunter2\n")
    release(**template("charts/web", "GitRepository", valuesFiles=files))
    said = refused("release.yaml", "--source", ".")
    assert message in said, reason
    assert "hunter2" not in said


def test_values_files_in_a_chart_of_its_own(release, build, folder):
    (folder / "charts" / "web" / "small.yaml").write_text("image: {name: small, tag: s}\n")
    release(**template(valuesFiles=["small.yaml"]))
    assert "image: small:s\n" in build("release.yaml", "--chart", "charts/web")
