"""Charts of our own, packaged, signed, indexed and pushed by the real helm, and servers of them."""

import hashlib
import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass, field

import pytest
from chart_servers import Authority, serving
from pysequoia import SignatureMode, Tsk, sign

from fluvial.cli.main import main
from fluvial.toolkit.testing import FileServer, RegistryServer

ORACLE = pathlib.Path(__file__).parents[4] / ".venv" / "oracles" / "helm"
ACCOUNTS = {"me": "secret"}
TEMPLATE = """kind: ConfigMap
apiVersion: v1
metadata: {name: {{ .Chart.Name }}}
data: {v: "{{ .Chart.Version }}"}
"""
VERSIONS = {
    "shop": ("1.0.0", "1.2.0", "2.0.0-rc.1", "1.1.0+build.5"),
    "kid": ("1.0.0", "1.2.0", "2.0.0-rc.1"),
    "pod": ("0.3.0", "0.4.1"),
}


@dataclass
class World:
    """A home for both commands, and what they are to find."""

    root: pathlib.Path
    servers: dict[str, FileServer | RegistryServer] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def environment(self, who):
        """Return the variables of a command; what it caches of packages is its own."""
        return {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.root / "home"),
            "HELM_CONFIG_HOME": str(self.root / "config"),
            "HELM_CACHE_HOME": str(self.root / "cache"),
            "HELM_CONTENT_CACHE": str(self.root / "content" / who),
            "HELM_DATA_HOME": str(self.root / "data"),
            "DOCKER_CONFIG": str(self.root / "docker"),
            "GNUPGHOME": str(self.root / "gnupg"),
            "XDG_CACHE_HOME": str(self.root / "fluvial"),
        }

    def helm(self, *arguments):
        """Run the real one; returns status, output and errors."""
        shutil.rmtree(self.root / "content", ignore_errors=True)
        done = subprocess.run(
            [ORACLE, *map(str, arguments)],
            cwd=self.root,
            env=self.environment("helm"),
            capture_output=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def expect(self, *arguments):
        """Run the real one where it must succeed."""
        status, _, errors = self.helm(*arguments)
        assert status == 0, errors

    def fill(self, line):
        """Put addresses and paths into a line of a table, and split it."""
        return line.format(**self.names).split()


@pytest.fixture
def ours(world, monkeypatch, capsys):
    """Run our command as `world.helm("template", …)` runs helm's."""
    for name in list(os.environ):
        if name.startswith(("HELM_", "XDG_")):
            monkeypatch.delenv(name)
    for name, value in world.environment("ours").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.root)

    def run(*arguments):
        capsys.readouterr()
        status = main(["build", "helm", *map(str, arguments)])
        return (status, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Make the world once; whoever changes it makes names of its own."""
    if not ORACLE.exists():
        pytest.skip("the oracle helm is not installed")
    world = World(tmp_path_factory.mktemp("repositories"))
    root = world.root
    for folder in ("home", "docker", "gnupg", "packages"):
        (root / folder).mkdir()
    signer = keys(world)
    for name, versions in VERSIONS.items():
        for version in versions:
            chart = write_chart(root / "charts" / f"{name}-{version}", name, version)
            package(world, chart, signer)
    world.expect("repo", "index", root / "packages")
    authority = Authority(root)
    files = {f"/{path.name}": path.read_bytes() for path in (root / "packages").iterdir()}
    world.servers = {
        "files": FileServer(files),
        "closed": FileServer(files, accounts=ACCOUNTS),
        "tls": FileServer(files, tls=authority.context()),
        "mutual": FileServer(files, tls=authority.context(clients=True)),
        "registry": RegistryServer(page=2),
        "bearer": RegistryServer(auth="bearer", accounts=ACCOUNTS),
        "basic": RegistryServer(auth="basic", accounts=ACCOUNTS),
        "secure": RegistryServer(tls=authority.context(clients=True)),
    }
    with serving(*world.servers.values()):
        fill(world)
        yield world


def write_chart(folder, name, version, more=""):
    """Write the files of a chart below `folder`; returns its own folder."""
    chart = folder / name
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n{more}")
    (chart / "templates" / "settings.yaml").write_text(TEMPLATE)
    return chart


def package(world, chart, signer):
    """Package a chart, and sign it."""
    folder = world.root / "packages"
    world.expect("package", chart, "-d", folder)
    newest = max(folder.glob("*.tgz"), key=lambda path: path.stat().st_mtime_ns)
    digest = hashlib.sha256(newest.read_bytes()).hexdigest()
    metadata = (chart / "Chart.yaml").read_text()
    text = f"{metadata}\n...\nfiles:\n  {newest.name}: sha256:{digest}\n"
    proof = sign(signer, text.encode(), mode=SignatureMode.CLEAR)
    newest.with_name(f"{newest.name}.prov").write_bytes(proof)


def keys(world):
    """Make the keys of Alice, who signs, and of Bob, who does not; returns the signer."""
    alice, bob = (Tsk.generate(f"{name} <{name}@example.com>") for name in ("Alice", "Bob"))
    for key, name in ((alice, "alice.pub"), (bob, "bob.pub")):
        (world.root / name).write_bytes(bytes(key.extract_certificate()))
    shutil.copy(world.root / "alice.pub", world.root / "gnupg" / "pubring.gpg")
    return alice.signer()


def fill(world):
    """Push the packages, and give everything the names that tables use."""
    root = world.root
    me = ("--username", "me", "--password", "secret")
    tls = ("--ca-file", root / "ca.crt", "--cert-file", root / "client.crt")
    options = {
        "registry": ("--plain-http",),
        "bearer": ("--plain-http", *me),
        "basic": ("--plain-http", *me),
        "secure": (*tls, "--key-file", root / "client.key"),
    }
    for name, server in world.servers.items():
        world.names[name] = server.host if name in options else server.url
        if name in options:
            pushed = ("shop-1.", "shop-2.", "pod-") if name == "registry" else ("shop-1.0.0",)
            for path in sorted((root / "packages").glob("*.tgz")):
                if path.name.startswith(pushed):
                    world.expect("push", path, f"oci://{server.host}/charts", *options[name])
    world.names |= {
        "root": str(root),
        "digest": world.servers["registry"].tags["charts/shop"]["1.0.0"],
        "me": "--username=me --password=secret",
    }
    world.expect("repo", "add", "mine", world.names["files"])
    world.expect("repo", "add", "closed", world.names["closed"], *me)
    world.expect("repo", "add", "mutual", world.names["mutual"], *options["secure"])
