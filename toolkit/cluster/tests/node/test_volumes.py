import base64
import stat

import pytest

from fluvial.cluster.node.environment import ConfigError
from fluvial.cluster.node.volumes import Volumes


def pod(*volumes):
    meta = {"name": "a", "namespace": "default", "labels": {"app": "a"}}
    return {"metadata": meta, "spec": {"volumes": list(volumes)}}


class Objects(dict):
    def __call__(self, kind, name):
        return self.get((kind, name))


@pytest.fixture
def objects():
    return Objects(
        {
            ("ConfigMap", "c"): {"data": {"one": "1", "two": "2"}},
            ("Secret", "s"): {"data": {"key": base64.b64encode(b"\x00raw").decode()}},
            ("PersistentVolumeClaim", "bound"): {"status": {"phase": "Bound"}},
            ("PersistentVolumeClaim", "pending"): {"status": {"phase": "Pending"}},
        }
    )


@pytest.fixture
def volumes(tmp_path, objects):
    return Volumes(tmp_path / "pod", tmp_path / "claims", objects)


def content(volumes, spec, *mounts):
    """Return the files that a container finds, by path."""
    volumes.prepare(spec, {})
    root = volumes.root_of(spec, {"name": "c", "volumeMounts": list(mounts)})
    found = {}
    for mount in mounts:
        place = root / mount["mountPath"].lstrip("/")
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        found |= {
            f"/{each.relative_to(root)}": each.read_bytes() for each in files if each.is_file()
        }
    return found


MOUNT = {"name": "v", "mountPath": "/etc/v"}


@pytest.mark.parametrize(
    ("volume", "mount", "expected", "reason"),
    [
        (
            {"configMap": {"name": "c"}},
            MOUNT,
            {"/etc/v/one": b"1", "/etc/v/two": b"2"},
            "each key is a file",
        ),
        (
            {"configMap": {"name": "c", "items": [{"key": "one", "path": "deep/er"}]}},
            MOUNT,
            {"/etc/v/deep/er": b"1"},
            "chosen keys at chosen paths",
        ),
        ({"secret": {"secretName": "s"}}, MOUNT, {"/etc/v/key": b"\x00raw"}, "secrets are bytes"),
        ({"configMap": {"name": "no", "optional": True}}, MOUNT, {}, "optional and missing"),
        ({"emptyDir": {}}, MOUNT, {}, "an empty directory"),
        (
            {
                "projected": {
                    "sources": [
                        {"configMap": {"name": "c", "items": [{"key": "one", "path": "x"}]}},
                        {"secret": {"name": "s"}},
                        {
                            "downwardAPI": {
                                "items": [
                                    {"path": "me", "fieldRef": {"fieldPath": "metadata.name"}}
                                ]
                            }
                        },
                    ]
                }
            },
            MOUNT,
            {"/etc/v/key": b"\x00raw", "/etc/v/me": b"a", "/etc/v/x": b"1"},
            "several sources in one",
        ),
        (
            {"configMap": {"name": "c"}},
            {"name": "v", "mountPath": "/etc/one", "subPath": "one"},
            {"/etc/one": b"1"},
            "one file of a volume",
        ),
    ],
)
def test_a_container_finds(volumes, volume, mount, expected, reason):
    assert content(volumes, pod({"name": "v", **volume}), mount) == expected, reason


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "no"}}, 'configmap "no" not found'),
        ({"secret": {"secretName": "no"}}, 'secret "no" not found'),
        (
            {"configMap": {"name": "c", "items": [{"key": "no", "path": "x"}]}},
            "references non-existent config key: no",
        ),
        (
            {"configMap": {"name": "c", "items": [{"key": "one", "path": "../x"}]}},
            "path '../x' leaves its volume",
        ),
        (
            {"persistentVolumeClaim": {"claimName": "no"}},
            'persistentvolumeclaim "no" not found',
        ),
        (
            {"persistentVolumeClaim": {"claimName": "pending"}},
            'persistentvolumeclaim "pending" is not bound',
        ),
    ],
)
def test_refused_or_waited_for(volumes, volume, message):
    with pytest.raises(ConfigError) as caught:
        volumes.prepare(pod({"name": "v", **volume}), {})
    assert str(caught.value) == message


def test_a_mount_path_cannot_leave_the_tree(volumes):
    spec = pod({"name": "v", "emptyDir": {}})
    volumes.prepare(spec, {})
    mount = {"name": "v", "mountPath": "/../../outside"}
    with pytest.raises(ConfigError, match="leaves its volume"):
        volumes.root_of(spec, {"name": "c", "volumeMounts": [mount]})


def test_a_mount_of_no_volume_is_named(volumes):
    with pytest.raises(ConfigError, match='volume mount "v" names no volume of the pod'):
        volumes.root_of(pod(), {"name": "c", "volumeMounts": [MOUNT]})


def test_everything_is_private(volumes, tmp_path):
    content(volumes, pod({"name": "v", "secret": {"secretName": "s"}}), MOUNT)
    for path in (tmp_path / "pod").rglob("*"):
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0 or path.is_symlink(), path


def test_changes_replace_files_and_removed_keys_go(volumes, objects):
    spec = pod({"name": "v", "configMap": {"name": "c"}})
    content(volumes, spec, MOUNT)
    objects["ConfigMap", "c"] = {"data": {"one": "new"}}
    assert content(volumes, spec, MOUNT) == {"/etc/v/one": b"new"}


def test_a_claim_outlives_the_pod(volumes, tmp_path):
    spec = pod({"name": "v", "persistentVolumeClaim": {"claimName": "bound"}})
    volumes.prepare(spec, {})
    root = volumes.root_of(spec, {"name": "c", "volumeMounts": [MOUNT]})
    (root / "etc" / "v" / "data").write_text("kept")
    volumes.remove()
    assert not (tmp_path / "pod").exists()
    assert (tmp_path / "claims" / "bound" / "data").read_text() == "kept"
