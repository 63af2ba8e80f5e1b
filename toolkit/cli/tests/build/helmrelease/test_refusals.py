"""`fluvial build helmrelease`: what it refuses, and the way out that it names."""

import pytest

HERE = ("release.yaml", "--source", ".")


def obj(kind, name, namespace="shop", **more):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace},
            **more}  # fmt: skip


FROM = {"kind": "ConfigMap", "name": "c"}


@pytest.mark.parametrize(
    ("spec", "objects", "message", "reason"),
    [
        ({"valuesFrom": [FROM]}, [], "ConfigMap 'shop/c' not found; create it, or say `optional:",
         "a missing object, in the controller's words"),
        ({"valuesFrom": [{**FROM, "valuesKey": "k"}]}, [obj("ConfigMap", "c", data={"j": ""})],
         "missing key 'k' in ConfigMap 'shop/c'; name another with valuesKey", "a missing key"),
        ({"valuesFrom": [FROM]}, [obj("ConfigMap", "c", "other")], "ConfigMap 'shop/c' not found",
         "one of another namespace"),
        ({"valuesFrom": [FROM]}, [obj("ConfigMap", "c"), obj("ConfigMap", "c")],
         "ConfigMap shop/c is there 2 times, in release.yaml, release.yaml: name only",
         "nobody can tell which is meant"),
        ({"valuesFrom": [{"kind": "Secret", "name": "s"}]},
         [obj("Secret", "s", data={"values.yaml": "ENC[x]"}, sops={})],
         "Secret 'shop/s' in release.yaml is encrypted: decrypt it first (`sops -d release.yaml`)",
         "an encrypted Secret"),
        ({"valuesFrom": [{"kind": "Secret", "name": "s"}]},
         [obj("Secret", "s", data={"values.yaml": "hunter2!"})],
         "Secret 's' has data that is no text", "a Secret that is no base64"),
        ({"valuesFrom": [FROM]}, [obj("ConfigMap", "c", data={"values.yaml": "a: [hunter2"})],
         "ConfigMap 'c': no YAML under the key 'values.yaml'", "values that are no YAML"),
        ({"valuesFrom": [FROM]}, [obj("ConfigMap", "c", data={"values.yaml": 5})],
         "release.yaml: ConfigMap 'c': data.values.yaml must be a text: put it into quotes",
         "a number where a server wants a text"),
        ({"valuesFrom": [{"kind": "Secret", "name": "s"}]}, [obj("Secret", "s", stringData=["a"])],
         "release.yaml: Secret 's': stringData must be a map of texts", "data that is no map"),
        ({"releaseName": "Web_App"}, [], "Web_App", "a name that helm refuses"),
        ({"values": ["a"]}, [], "spec.values must be a map", "values that are no map"),
        ({"interval": 5}, [], "release.yaml: HelmRelease shop/web: spec.interval",
         "a field of the wrong type"),
        ({"chart": None}, [], "'web': either spec.chart or spec.chartRef must be set", "no chart"),
        ({"postRenderers": [{"kustomize": {"patches": [{"patch": "- {op: x, path: /a}",
                                                        "target": {"kind": "Secret"}}]}}]}, [],
         "error while running post render", "a patch that is none"),
    ],
)  # fmt: skip
def test_a_release_that_does_not_build(release, refused, *, spec, objects, message, reason):
    release(*objects, **spec)
    said = refused(*HERE)
    assert said.startswith("fluvial build helmrelease: "), reason
    assert message in said, reason
    assert "hunter2" not in said, reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"kind: CustomResourceDefinition\n", "web/crds/shops.yaml of the chart: a definition wit"),
        (b"kind: \xff\n", "web/crds/shops.yaml of the chart is no UTF-8"),
        (b"kind: [hunter2\n", "web/crds/shops.yaml:2:1: "),
    ],
)
def test_definitions_that_are_none(release, refused, folder, content, message):
    (folder / "charts" / "web" / "crds" / "shops.yaml").write_bytes(content)
    release()
    said = refused(*HERE)
    assert message in said
    assert "hunter2" not in said


def test_a_template_that_fails_has_its_place(release, refused, folder):
    template = folder / "charts" / "web" / "templates" / "app.yaml"
    template.write_text('{{ fail "no such shop" }}')
    release()
    assert "web/templates/app.yaml:1:3" in refused(*HERE)


@pytest.mark.parametrize(
    ("flags", "message", "reason"),
    [
        ([], ("2 HelmReleases: choose one with --name and -n: shop/web (release.yaml), "
         "shop/cache (cache.yaml)"), "more than one"),
        (["--name", "none"], "no HelmRelease 'none': there is shop/web (release.yaml)", "none"),
        (["-n", "other"], "no HelmRelease in the namespace 'other': there is", "none there"),
        (["--name", "web", "-n", "other"], "no HelmRelease 'web' in the namespace 'other'", "both"),
    ],
)  # fmt: skip
def test_which_release_is_meant_must_be_clear(release, refused, write, *, flags, message, reason):
    cache = release(name="cache")
    write("cache.yaml", cache)
    release()
    assert message in refused("release.yaml", "cache.yaml", "--source", ".", *flags), reason


def test_one_release_in_two_files_is_not_two_to_choose_from(release, refused, write):
    write("overlay.yaml", release())
    said = refused("release.yaml", "overlay.yaml", "--source", ".")
    assert "HelmRelease web is there 2 times, in release.yaml, overlay.yaml: name only" in said


def test_a_file_that_is_named_twice_is_read_once(release, build):
    release()
    assert build("release.yaml", "./release.yaml", ".", "--source", ".") == build(*HERE)


def test_one_of_several_is_chosen(release, build, write):
    cache = release(name="cache", namespace="")
    write("cache.yaml", cache)
    release()
    files = ("release.yaml", "cache.yaml", "--source", ".")
    assert "namespace: shop\n" in build(*files, "--name", "web")
    assert "namespace: default\n" in build(*files, "--name", "cache")
    assert "namespace: other\n" in build(*files, "-n", "other"), "one without a namespace is in any"


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        ([], "name the file of a HelmRelease, or - for standard input", 2),
        (["release.yaml", "--frob"], "unknown flag: --frob", 2),
        (["release.yaml", "--provenance=xml"], "--provenance: 'xml' is none of text, json", 2),
        (["none.yaml"], "cannot read none.yaml: No such file or directory", 1),
        (["broken.yaml"], "broken.yaml is not YAML: ", 1),
        (["charts/web/values.yaml"], "no HelmRelease of helm.toolkit.fluxcd.io", 1),
        (["old.yaml"], "'web' is of helm.toolkit.fluxcd.io/v2beta1: write it as", 1),
        ([*HERE, "-s", "templates/none.yaml"], "could not find template templates/none.yaml", 1),
        (["release.yaml"], ("lies in GitRepository shop/fleet: name a folder with what that holds "
         "with --source DIR, or the chart itself with --chart"), 1),
        (["release.yaml", "--source", "none"], "--source none is not a folder", 1),
        (["release.yaml", "--chart", "./none"], 'path "./none" not found', 1),
    ],
)  # fmt: skip
def test_lines_that_are_not_understood(
    release, refused, write, folder, *, arguments, message, status
):
    (folder / "broken.yaml").write_text("a: [hunter2\n")
    write("old.yaml", {**release(), "apiVersion": "helm.toolkit.fluxcd.io/v2beta1"})
    said = refused(*arguments, status=status)
    assert message in said
    assert "hunter2" not in said


def test_an_upgrade_over_values_that_nobody_has(release, refused):
    release(upgrade={"preserveValues": True})
    assert "spec.upgrade.preserveValues" in refused(*HERE, "--is-upgrade")
