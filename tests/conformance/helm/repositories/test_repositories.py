"""Charts of repositories, by name and by address: the same line in, the same out as helm."""

import shutil
import subprocess

import pytest

REPOSITORY = "--repo {files}"
CASES = [
    ("the newest release", f"demo shop {REPOSITORY}"),
    ("a slash at the end of the address", "demo shop --repo {files}/"),
    ("development versions", f"demo shop {REPOSITORY} --devel"),
    ("a version wins over development ones", f"demo shop {REPOSITORY} --devel --version 1.0.0"),
    ("a range", f"demo shop {REPOSITORY} --version >1.0.0"),
    ("a version with build metadata", f"demo shop {REPOSITORY} --version 1.1.0+build.5"),
    ("part of a version warns", f"demo shop {REPOSITORY} --version 1.0"),
    ("a wildcard does not", f"demo shop {REPOSITORY} --version 1.x"),
    ("another way of writing warns", f"demo shop {REPOSITORY} --version v1.0.0"),
    ("no such version", f"demo shop {REPOSITORY} --version 9"),
    ("a version that is none", f"demo shop {REPOSITORY} --version banana"),
    ("no such chart", f"demo nope {REPOSITORY}"),
    ("no such repository", "demo shop --repo {files}/none"),
    ("no server at all", "demo shop --repo http://127.0.0.1:1"),
    ("a folder of the disk is not looked at", f"demo ./charts {REPOSITORY}"),
    ("a repository that wants a password", "demo shop --repo {closed}"),
    ("and gets it", "demo shop --repo {closed} {me}"),
    ("and gets another", "demo shop --repo {closed} --username me --password sesame"),
    ("an address", "demo {files}/shop-1.0.0.tgz"),
    ("an address that leads nowhere", "demo {files}/nope-1.0.0.tgz"),
    ("an address that wants a password", "demo {closed}/shop-1.1.0+build.5.tgz {me}"),
    ("and does not get it", "demo {closed}/nope-1.0.0.tgz"),
    ("the address of a named repository's chart", "demo {closed}/shop-1.0.0.tgz"),
    ("another protocol", "demo gopher://example.com/shop-1.0.0.tgz"),
    ("a named repository", "demo mine/shop"),
    ("with a range", "demo mine/shop --version >1.0.0"),
    ("with part of a version", "demo mine/shop --version 1.0"),
    ("without such a version", "demo mine/shop --version 7"),
    ("with a version that is none", "demo mine/shop --version banana"),
    ("without such a chart", "demo mine/nope"),
    ("a chart's name with a slash", "demo mine/a/b"),
    ("one that knows its password", "demo closed/shop"),
    ("a name that is not known", "demo other/shop"),
    ("no name of a repository", "demo shop"),
    ("another file of repositories", "demo mine/shop --repository-config none.yaml"),
    ("another cache of indexes", "demo mine/shop --repository-cache nowhere"),
]


VALUES = [
    ("values at an address", "demo charts/shop-1.0.0/shop -f {files}/values.yaml"),
    ("values that are not there", "demo charts/shop-1.0.0/shop -f {files}/none.yaml"),
    ("values behind a password", "demo charts/shop-1.0.0/shop -f {closed}/values.yaml"),
    ("a file's text", "demo charts/shop-1.0.0/shop --set-file a={files}/values.yaml"),
    ("later files win", "demo charts/shop-1.0.0/shop -f {files}/values.yaml,mine.yaml"),
]


@pytest.fixture(scope="module")
def shown_values(world):
    """Let a chart show its values, and have some at an address."""
    template = world.root / "charts" / "shop-1.0.0" / "shop" / "templates" / "values.yaml"
    template.write_text(
        "kind: Values\napiVersion: v1\nmetadata: {name: v}\nv: {{ toJson .Values }}\n"
    )
    world.servers["files"].files["/values.yaml"] = b"a: 1\nb: {c: two}\n"
    (world.root / "mine.yaml").write_text("b: {c: mine}\n")
    yield
    template.unlink()


@pytest.mark.usefixtures("shown_values")
@pytest.mark.parametrize(("reason", "line"), VALUES, ids=[reason for reason, _ in VALUES])
def test_values(world, ours, reason, line):
    words = world.fill(line)
    assert ours(*words) == world.helm("template", *words)


@pytest.mark.parametrize(("reason", "line"), CASES, ids=[reason for reason, _ in CASES])
def test_same_as_helm(world, ours, reason, line):
    words = world.fill(line)
    assert ours(*words) == world.helm("template", *words)


SIGNED = "--verify --keyring {root}/alice.pub"
VERIFIED = [
    ("a package of the disk", f"demo packages/shop-1.0.0.tgz {SIGNED}"),
    ("the usual keyring", "demo packages/shop-1.0.0.tgz --verify"),
    ("another's keyring", "demo packages/shop-1.0.0.tgz --verify --keyring {root}/bob.pub"),
    ("no keyring", "demo packages/shop-1.0.0.tgz --verify --keyring {root}/none"),
    ("a folder", f"demo charts/shop-1.0.0/shop {SIGNED}"),
    ("a package of another name", f"demo renamed.tgz {SIGNED}"),
    ("a package that was changed", f"demo changed/shop-1.0.0.tgz {SIGNED}"),
    ("a package without provenance file", f"demo bare.tgz {SIGNED}"),
    ("a package that is called otherwise", f"demo package.tar.gz {SIGNED}"),
    ("a repository's", f"demo shop {REPOSITORY} {SIGNED}"),
    ("a named repository's", f"demo mine/shop {SIGNED}"),
    ("at an address", f"demo {{files}}/shop-1.1.0+build.5.tgz {SIGNED}"),
    ("at an address with escapes", f"demo {{files}}/shop-1.1.0%2Bbuild.5.tgz {SIGNED}"),
    ("a repository's, another's keyring", f"demo shop {REPOSITORY} --verify --keyring bob.pub"),
    ("without provenance file at its address", f"demo {{files}}/index.yaml {SIGNED}"),
]


@pytest.fixture(scope="module")
def odd_packages(world):
    """Make packages whose provenance files do not fit."""
    package = (world.root / "packages" / "shop-1.0.0.tgz").read_bytes()
    proof = (world.root / "packages" / "shop-1.0.0.tgz.prov").read_bytes()
    (world.root / "changed").mkdir()
    for name, content in (
        ("renamed.tgz", package),
        ("package.tar.gz", package),
        ("changed/shop-1.0.0.tgz", package + b"!"),
    ):
        (world.root / name).write_bytes(content)
        (world.root / f"{name}.prov").write_bytes(proof)
    (world.root / "bare.tgz").write_bytes(package)


@pytest.mark.usefixtures("odd_packages")
@pytest.mark.parametrize(("reason", "line"), VERIFIED, ids=[reason for reason, _ in VERIFIED])
def test_verified_as_by_helm(world, ours, reason, line):
    words = world.fill(line)
    assert ours(*words) == world.helm("template", *words)


@pytest.fixture
def gnupg(world):
    """Run gpg in a home of its own, whose agent ends with the test."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    home = world.root / "keys"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    quiet = ("--yes", "--pinentry-mode", "loopback", "--passphrase", "")

    def gpg(*arguments, text=""):
        # What asks questions takes their answers only where it is not in a batch.
        mode = ("--no-tty", "--status-fd", "2") if "--command-fd" in arguments else ("--batch",)
        command = ["gpg", "--homedir", str(home), *mode, *quiet, *arguments]
        given = text.encode() if isinstance(text, str) else text
        return subprocess.run(
            command, input=given, capture_output=True, check=True, timeout=60
        ).stdout

    yield gpg
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=60)


def test_signed_by_helm(world, ours, gnupg):
    """Keys of several kinds, in one keyring: helm signs, and both verify."""
    kinds = {"Rsa": "rsa2048", "Ed": "ed25519", "Nist": "nistp256"}
    for name, kind in kinds.items():
        gnupg("--quick-generate-key", f"{name} <{name}@example.com>", kind, "sign", "never")
    (world.root / "all.pub").write_bytes(gnupg("--export"))
    for name in kinds:
        (world.root / "secret").write_bytes(gnupg("--export-secret-keys", f"{name}@example.com"))
        (world.root / "one.pub").write_bytes(gnupg("--export", f"{name}@example.com"))
        folder = world.root / f"signed-{name}"
        sign = ("--sign", "--key", name, "--keyring", world.root / "secret")
        world.expect("package", "charts/pod-0.3.0/pod", "-d", folder, *sign)
        for keyring, status in (("one.pub", 0), ("all.pub", 0), ("alice.pub", 1)):
            words = ("demo", folder / "pod-0.3.0.tgz", "--verify", "--keyring", keyring)
            answer = ours(*words)
            assert answer == world.helm("template", *words)
            assert answer[0] == status


@pytest.mark.parametrize(
    ("number", "reason"),
    [("0", "no reason"), ("1", "it was stolen"), ("3", "it is not used any more")],
)
def test_a_revoked_key(world, ours, gnupg, number, reason):
    """It proves nothing, not even what it had signed before."""
    gnupg("--quick-generate-key", "Ed <ed@example.com>", "ed25519", "sign", "never")
    (world.root / "secret").write_bytes(gnupg("--export-secret-keys"))
    folder = world.root / f"revoked-{number}"
    sign = ("--sign", "--key", "Ed", "--keyring", world.root / "secret")
    world.expect("package", "charts/pod-0.3.0/pod", "-d", folder, *sign)
    answers = f"y\n{number}\n\ny\n"
    gnupg(
        "--import", text=gnupg("--command-fd", "0", "--gen-revoke", "ed@example.com", text=answers)
    )
    (world.root / "revoked.pub").write_bytes(gnupg("--export"))
    words = ("demo", folder / "pod-0.3.0.tgz", "--verify", "--keyring", "revoked.pub")
    answer = ours(*words)
    assert answer == world.helm("template", *words), reason
    assert answer[0] == 1


TLS = "--ca-file {root}/ca.crt"
CLIENT = f"{TLS} --cert-file {{root}}/client.crt --key-file {{root}}/client.key"
TRUSTED = [
    ("an authority that is named", f"demo shop --repo {{tls}} {TLS}"),
    ("at an address", f"demo {{tls}}/shop-1.0.0.tgz {TLS}"),
    ("an authority that is not known", "demo shop --repo {tls}"),
    ("at an address, not known", "demo {tls}/shop-1.0.0.tgz"),
    ("any authority", "demo shop --repo {tls} --insecure-skip-tls-verify"),
    ("a client that shows who it is", f"demo shop --repo {{mutual}} {CLIENT}"),
    ("a named repository that knows the certificates", "demo mutual/shop"),
    ("the address of its chart", "demo {mutual}/shop-1.0.0.tgz"),
    ("an authority that is not there", "demo {tls}/shop-1.0.0.tgz --ca-file none.crt"),
    (
        "a certificate that is not there",
        f"demo packages/shop-1.0.0.tgz {TLS} --cert-file none.crt --key-file none.key",
    ),
]


@pytest.mark.parametrize(("reason", "line"), TRUSTED, ids=[reason for reason, _ in TRUSTED])
def test_trusted_as_by_helm(world, ours, reason, line):
    words = world.fill(line)
    assert ours(*words) == world.helm("template", *words)


UP = b'"../shop-1.0.0.tgz"'
INDEXES = [
    ("empty", b""),
    ("without API version", b"entries: {}\n"),
    ("without versions", b"apiVersion: v1\nentries: {shop: []}\n"),
    ("without addresses", b"apiVersion: v1\nentries: {shop: [{name: shop, version: 1.0.0}]}\n"),
    (
        "a path that goes up",
        b"apiVersion: v1\nentries:\n  shop: [{name: shop, version: 1.0.0, urls: [%s]}]\n" % UP,
    ),
    (
        "a path from the root, in JSON",
        b'{"apiVersion":"v1","entries":{"shop":[{"name":"shop","version":"1.0.0","urls":["%s"]}]}}'
        % b"/shop-1.0.0.tgz",
    ),
    (
        "an address of another protocol",
        b'apiVersion: v1\nentries: {shop: [{name: shop, version: 1.0.0, urls: ["foo://x/y"]}]}\n',
    ),
    (
        "deprecated",
        b"apiVersion: v1\nentries: {shop: [{name: shop, version: 1.0.0, %s, urls: [%s]}]}\n"
        % (b"deprecated: true", UP),
    ),
]


@pytest.mark.parametrize(("reason", "index"), INDEXES, ids=[reason for reason, _ in INDEXES])
def test_indexes(world, ours, reason, index):
    place = f"/{reason.replace(' ', '-').replace(',', '')}"
    world.servers["files"].files[f"{place}/index.yaml"] = index
    words = ("demo", "shop", "--repo", f"{world.names['files']}{place}")
    assert ours(*words) == world.helm("template", *words)


def test_broken_entries_do_not_hide_the_others(world, ours):
    index = b"""apiVersion: v1
entries:
  shop:
  - null
  - {name: shop, version: 9.0.0, type: x}
  - {version: 8.0.0}
  - {name: shop, version: 1.0.0, urls: ["../shop-1.0.0.tgz"]}
"""
    world.servers["files"].files["/broken/index.yaml"] = index
    words = ("demo", "shop", "--repo", f"{world.names['files']}/broken")
    status, output, errors = ours(*words)
    assert (status, output) == world.helm("template", *words)[:2]
    assert errors.count("skipping loading invalid entry") == 3


@pytest.mark.parametrize(
    ("flags", "sent", "reason"),
    [
        ("", False, "without credentials"),
        ("{me}", False, "credentials stay with the host of the repository"),
        ("{me} --pass-credentials", True, "unless they are for everyone"),
    ],
)
def test_a_chart_on_another_host(world, ours, flags, sent, reason):
    files, closed = world.servers["files"], world.servers["closed"]
    index = (world.root / "packages" / "index.yaml").read_bytes()
    address = f"- {closed.url}/shop-".encode()
    files.files["/elsewhere/index.yaml"] = index.replace(b"- shop-", address)
    words = world.fill(f"demo shop --repo {{files}}/elsewhere {flags}")
    closed.requests.clear()
    answer = ours(*words)
    assert [bool(one.headers.get("Authorization")) for one in closed.requests] == [sent], reason
    assert answer == world.helm("template", *words)


def test_a_redirect_to_another_host_sees_no_credentials(world, ours):
    closed, files = world.servers["closed"], world.servers["files"]
    closed.redirects["/moved.tgz"] = f"{files.url}/shop-1.0.0.tgz"
    words = world.fill("demo {closed}/moved.tgz {me}")
    files.requests.clear()
    answer = ours(*words)
    assert {one.headers.get("Authorization") for one in files.requests} == {None}
    assert answer == world.helm("template", *words)  # which sends them, for only the port differs


def test_a_package_that_is_not_the_indexed_one(world, ours):
    """Helm takes any package; what was changed after it was indexed is refused here."""
    files = world.servers["files"]
    index = (world.root / "packages" / "index.yaml").read_bytes()
    files.files["/swapped/index.yaml"] = index
    files.files["/swapped/shop-1.2.0.tgz"] = files.files["/shop-1.0.0.tgz"]
    words = ("demo", "shop", "--repo", f"{files.url}/swapped")
    status, output, errors = ours(*words)
    assert (status, output) == (1, "")
    assert "it was changed after it was indexed" in errors


def test_packages_that_helm_keeps(world, ours):
    """What has its digest is not fetched again; what was changed is."""
    expected = world.helm("template", "demo", "mine/shop")
    (kept,) = (world.root / "content" / "helm").rglob("*.chart")
    flags = ("--content-cache", world.root / "content" / "helm")
    requests = world.servers["files"].requests
    requests.clear()
    assert ours("demo", "mine/shop", *flags) == expected
    assert requests == []
    kept.write_bytes(b"something else")
    assert ours("demo", "mine/shop", *flags) == expected
    assert [one.path for one in requests] == ["/shop-1.2.0.tgz"]


def test_passwords_are_not_told(world, ours):
    address = world.names["closed"].replace("://", "://me:sesame@")
    for words in (("demo", f"{address}/shop-1.0.0.tgz"), ("demo", "shop", "--repo", address)):
        status, output, errors = ours(*words)
        assert (status, output) == (1, "")
        assert "401" in errors
        assert "sesame" not in errors


def test_a_provenance_file_behind_a_password(world, ours):
    """Helm asks for it as nobody."""
    words = world.fill(f"demo closed/shop {SIGNED}")
    assert ours(*words)[0] == 0
    assert world.helm("template", *words)[0] == 1


def test_a_named_repository_may_trust_anyone(world, ours):
    """Helm forgets about it when it comes to the chart."""
    world.expect("repo", "add", "careless", world.names["tls"], "--insecure-skip-tls-verify")
    try:
        assert ours("demo", "careless/shop")[0] == 0
    finally:
        world.expect("repo", "remove", "careless")
