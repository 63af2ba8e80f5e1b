"""The job of a worker: from a tree and a spec to objects."""

import hashlib
import subprocess
import sys

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import KUSTOMIZATION
from fluvial.kustomize.building import folder_of
from fluvial.kustomize.jobs import BUILD_JOB, BuildError, BuildReply, BuildRequest, build
from fluvial.render.kustomize.flux import layers_of
from fluvial.toolkit.workers import WorkerPool

SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  key: {value}\n"


@pytest.fixture
def request_for(tmp_path, kustomization):
    def make(files, variables=None, strict=True, **spec):
        for path, text in files.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        obj = decode(KUSTOMIZATION, kustomization(**spec))
        return BuildRequest(
            root=str(tmp_path), path=folder_of(obj), obj=obj, variables=variables, strict=strict
        )

    return make


@pytest.mark.parametrize(
    ("path", "folder", "reason"),
    [
        ("", "", "the root"),
        ("./", "", "the root, written out"),
        ("./apps/prod", "apps/prod", "the usual form"),
        ("/apps//prod/", "apps/prod", "slashes make no difference"),
        ("../../etc", "etc", "the root has no parent"),
        ("apps/../../etc", "etc", "not even on a detour"),
    ],
)
def test_folder_of(kustomization, path, folder, reason):
    assert folder_of(decode(KUSTOMIZATION, kustomization(path=path))) == folder, reason


def test_objects_and_their_digest(request_for, config_map):
    reply = build(request_for({"a.yaml": config_map("a")}))
    (rendered,) = reply.objects
    assert rendered.decode()["data"] == {"key": "1"}
    text = (
        'apiVersion: v1\ndata:\n  key: "1"\nkind: ConfigMap\n'
        "metadata:\n  name: a\n  namespace: default\n"
    )
    assert reply.digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_the_fields_of_the_spec_are_laid_over_the_file(request_for, config_map):
    patch = {
        "patch": "- {op: add, path: /data/more, value: '2'}",
        "target": {"kind": "ConfigMap", "name": "a"},
    }
    reply = build(
        request_for(
            {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": config_map("a")},
            targetNamespace="team",
            namePrefix="p-",
            nameSuffix="-s",
            patches=[patch],
        )
    )
    (rendered,) = reply.objects
    obj = rendered.decode()
    assert (obj["metadata"]["name"], obj["metadata"]["namespace"]) == ("p-a-s", "team")
    assert obj["data"] == {"key": "1", "more": "2"}


def test_every_field_of_the_spec_that_changes_the_file_is_passed_on(kustomization):
    spec = {
        "targetNamespace": "t",
        "namePrefix": "p",
        "nameSuffix": "s",
        "patches": [{"patch": "x"}],
        "images": [{"name": "i", "newTag": "1"}],
        "components": ["c"],
        "ignoreMissingComponents": True,
        "buildMetadata": ["originAnnotations"],
    }
    layers = layers_of(decode(KUSTOMIZATION, kustomization(**spec)).spec)
    unset = [name for name in layers.__struct_fields__ if not getattr(layers, name)]
    assert unset == []


@pytest.mark.parametrize(
    ("variables", "value", "reason"),
    [
        (None, "${x:=none}", "no substitution at all"),
        ({}, "none", "substitution without variables: defaults count"),
        ({"x": "1"}, 1, "a value is YAML"),
    ],
)
def test_variables(request_for, variables, value, reason):
    reply = build(request_for({"s.yaml": SECRET.format(value="${x:=none}")}, variables))
    assert reply.objects[0].decode()["stringData"]["key"] == value, reason


@pytest.mark.parametrize(
    ("files", "variables", "part", "reason"),
    [
        ({"s.yaml": SECRET.format(value="hunter2: x")}, None, "s.yaml:6:", "broken in a file"),
        ({"s.yaml": SECRET.format(value="${x}")}, {"x": "hunter2: x"}, "Secret/s", "by a value"),
        (
            {"c.yaml": SECRET.format(value="${x}").replace("kind: Secret", "kind: Other")},
            {"x": "hunter2: x"},
            "Other/s",
            "a secret value in another kind",
        ),
        ({"s.yaml": SECRET.format(value="${y}")}, {"x": "hunter2"}, '"y"', "an unset variable"),
    ],
)
def test_errors_name_the_place_and_no_value(request_for, files, variables, part, reason):
    with pytest.raises(BuildError) as caught:
        build(request_for(files, variables))
    message = str(caught.value)
    assert part in message, reason
    assert "hunter2" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("resource", "part", "reason"),
    [
        ("../../../etc/passwd", "fs-security-constraint", "outside the artifact"),
        ("https://example.com/a.yaml", "remote resource", "from the network"),
        ("https://example.com/repo//base?ref=v1", "remote resource", "a remote base"),
    ],
)
def test_nothing_outside_the_artifact_is_read(request_for, resource, part, reason):
    with pytest.raises(BuildError, match=part):
        build(request_for({"kustomization.yaml": f"resources:\n- {resource}\n"}))


async def test_it_runs_in_a_worker(request_for, config_map):
    request = request_for({"a.yaml": config_map("a")})
    async with WorkerPool(workers=1, preload=["fluvial.kustomize.jobs"]) as pool:
        reply = await pool.run(BUILD_JOB, request, BuildReply, key="default/apps", deadline=30.0)
    assert reply == build(request)


def test_it_imports_no_network():
    # The parent package of the worker's own module is the toolkit's affair, not the job's.
    source = "import sys, fluvial.kustomize.jobs; print('aiohttp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
