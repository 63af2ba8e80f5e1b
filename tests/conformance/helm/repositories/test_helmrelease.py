"""`fluvial build helmrelease` gets a chart from where its sources say, as helm does by flags."""

import pytest

from fluvial.cli.main import main
from fluvial.render.yaml import dump_all, load_all

SOURCES = "source.toolkit.fluxcd.io/v1"
LOGIN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login"},
    "stringData": {"username": "me", "password": "secret"},
}
CLIENT = "--ca-file ca.crt --cert-file client.crt --key-file client.key"


def repository(url, **spec):
    return {"kind": "HelmRepository", "spec": {"url": url, **spec}}


def registry(url, **ref):
    spec = {"url": url, "ref": ref, "insecure": True, "interval": "1h"}
    return {"kind": "OCIRepository", "spec": spec}


PLAIN = {"type": "oci", "insecure": True}
HELD = {"secretRef": {"name": "login"}}
CASES = [
    ("the newest release", repository("{files}"), "*", "", "demo shop --repo {files}"),
    ("a range", repository("{files}"), "~1.1", "", "demo shop --repo {files} --version ~1.1"),
    ("a flag wins", repository("{files}"), "~1.1", "--version 1.0.0",
     "demo shop --repo {files} --version 1.0.0"),
    ("a password of a Secret", repository("{closed}", **HELD), "1.0.0", "",
     "demo shop --repo {closed} --version 1.0.0 {me}"),
    ("certificates by flags", repository("{mutual}", certSecretRef={"name": "tls"}), "*", CLIENT,
     f"demo shop --repo {{mutual}} {CLIENT}"),
    ("a registry", repository("oci://{registry}/charts", **PLAIN), "1.x", "",
     "demo oci://{registry}/charts/shop --plain-http --version 1.x"),
    ("a registry with a password", repository("oci://{basic}/charts", **PLAIN, **HELD), "1.0.0", "",
     "demo oci://{basic}/charts/shop --plain-http --version 1.0.0 {me}"),
    ("a tag of a registry", registry("oci://{registry}/charts/shop", tag="1.0.0"), None, "",
     "demo oci://{registry}/charts/shop:1.0.0 --plain-http"),
    ("a tag with build metadata", registry("oci://{registry}/charts/shop", tag="1.1.0_build.5"),
     None, "", "demo oci://{registry}/charts/shop --version 1.1.0+build.5 --plain-http"),
    ("a range of a registry", registry("oci://{registry}/charts/shop", semver="1.x"), None, "",
     "demo oci://{registry}/charts/shop --version 1.x --plain-http"),
    ("a digest", registry("oci://{registry}/charts/shop", digest="{digest}"), None, "",
     "demo oci://{registry}/charts/shop@{digest} --plain-http"),
]  # fmt: skip


def filled(world, value):
    """Put addresses into the texts of an object."""
    if isinstance(value, dict):
        return {key: filled(world, item) for key, item in value.items()}
    return value.format(**world.names) if isinstance(value, str) else value


def release(kind, version):
    """Release the chart of a repository, or with no version that of an OCI reference."""
    reference = {"kind": kind, "name": "shop"}
    chart = {"chart": "shop", "version": version, "sourceRef": reference}
    spec = {"chartRef": reference} if version is None else {"chart": {"spec": chart}}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "demo"},
        "spec": {"interval": "1h", **spec},
    }


@pytest.mark.parametrize(
    ("reason", "source", "version", "flags", "line"), CASES, ids=[reason for reason, *_ in CASES]
)
def test_the_chart_that_helm_gets_by_flags(
    world, ours, tmp_path, capsys, *, reason, source, version, flags, line
):
    named = {"apiVersion": SOURCES, "metadata": {"name": "shop"}, **filled(world, source)}
    (tmp_path / "all.yaml").write_text(dump_all([release(source["kind"], version), named, LOGIN]))
    assert main(["build", "hr", str(tmp_path / "all.yaml"), *flags.split()]) == 0
    printed = capsys.readouterr().out
    status, expected, errors = world.helm("template", *world.fill(line))
    assert status == 0, errors
    assert [(one["kind"], one["data"]) for one in load_all(printed)] == [
        (one["kind"], one["data"]) for one in load_all(expected)
    ], reason


def test_a_secret_that_is_not_at_hand_leaves_the_server_to_refuse(world, ours, tmp_path, capsys):
    named = {"apiVersion": SOURCES, "metadata": {"name": "shop"},
             **filled(world, repository("{closed}", **HELD))}  # fmt: skip
    (tmp_path / "all.yaml").write_text(dump_all([release("HelmRepository", "*"), named]))
    assert main(["build", "hr", str(tmp_path / "all.yaml")]) == 1
    assert "401" in capsys.readouterr().err
