"""B6: a chart named `..`, and templates that reach for the host, are confined or disabled."""

import io
import tarfile

import pytest

from fluvial.render.helm import ChartError, HelmError, Release, load_chart, render
from fluvial.render.kustomize import DiskTree


def written(folder, template: str, name: str = "web"):
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    (folder / "templates" / "a.yaml").write_text(f"kind: A\nv: {template}\n")
    return folder


@pytest.mark.parametrize("name", ['".."', '"."', "../up", "a/b"])
def test_a_name_that_is_a_path(tmp_path, name: str) -> None:
    with pytest.raises(ChartError, match="is invalid"):
        load_chart(DiskTree(written(tmp_path / "chart", "1", name)))


@pytest.mark.parametrize("call", ['env "HOME"', 'expandenv "$HOME"'])
def test_the_environment_is_no_function(tmp_path, call: str) -> None:
    chart = load_chart(DiskTree(written(tmp_path / "chart", f"{{{{ {call} }}}}")))
    with pytest.raises(HelmError, match="not defined"):
        render(chart, {}, Release(name="demo"))


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ('getHostByName "localhost" | quote', 'v: ""'),
        ('lookup "v1" "Secret" "kube-system" "" | toJson', "v: {}"),
        ('.Files.Get "../secret" | quote', 'v: ""'),
        ('.Files.Get "/etc/hostname" | quote', 'v: ""'),
    ],
)
def test_nothing_is_found_outside(tmp_path, call: str, shown: str) -> None:
    (tmp_path / "secret").write_text("hidden")
    chart = load_chart(DiskTree(written(tmp_path / "chart", f"{{{{ {call} }}}}")))
    assert shown in render(chart, {}, Release(name="demo")).manifest


def test_a_link_out_of_the_chart(tmp_path) -> None:
    (tmp_path / "secret").write_text("hidden")
    folder = written(tmp_path / "chart", '{{ .Files.Get "link" }}')
    (folder / "link").symlink_to("../secret")
    with pytest.raises(ChartError):
        load_chart(DiskTree(folder))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_an_archive_with_a_link_or_device(kind: bytes) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        member = tarfile.TarInfo("web/values.yaml")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ChartError, match="neither a file nor a folder"):
        load_chart(data.getvalue())


def test_an_archive_that_climbs() -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("web/../../escape"))
    with pytest.raises(ChartError, match="illegally"):
        load_chart(data.getvalue())
