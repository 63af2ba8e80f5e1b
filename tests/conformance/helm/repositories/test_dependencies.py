"""`--dependency-update` beside helm's: the same lines, the same charts/, the same lock file."""

import hashlib
import re
import shutil

import pytest

from fluvial.render.helm import load_chart

PLAIN = "--plain-http"
DEPENDENCIES = {
    "a range of a repository": "{{name: kid, version: ^1.0.0, repository: '{files}'}}",
    "a slash at the end": "{{name: kid, version: 1.x, repository: '{files}/'}}",
    "prereleases": "{{name: kid, version: '>0.0.0-0', repository: '{files}'}}",
    "a range of a registry": "{{name: pod, version: ~0.3, repository: 'oci://{registry}/charts'}}",
    "a version of a registry": "{{name: pod, version: 0.4.1, repository: 'oci://{registry}/charts'}}",
    "a folder": "{{name: local, version: 3.x, repository: 'file://{root}/local/local'}}",
    "a folder beside it": "{{name: local, version: 3.x, repository: 'file://../../local/local'}}",
    "what values say of it": (
        "{{name: kid, version: '>=1.0.0 <2', repository: '{files}', alias: one, tags: [a],"
        " condition: one.enabled}}"
    ),
    "a name of a repository": "{{name: kid, version: 1.x, repository: '@mine'}}",
    "an alias of a repository": "{{name: kid, version: 1.x, repository: 'alias:mine'}}",
    "a repository with a password": "{{name: kid, version: 1.x, repository: '@closed'}}",
    "no version in the range": "{{name: kid, version: 9.x, repository: '{files}'}}",
    "no version of a folder": "{{name: local, version: 1.x, repository: 'file://{root}/local/local'}}",
    "no tag in the range": "{{name: pod, version: 9.x, repository: 'oci://{registry}/charts'}}",
    "no such tag": "{{name: pod, version: 9.0.0, repository: 'oci://{registry}/charts'}}",
    "no such chart": "{{name: none, version: 9.x, repository: '{files}'}}",
    "no such chart in a registry": "{{name: none, version: ~9, repository: 'oci://{registry}/x'}}",
    "no such repository": "{{name: kid, version: 1.x, repository: '{files}/none'}}",
    "no such name": "{{name: kid, version: 1.x, repository: '@nobody'}}",
    "no address": "{{name: kid, version: 1.x, repository: stable}}",
    "a path that is no address": "{{name: kid, version: 1.x, repository: a/b}}",
    "no repository": "{{name: kid, version: 1.x}}",
    "no such folder": "{{name: kid, version: 1.x, repository: 'file://../nowhere'}}",
    "a range that is none": "{{name: kid, version: banana, repository: '{files}'}}",
    "no range": "{{name: kid, repository: '{files}'}}",
}


@pytest.fixture(scope="module")
def local(world):
    """Write a chart with everything that a package keeps."""
    folder = world.root / "local" / "local"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(
        "apiVersion: v2\nname: local\nversion: 3.0.1\ndescription: 'a: <b> & c'\n"
        "keywords: [x, 1]\nmaintainers: [{name: a, email: b}]\nannotations: {k: 'y', l: '1.0'}\n"
    )
    (folder / "values.yaml").write_text("a: 1 # kept\n")
    (folder / "values.schema.json").write_text('{"type": "object"}\n')
    (folder / "notes.bin").write_bytes(bytes(range(256)))
    (folder / ".helmignore").write_text("*.tmp\n")
    (folder / "left.tmp").write_text("x")
    (folder / "templates" / "a.yaml").write_text("kind: A\napiVersion: v1\nmetadata: {name: a}\n")


def write(world, place, *dependencies, api="v2"):
    """Write a chart with dependencies; returns its folder."""
    folder = world.root / "tops" / place
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "templates").mkdir(parents=True)
    listed = "".join(f"- {one.format(**world.names)}\n" for one in dependencies)
    head = f"apiVersion: {api}\nname: top\nversion: 0.1.0\n"
    if api == "v1":
        (folder / "requirements.yaml").write_text(f"dependencies:\n{listed}")
    else:
        head += f"dependencies:\n{listed}"
    (folder / "Chart.yaml").write_text(head)
    (folder / "templates" / "a.yaml").write_text("kind: A\napiVersion: v1\nmetadata: {name: top}\n")
    return folder


def contents(folder):
    """Return what was written: packages by what is in them, the lock less its time."""
    found = {}
    for path in sorted((folder / "charts").glob("*")) if (folder / "charts").is_dir() else ():
        data = path.read_bytes() if path.is_file() else b""
        if path.name.startswith("local-"):
            raw = load_chart(data).raw
            data = sorted((one.name, one.data) for one in raw)
        found[path.name] = data
    for name in ("Chart.lock", "requirements.lock"):
        if (folder / name).is_file():
            found[name] = re.sub("generated: .*", "", (folder / name).read_text())
    return found


def compare(world, ours, folder, *flags):
    """Run both on a copy of the chart each, in the same place."""
    kept = world.root / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept, symlinks=True)
    words = ("demo", folder, PLAIN, "--dependency-update", *flags)
    theirs = (*world.helm("template", *words), contents(folder))
    shutil.rmtree(folder)
    kept.rename(folder)
    for path in (world.root / "cache" / "repository").glob("helm-manager-*"):
        path.unlink()
    mine = (*ours(*words), contents(folder))
    return mine, theirs


def ordered(answer):
    """Sort what is told of repositories: they are asked at the same time."""
    status, output, errors, written = answer
    lines = [line for line in output.split("\n") if "got an update from" in line]
    return status, re.sub(".*got an update from.*\n", "", output), sorted(lines), errors, written


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("reason", DEPENDENCIES)
def test_same_as_helm(world, ours, reason):
    folder = write(world, "top", DEPENDENCIES[reason])
    mine, theirs = compare(world, ours, folder)
    assert ordered(mine) == ordered(theirs)


def test_repositories_without_any_names(world, ours):
    folder = write(world, "top", *(DEPENDENCIES[one] for one in list(DEPENDENCIES)[:4:3]))
    flags = ("--repository-config", world.root / "none.yaml")
    mine, theirs = compare(world, ours, folder, *flags)
    assert mine == theirs


def test_requirements_of_old_charts(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"], api="v1")
    mine, theirs = compare(world, ours, folder)
    assert "requirements.lock" in mine[3]
    assert ordered(mine) == ordered(theirs)


def test_a_chart_twice(world, ours):
    one = "{{name: kid, version: 1.0.0, repository: '{files}', alias: %s}}"
    folder = write(world, "top", one % "a", one % "b")
    mine, theirs = compare(world, ours, folder)
    assert ordered(mine) == ordered(theirs)


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("version", ["3.x", "4.x"])
def test_what_is_in_charts(world, ours, version):
    """Packages that are no dependency go, but for those of a chart that must be there already."""
    vendored = f"{{{{name: local, version: {version}}}}}"
    folder = write(world, "top", vendored, DEPENDENCIES["a range of a repository"])
    shutil.copytree(world.root / "local" / "local", folder / "charts" / "local")
    packages = world.root / "packages"
    shutil.copy(packages / "pod-0.3.0.tgz", folder / "charts" / "pod-0.3.0.tgz")
    mine, theirs = compare(world, ours, folder)
    assert ordered(mine) == ordered(theirs)


def test_an_old_lock_is_replaced(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"])
    (folder / "Chart.lock").write_text(
        "dependencies: [{name: kid, version: 1.0.0, repository: x}]\ndigest: sha256:00\n"
    )
    mine, theirs = compare(world, ours, folder)
    assert ordered(mine) == ordered(theirs)


def test_a_lock_that_fits_stays(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"])
    assert ours("demo", folder, "--dependency-update")[0] == 0
    lock = (folder / "Chart.lock").read_bytes()
    shutil.rmtree(folder / "charts")
    assert ours("demo", folder, "--dependency-update")[0] == 0
    assert (folder / "Chart.lock").read_bytes() == lock


def test_nothing_is_fetched_when_nothing_is_missing(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"])
    assert ours("demo", folder, "--dependency-update")[0] == 0
    requests = world.servers["files"].requests
    requests.clear()
    mine, theirs = compare(world, ours, folder)
    assert mine == theirs
    assert requests == []


def test_a_chart_that_is_incomplete(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"])
    assert ours("demo", folder) == world.helm("template", "demo", folder)


def test_a_file_in_the_place_of_charts(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"])
    (folder / "charts").write_text("x")
    mine, theirs = compare(world, ours, folder)
    assert ordered(mine) == ordered(theirs)


def test_a_package_cannot_be_updated(world, ours):
    folder = write(world, "top", DEPENDENCIES["a range of a repository"])
    archive = shutil.make_archive(
        str(world.root / "incomplete"), "gztar", folder.parent, folder.name
    )
    words = ("demo", archive, "--dependency-update")
    assert ours(*words) == world.helm("template", *words)


@pytest.fixture
def growing(world):
    """Name a repository that has the first version of a chart; give what adds the others."""
    files = world.servers["files"]
    index = (world.root / "packages" / "index.yaml").read_bytes()
    files.files |= {
        f"/growing{path}": data for path, data in files.files.items() if path.startswith("/kid-")
    }
    digest = hashlib.sha256(files.files["/kid-1.0.0.tgz"]).hexdigest()
    files.files["/growing/index.yaml"] = f"""apiVersion: v1
entries:
  kid:
  - {{name: kid, version: 1.0.0, urls: [kid-1.0.0.tgz], digest: {digest}}}
""".encode()
    world.expect("repo", "add", "growing", f"{files.url}/growing")
    yield lambda: files.files.update({"/growing/index.yaml": index})
    world.expect("repo", "remove", "growing")


@pytest.mark.usefixtures("local")
def test_the_lock_decides(world, ours, growing):
    """Our own flag does what `helm dependency build` does before `helm template`."""
    range_of_kid = "{{name: kid, version: ^1.0.0, repository: '@growing'}}"
    others = (DEPENDENCIES["a range of a registry"], DEPENDENCIES["a folder"])
    folder = write(world, "top", range_of_kid, *others)
    world.expect("dependency", "update", folder, PLAIN)
    growing()
    shutil.rmtree(folder / "charts")
    status, output, errors = ours("demo", folder, PLAIN, "--dependency-build")
    mine = contents(folder)
    assert (status, "Saving 3 charts" in errors) == (0, True)
    shutil.rmtree(folder / "charts")
    world.expect("dependency", "build", folder, PLAIN)
    assert mine == contents(folder)
    assert "kid-1.0.0.tgz" in mine
    assert output == world.helm("template", "demo", folder)[1]


def test_a_lock_that_does_not_fit(world, ours):
    folder = write(world, "top", DEPENDENCIES["a name of a repository"])
    world.expect("dependency", "update", folder)
    chart = folder / "Chart.yaml"
    chart.write_text(chart.read_text().replace("1.x", "2.x"))
    status, output, errors = ours("demo", folder, "--dependency-build")
    assert (status, output, errors) == (1, "", world.helm("dependency", "build", folder)[2])


def test_without_a_lock_versions_are_chosen(world, ours):
    folder = write(world, "top", DEPENDENCIES["a name of a repository"])
    assert ours("demo", folder, "--dependency-build")[0] == 0
    mine = contents(folder)
    shutil.rmtree(folder / "charts")
    (folder / "Chart.lock").unlink()
    world.expect("dependency", "build", folder)
    assert mine == contents(folder)


def test_a_package_that_is_not_the_indexed_one(world, ours):
    files = world.servers["files"]
    index = (world.root / "packages" / "index.yaml").read_bytes()
    files.files["/wrong/index.yaml"] = index
    files.files["/wrong/kid-1.2.0.tgz"] = files.files["/kid-1.0.0.tgz"]
    folder = write(world, "top", "{{name: kid, version: 1.x, repository: '{files}/wrong'}}")
    status, _, errors = ours("demo", folder, "--dependency-update")
    assert status == 1
    assert "it was changed after it was indexed" in errors
    assert contents(folder) == {}
