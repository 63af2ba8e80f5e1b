"""ConfigMaps and Secrets from files, literals and env files, and the hash in their names."""

import base64
import hashlib
import json
from typing import Any

from fluvial.render.kustomize._errors import KustomizationError
from fluvial.render.kustomize._ids import text
from fluvial.render.kustomize._keys import check_keys
from fluvial.render.kustomize._loader import Loader
from fluvial.render.kustomize._merge import clone
from fluvial.render.kustomize._model import GeneratorArgs, GeneratorOptions, SecretArgs
from fluvial.render.kustomize._resource import Resource
from fluvial.render.kustomize._styles import requote
from fluvial.render.objects import Origin
from fluvial.render.yaml import settled

__all__ = ["NEEDS_HASH", "append_hash", "content_hash", "generate", "go_json"]

NEEDS_HASH = "internal.config.kubernetes.io/needsHashSuffix"
"""The annotation by which a resource of a file asks for a hash."""

_LINE = 70
_LETTERS = str.maketrans("013ae", "ghkmt")
_BOM = b"\xef\xbb\xbf"


def generate(
    kind: str, args: GeneratorArgs, shared: GeneratorOptions | None, loader: Loader
) -> Resource:
    """Make one ConfigMap or Secret; the caller adds it by its behavior."""
    if not args.name:
        raise KustomizationError(f"a {kind} generator must have a name", file=loader.file)
    options = _options(args.options, shared)
    data: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": args.name}}
    if args.namespace:
        data["metadata"]["namespace"] = args.namespace
    pairs = _pairs(args, loader)
    if kind == "Secret":
        data["type"] = (args.type if isinstance(args, SecretArgs) else "") or "Opaque"
        data["data"] = {key: _base64(pairs[key]) for key in sorted(pairs)}
    else:
        for key in sorted(pairs):
            try:
                field, value = "data", pairs[key].decode()
            except UnicodeDecodeError:
                field, value = "binaryData", _base64(pairs[key])
            data.setdefault(field, {})[key] = value
    requote(data.get("data", {}), printed=False)
    for field in ("labels", "annotations"):
        found: dict[str, str] = getattr(options, field)
        if found:
            check_keys(found, f"{field} of the {kind} generator {args.name!r}")
            data["metadata"][field] = {key: found[key] for key in sorted(found)}
    if options.immutable:
        data["immutable"] = True
    resource = Resource(data, loader.file)
    resource.needs_hash = not options.disableNameSuffixHash
    resource.behavior = args.behavior
    return resource


def _options(own: GeneratorOptions | None, shared: GeneratorOptions | None) -> GeneratorOptions:
    own, shared = own or GeneratorOptions(), shared or GeneratorOptions()
    return GeneratorOptions(
        labels={**shared.labels, **own.labels},
        annotations={**shared.annotations, **own.annotations},
        disableNameSuffixHash=own.disableNameSuffixHash or shared.disableNameSuffixHash,
        immutable=own.immutable or shared.immutable,
    )


def _pairs(args: GeneratorArgs, loader: Loader) -> dict[str, bytes]:
    found: list[tuple[str, bytes]] = []
    for path in args.envs:
        found += _env_file(loader.read(path), path)
    for literal in args.literals:
        key, equals, value = literal.partition("=")
        if not equals or not key:
            raise KustomizationError(
                f"invalid literal source {literal!r} of {args.name!r}, expected key=value",
                file=loader.file,
            )
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found.append((key, value.encode()))
    for source in args.files:
        key, path = _file_source(source, loader)
        found.append((key, loader.read(path)))
    pairs: dict[str, bytes] = {}
    for key, content in found:
        if key in pairs:
            raise KustomizationError(
                f"generator {args.name!r} illegally repeats the key {key!r}", file=loader.file
            )
        pairs[key] = content
    return pairs


def _file_source(source: str, loader: Loader) -> tuple[str, str]:
    key, equals, path = source.partition("=")
    if not equals:
        return source.rstrip("/").rpartition("/")[2], source
    if not key or not path or "=" in path:
        raise KustomizationError(
            f"file source {source!r} must be a path or key=path, with one '='", file=loader.file
        )
    return key, path


def _env_file(content: bytes, path: str) -> list[tuple[str, bytes]]:
    pairs = []
    for number, raw in enumerate(content.split(b"\n"), 1):
        line = raw.removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(_BOM)
        try:
            trimmed = line.decode().lstrip()
        except UnicodeDecodeError:
            raise KustomizationError("invalid UTF-8", file=path, line=number) from None
        if trimmed and not trimmed.startswith("#"):
            key, _, value = trimmed.partition("=")
            if key:
                pairs.append((key, value.encode()))
    return pairs


def _base64(content: bytes) -> str:
    """Encode, broken after every 70 characters when it is longer than that."""
    encoded = base64.b64encode(content).decode()
    if len(encoded) < _LINE:
        return encoded
    return "".join(f"{encoded[start : start + _LINE]}\n" for start in range(0, len(encoded), _LINE))


def go_json(value: Any) -> str:
    """Print JSON as Go does: sorted keys, no spaces, the signs of HTML escaped."""
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for char in "<>&\u2028\u2029":
        encoded = encoded.replace(char, f"\\u{ord(char):04x}")
    return encoded.replace("\\b", "\\u0008").replace("\\f", "\\u000c")


def append_hash(resource: Resource) -> None:
    """Put the hash of its content behind the name of a resource that is to have one."""
    annotations = resource.metadata.get("annotations")
    asks = isinstance(annotations, dict) and annotations.get(NEEDS_HASH) == "enabled"
    if not (resource.needs_hash or asks):
        return
    digest = content_hash(resource)
    resource.remember()
    resource.rename(f"{resource.name}-{digest}")
    resource.note("/metadata/name", Origin(resource.file, 0, 0, "content hash"))


def content_hash(resource: Resource) -> str:
    """Return the ten characters that stand for the content of a ConfigMap or Secret.

    The name takes no part in it, because upstream looks it up by a path that never matches.
    """
    data = resource.data
    kind = resource.gvk.kind

    def field(name: str) -> Any:
        value = data.get(name, "")
        return settled(clone(value)) if isinstance(value, dict) else text(value)

    if kind == "ConfigMap":
        hashed = {"kind": kind, "name": "", "data": field("data")}
        optional = "binaryData"
    elif kind == "Secret":
        hashed = {"kind": kind, "name": "", "data": field("data"), "type": field("type")}
        optional = "stringData"
    else:
        hashed, optional = {"kind": kind, "object": settled(clone(data))}, ""
    if isinstance(data.get(optional), dict):
        hashed[optional] = field(optional)
    digest = hashlib.sha256(go_json(hashed).encode()).hexdigest()
    return digest[:10].translate(_LETTERS)
