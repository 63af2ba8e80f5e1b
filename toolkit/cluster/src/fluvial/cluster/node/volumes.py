"""Volumes of a pod as private directories, and the tree in which a container finds them."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

from fluvial.cluster.node.environment import ConfigError, Lookup, decode_secret, field_of
from fluvial.cluster.node.files import private_directory
from fluvial.cluster.objects import Object

__all__ = ["Volumes"]


class MountError(ConfigError):
    """A volume cannot be set up yet."""

    reason = "ContainerCreating"


class Volumes:
    """The volumes of one pod under `directory` (mode 0700).

    `claims` holds what PersistentVolumeClaims of this namespace keep beyond the pod.
    """

    def __init__(self, directory: Path, claims: Path, lookup: Lookup) -> None:
        self._directory = directory
        self._claims = claims
        self._lookup = lookup
        self._written: dict[Path, bytes] = {}

    def prepare(self, pod: Object, status: Object) -> None:
        """Write all volumes, or bring them up to date; raises `ConfigError` for what is missing.

        Files are replaced one by one, by rename, and only when they changed.
        """
        private_directory(self._directory)
        for volume in pod["spec"].get("volumes") or []:
            if (claim := volume.get("persistentVolumeClaim")) is not None:
                self._claim(claim["claimName"])
                continue
            place = self._place(volume)
            private_directory(place)
            files = self._files(volume, pod, status)
            if files is not None:
                self._write(place, files)

    def _place(self, volume: Object) -> Path:
        if (claim := volume.get("persistentVolumeClaim")) is not None:
            return self._claims / str(claim["claimName"])
        return self._directory / "volumes" / str(volume["name"])

    def _claim(self, name: str) -> None:
        found = self._lookup("PersistentVolumeClaim", name)
        if found is None:
            raise MountError(f'persistentvolumeclaim "{name}" not found')
        if (found.get("status") or {}).get("phase") != "Bound":
            raise MountError(f'persistentvolumeclaim "{name}" is not bound')
        private_directory(self._claims / name)

    def _files(self, volume: Object, pod: Object, status: Object) -> dict[str, bytes] | None:
        """Return the files of a volume that is made from objects, None for any other."""
        if "projected" in volume:
            files: dict[str, bytes] = {}
            for source in volume["projected"].get("sources") or []:
                files.update(self._source(source, pod, status) or {})
            return files
        return self._source(volume, pod, status)

    def _source(self, source: Object, pod: Object, status: Object) -> dict[str, bytes] | None:
        if (wanted := source.get("configMap")) is not None:
            found = self._find("ConfigMap", wanted.get("name"), wanted)
            texts = (found.get("data") or {}).items()
            return _selected(wanted, {key: text.encode() for key, text in texts})
        if (wanted := source.get("secret")) is not None:
            found = self._find("Secret", wanted.get("secretName") or wanted.get("name"), wanted)
            return _selected(wanted, decode_secret(found))
        if (wanted := source.get("downwardAPI")) is not None:
            return {
                item["path"]: field_of(pod, item["fieldRef"]["fieldPath"], status).encode()
                for item in wanted.get("items") or []
                if "fieldRef" in item
            }
        return None

    def _find(self, kind: str, name: str | None, wanted: Object) -> Object:
        found = self._lookup(kind, name or "")
        if found is None:
            if wanted.get("optional"):
                return {}
            raise MountError(f'{kind.lower()} "{name}" not found')
        return found

    def _write(self, place: Path, files: dict[str, bytes]) -> None:
        paths = {place / _inside(name): content for name, content in files.items()}
        for path, content in paths.items():
            if self._written.get(path) == content:
                continue
            private_directory(path.parent)
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_bytes(content)
            fresh.chmod(0o600)
            fresh.replace(path)
            self._written[path] = content
        for path in [each for each in self._written if each.is_relative_to(place)]:
            if path not in paths:
                path.unlink(missing_ok=True)
                del self._written[path]

    def root_of(self, pod: Object, container: Object) -> Path:
        """Return a fresh tree in which each mount path of a container leads to its volume."""
        root = self._directory / "roots" / str(container["name"])
        shutil.rmtree(root, ignore_errors=True)
        private_directory(root)
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
        mounts = container.get("volumeMounts") or []
        for mount in sorted(mounts, key=lambda each: str(each["mountPath"])):
            if mount["name"] not in volumes:
                raise ConfigError(f'volume mount "{mount["name"]}" names no volume of the pod')
            link = root / _inside(mount["mountPath"].lstrip("/"))
            target = self._place(volumes[mount["name"]])
            if mount.get("subPath"):
                target /= _inside(mount["subPath"])
            private_directory(link.parent)
            link.symlink_to(target)
        return root

    def remove(self) -> None:
        """Remove everything but what claims keep."""
        shutil.rmtree(self._directory, ignore_errors=True)


def _inside(path: str) -> PurePosixPath:
    """Return a relative path that stays inside; raises `ConfigError` for any other."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ConfigError(f"path {path!r} leaves its volume")
    return pure


def _selected(wanted: Object, data: dict[str, bytes]) -> dict[str, bytes]:
    items = wanted.get("items")
    if not items:
        return data
    chosen = {}
    for item in items:
        if item["key"] in data:
            chosen[item["path"]] = data[item["key"]]
        elif not wanted.get("optional"):
            raise MountError(f"references non-existent config key: {item['key']}")
    return chosen
