"""The job that a controller runs in a worker: bytes in, structs out, over msgpack."""

import msgspec
import pytest

from fluvial.render.gotemplate import keep_parsed
from fluvial.render.helm import ChartError, Release, ValuesError
from fluvial.render.helm.jobs import RenderReply, RenderRequest, render

FILES = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "values.yaml": "a: 1\n",
    "values.schema.json": "{}",
    "README.md": "hi",
    "templates/a.yaml": "kind: A\nv: {{ .Values.a }} {{ .Chart.Version }}\n",
    "templates/b.yaml": '# {{ (lookup "v1" "ConfigMap" "apps" "c").data }}',
}


def run(**fields: object) -> RenderReply:
    request = RenderRequest(release=Release(name="r", namespace="apps"), **fields)
    carried = msgspec.msgpack.decode(msgspec.msgpack.encode(request), type=RenderRequest)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(render(carried)), type=RenderReply)


def test_from_bytes_a_file_and_a_folder(pack, tmp_path) -> None:
    archive = pack(FILES)
    (tmp_path / "c.tgz").write_bytes(archive)
    for name, text in FILES.items():
        (tmp_path / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "web" / name).write_text(text)
    first = run(archive=archive, values={"a": 2})
    assert "v: 2 1.2.3" in first.manifest
    assert run(path=str(tmp_path / "c.tgz"), values={"a": 2}).manifest == first.manifest
    assert run(path=str(tmp_path / "web"), values={"a": 2}).manifest == first.manifest


def test_the_record_is_what_release_storage_keeps(pack) -> None:
    chart = run(archive=pack(FILES)).chart
    assert chart.metadata == {"apiVersion": "v2", "name": "web", "version": "1.2.3"}
    assert chart.values == {"a": 1}
    assert chart.schema == b"{}"
    assert [file.name for file in chart.templates] == ["templates/a.yaml", "templates/b.yaml"]
    assert [file.name for file in chart.files] == ["README.md"]


def test_a_version_from_outside_replaces_the_charts(pack) -> None:
    done = run(archive=pack(FILES), version="1.2.3+abc")
    assert "v: 1 1.2.3+abc" in done.manifest
    assert done.chart.metadata["version"] == "1.2.3+abc"


def test_a_schema_is_left_out_on_request(pack) -> None:
    strict = pack(FILES | {"values.schema.json": '{"required": ["size"]}'})
    with pytest.raises(ValuesError, match="size"):
        run(archive=strict)
    assert "v: 1" in run(archive=strict, skip_schema=True).manifest


def test_lookup_finds_what_was_sent_along(pack) -> None:
    found = {"v1/ConfigMap/apps/c": {"data": {"k": "v"}}}
    assert "# map[k:v]" in run(archive=pack(FILES), objects=found).manifest


def test_a_path_that_is_not_there(tmp_path) -> None:
    with pytest.raises(ChartError, match="cannot read the chart archive: No such file"):
        run(path=str(tmp_path / "none.tgz"))


def test_parsed_templates_are_kept_where_the_request_says(pack, tmp_path) -> None:
    folder = tmp_path / "kept"
    long = {**FILES, "templates/c.yaml": "kind: C\n" + "# {{ .Release.Name }}\n" * 30}
    try:
        first = run(archive=pack(long), templates=str(folder))
        (kept,) = folder.iterdir()
        assert run(archive=pack(long), templates=str(folder)).manifest == first.manifest
        assert list(folder.iterdir()) == [kept]
        open_to_all = tmp_path / "open"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        assert run(archive=pack(long), templates=str(open_to_all)).manifest == first.manifest
        assert list(open_to_all.iterdir()) == []
    finally:
        keep_parsed(None)
