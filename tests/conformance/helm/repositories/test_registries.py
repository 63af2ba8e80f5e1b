"""Charts of registries, pushed by the real helm: the same line in, the same out."""

import base64
import json

import pytest

SHOP = "demo oci://{registry}/charts/shop"
PLAIN = "--plain-http"
CLIENT = "--ca-file ca.crt --cert-file client.crt --key-file client.key"
CASES = [
    ("the newest release", f"{SHOP} {PLAIN}"),
    ("development versions", f"{SHOP} {PLAIN} --devel"),
    ("a version", f"{SHOP} {PLAIN} --version 1.0.0"),
    ("a version with build metadata", f"{SHOP} {PLAIN} --version 1.1.0+build.5"),
    ("a range, whose newest has build metadata", f"{SHOP} {PLAIN} --version ~1.1"),
    ("no version in the range", f"{SHOP} {PLAIN} --version >9"),
    ("no such version", f"{SHOP} {PLAIN} --version 9"),
    ("part of a version is a tag", f"{SHOP} {PLAIN} --version 1.0"),
    ("no version at all", f"{SHOP} {PLAIN} --version banana"),
    ("a tag", f"{SHOP}:1.0.0 {PLAIN}"),
    ("a tag and the same version", f"{SHOP}:1.0.0 {PLAIN} --version 1.0.0"),
    ("a tag and another version", f"{SHOP}:1.0.0 {PLAIN} --version 1.2.0"),
    ("a digest", f"{SHOP}@{{digest}} {PLAIN}"),
    ("a digest and its tag", f"{SHOP}:1.0.0@{{digest}} {PLAIN}"),
    ("a digest and another tag", f"{SHOP}:1.2.0@{{digest}} {PLAIN}"),
    ("a digest and another version", f"{SHOP}@{{digest}} {PLAIN} --version 1.2.0"),
    ("a digest that is not there", f"{SHOP}@sha256:{'0' * 64} {PLAIN}"),
    ("no such chart", f"{SHOP}keeper {PLAIN}"),
    ("no such chart with a tag", f"{SHOP}keeper:1.0.0 {PLAIN}"),
    ("no path", f"demo oci://{{registry}} {PLAIN}"),
    ("a path with capitals", f"demo oci://{{registry}}/Charts {PLAIN}"),
    ("no server at all", f"demo oci://127.0.0.1:1/charts/shop {PLAIN}"),
    ("tokens for those who know the password", f"demo oci://{{bearer}}/charts/shop {PLAIN} {{me}}"),
    ("tokens for nobody", f"demo oci://{{bearer}}/charts/shop {PLAIN}"),
    (
        "a user without password is nobody",
        f"demo oci://{{bearer}}/charts/shop {PLAIN} --username me",
    ),
    ("a password", f"demo oci://{{basic}}/charts/shop {PLAIN} {{me}}"),
    ("a wrong password", f"demo oci://{{basic}}/charts/shop {PLAIN} --username me --password x"),
    ("no password", f"demo oci://{{basic}}/charts/shop {PLAIN}"),
    (
        "a client that shows who it is",
        f"demo oci://{{secure}}/charts/shop {CLIENT}",
    ),
    (
        "plain HTTP does not count beside certificates",
        f"demo oci://{{secure}}/charts/shop {CLIENT} {PLAIN}",
    ),
    ("an authority that is not known", "demo oci://{secure}/charts/shop"),
]


@pytest.mark.parametrize(("reason", "line"), CASES, ids=[reason for reason, _ in CASES])
def test_same_as_helm(world, ours, reason, line):
    words = world.fill(line)
    assert ours(*words) == world.helm("template", *words)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (("config/registry/config.json", "{host}"), "helm's own file"),
        (("docker/config.json", "{host}"), "docker's file"),
        (("docker/config.json", "https://{host}/v1/"), "a key that is an address"),
        (("docker/config.json", "http://{host}"), "a key with a scheme"),
        (("docker/config.json", "other.example.com"), "another host"),
    ],
)
@pytest.mark.parametrize("server", ["bearer", "basic"])
def test_credentials_of_files(world, ours, server, place, reason):
    file, key = place
    host = world.names[server]
    auth = base64.b64encode(b"me:secret").decode()
    path = world.root / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"auths": {key.format(host=host): {"auth": auth}}}))
    words = ("demo", f"oci://{host}/charts/shop", PLAIN)
    try:
        assert ours(*words) == world.helm("template", *words), reason
    finally:
        path.unlink()


CONFIGURATIONS = [
    ({"credsStore": "known"}, "a helper for all"),
    ({"credHelpers": {"{host}": "known"}}, "a helper for this host"),
    ({"credHelpers": {"{host}": "known"}, "credsStore": "broken"}, "which wins over that for all"),
    ({"credHelpers": {"other.example.com": "broken"}}, "a helper for another host"),
    ({"credsStore": "forgetful"}, "a helper that knows nothing"),
    ({"credsStore": "forgetful", "auths": {"{host}": {"auth": "bWU6c2VjcmV0"}}}, "beside auths"),
    ({"credsStore": "missing"}, "a helper that is not there"),
    ({"auths": {"{host}": {"username": "me", "password": "secret"}}}, "in the clear"),
    ({"auths": {"{host}": {}}}, "an empty entry"),
    ({"auths": {"{host}/charts": {"auth": "bWU6c2VjcmV0"}}}, "a key with a path"),
    ({"auths": {"{host}": {"registrytoken": "for-charts/shop"}}}, "a token"),
    ({"auths": {"{host}": {"identitytoken": "x"}}}, "a token that cannot be exchanged"),
    ({}, "nothing"),
]


@pytest.fixture(scope="module")
def helpers(world):
    """Put credential helpers on the path."""
    known = json.dumps({"Username": "me", "Secret": "secret"})
    for name, script in (
        ("known", f"echo '{known}'"),
        ("forgetful", "echo credentials not found in native keychain; exit 1"),
        ("broken", "exit 1"),
    ):
        program = world.root / "bin" / f"docker-credential-{name}"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize(
    ("content", "reason"), CONFIGURATIONS, ids=[reason for _, reason in CONFIGURATIONS]
)
def test_configurations(world, ours, content, reason):
    """Who is asked for a password, and that nobody is before a registry wants one."""
    path = world.root / "docker" / "config.json"
    path.write_text(json.dumps(content).replace("{host}", world.names["bearer"]))
    try:
        for line in (f"demo oci://{{bearer}}/charts/shop {PLAIN}", f"{SHOP} {PLAIN}"):
            words = world.fill(line)
            assert ours(*words) == world.helm("template", *words), reason
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{SHOP} {PLAIN} --version 1.0.0", "a version"),
        (f"{SHOP} {PLAIN} --version 1.1.0+build.5", "build metadata is part of the file's name"),
        (f"{SHOP} {PLAIN} --keyring bob.pub", "another's keyring"),
        (f"demo oci://{{bearer}}/charts/shop {PLAIN} {{me}}", "with a token"),
    ],
)
def test_verified_as_by_helm(world, ours, line, reason):
    """Helm tells of two pulls, one for the package and one for its provenance file."""
    words = world.fill(line)
    words += ["--verify"] if "--keyring" in words else ["--verify", "--keyring", "alice.pub"]
    assert ours(*words)[:2] == world.helm("template", *words)[:2], reason


def test_a_digest_can_be_verified(world, ours):
    """Helm looks for a file of another name then."""
    words = world.fill(f"{SHOP}@{{digest}} {PLAIN} --verify --keyring alice.pub")
    assert ours(*words)[0] == 0
    assert ours(*words[:-1], "bob.pub")[0] == 1


def test_a_tag_with_build_metadata(world, ours):
    """Helm takes neither way of writing it."""
    expected = ours(*world.fill(f"{SHOP} {PLAIN} --version 1.1.0+build.5"))
    for tag in ("1.1.0+build.5", "1.1.0_build.5"):
        assert ours(*world.fill(f"{SHOP}:{tag} {PLAIN}")) == expected


def test_the_address_of_an_index_may_be_a_registry(world, ours):
    registry, files = world.names["registry"], world.servers["files"]
    entry = {"name": "shop", "version": "1.0.0", "urls": [f"oci://{registry}/charts/shop:1.0.0"]}
    index = {"apiVersion": "v1", "entries": {"shop": [entry]}}
    files.files["/to-registry/index.yaml"] = json.dumps(index).encode()
    words = ("demo", "shop", "--repo", f"{files.url}/to-registry", PLAIN)
    assert ours(*words)[:2] == world.helm("template", *words)[:2]


def test_blobs_elsewhere_see_no_credentials(world, ours):
    registry, store = world.servers["bearer"], world.servers["files"]
    store.files |= {f"/blobs/{digest}": data for digest, data in registry.blobs.items()}
    store.requests.clear()
    registry.elsewhere = f"{store.url}/blobs"
    words = world.fill(f"demo oci://{{bearer}}/charts/shop {PLAIN} {{me}}")
    try:
        answer = ours(*words)
        sent = [one.headers.get("Authorization") for one in store.requests]
        assert answer == world.helm("template", *words)
        assert sent
        assert set(sent) == {None}
    finally:
        registry.elsewhere = ""


def test_a_layer_that_was_changed(world, ours):
    registry = world.servers["basic"]
    package = (world.root / "packages" / "shop-1.0.0.tgz").read_bytes()
    digest = next(key for key, data in registry.blobs.items() if data == package)
    registry.blobs[digest] = package[:-1] + b"!"
    words = world.fill(f"demo oci://{{basic}}/charts/shop {PLAIN} {{me}}")
    try:
        status, output, errors = ours(*words)
        assert (status, output) == world.helm("template", *words)[:2] == (1, "")
        assert "mismatch digest" in errors
    finally:
        registry.blobs[digest] = package
