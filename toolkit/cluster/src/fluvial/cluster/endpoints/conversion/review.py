"""`ConversionReview`: what a conversion webhook is sent, and what it may make of the objects."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import msgspec

from fluvial.cluster.builtin.metadata import annotation_errors, label_errors
from fluvial.cluster.errors import Cause
from fluvial.cluster.objects import Object

__all__ = ["VERSIONS", "AnswerError", "ConversionError", "Sent", "converted", "read", "review"]

VERSIONS = ("v1", "v1beta1")
"""The versions of reviews that can be sent."""


class ConversionError(ValueError):
    """Objects cannot be converted; the message is upstream's, with the kind they are of."""


class AnswerError(ValueError):
    """A webhook's answer that is none; the message is what follows `failed: `."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A review that is to be sent: its uid, the version it is in, and the body."""

    uid: str
    version: str
    body: bytes


def review(objects: list[Object], api_version: str, versions: tuple[str, ...]) -> Sent:
    """Return the review that asks for objects in another version.

    `versions` are those of reviews that the webhook knows, best first. Raises `ConversionError`
    when none of them is known here.
    """
    version = next((name for name in versions if name in VERSIONS), None)
    if version is None:
        raise ConversionError("no supported conversion review versions")
    uid = str(uuid.uuid4())
    body = {
        "kind": "ConversionReview",
        "apiVersion": f"apiextensions.k8s.io/{version}",
        "request": {"uid": uid, "desiredAPIVersion": api_version, "objects": objects},
    }
    return Sent(uid, version, msgspec.json.encode(body))


def read(sent: Sent, body: bytes) -> list[Any]:
    """Return what a webhook answered, unchecked; raises `AnswerError`.

    An answer in v1beta1 may leave out its kind and the uid, as upstream allows.
    """
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise AnswerError("the answer is no JSON object")
    response = found.get("response")
    if sent.version == "v1":
        _check_kind(found)
    if not isinstance(response, dict):
        raise AnswerError("no response provided")
    if sent.version == "v1" and (response.get("uid") or "") != sent.uid:
        raise AnswerError(f'expected response.uid="{sent.uid}", got "{response.get("uid") or ""}"')
    result = response.get("result")
    result = result if isinstance(result, dict) else {}
    if result.get("status") != "Success":
        said = f"response.result.status was '{result.get('status') or ''}', not 'Success'"
        raise AnswerError(str(result.get("message") or said))
    objects = response.get("convertedObjects") or []
    return objects if isinstance(objects, list) else [objects]


def _check_kind(found: Object) -> None:
    group, _, version = str(found.get("apiVersion") or "").rpartition("/")
    shown = f"{group}/{version}, Kind={found.get('kind') or ''}"
    if shown != "apiextensions.k8s.io/v1, Kind=ConversionReview":
        raise AnswerError(
            "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, "
            f"got {shown}"
        )


def converted(originals: list[Object], objects: list[Any], api_version: str) -> list[Object]:
    """Return the objects of an answer, with the metadata of the originals.

    A webhook changes no metadata but labels and annotations: upstream puts the rest back, and
    refuses another name, namespace or uid. Raises `ConversionError`.
    """
    failed = f"conversion webhook for {shown_kind(originals[0])}"
    if len(objects) != len(originals):
        raise ConversionError(
            f"{failed} returned {len(objects)} objects, expected {len(originals)}"
        )
    found = []
    for index, (original, obj) in enumerate(zip(originals, objects, strict=True)):
        place = f"{failed} returned invalid object at index {index}: invalid"
        if not isinstance(obj, dict):
            raise ConversionError(f"{failed} failed, unexpected type at index {index}: no object")
        if obj.get("apiVersion") != api_version:
            given = obj.get("apiVersion") or ""
            text = f"groupVersion (expected {api_version}, received {given})"
            raise ConversionError(f"{place} {text}")
        if obj.get("kind") != original.get("kind"):
            text = f"kind (expected {original.get('kind')}, received {obj.get('kind') or ''})"
            raise ConversionError(f"{place} {text}")
        try:
            _check_identity(original, obj)
        except AnswerError as error:
            raise ConversionError(f"{failed} returned invalid object: {error}") from None
        try:
            obj["metadata"] = _metadata(original, obj)
        except AnswerError as error:
            raise ConversionError(f"{failed} returned invalid metadata: {error}") from None
        found.append(obj)
    return found


def shown_kind(obj: Object) -> str:
    """Return the kind of an object as Go prints it: `group/version, Kind=Kind`."""
    return f"{obj.get('apiVersion')}, Kind={obj.get('kind')}"


def _check_identity(original: Object, obj: Object) -> None:
    given = obj.get("metadata")
    after: Object = given if isinstance(given, dict) else {}
    before = original.get("metadata") or {}
    for key, shown in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        wanted, found = before.get(key) or "", after.get(key) or ""
        if wanted != found:
            raise AnswerError(f"must have the same {shown}: {wanted} != {found}")


def _metadata(original: Object, obj: Object) -> Object:
    if "metadata" not in obj:
        raise AnswerError("missing metadata in converted object")
    given = obj["metadata"]
    if not isinstance(given, dict):
        raise AnswerError(f"invalid metadata of type {_go_type(given)} in converted object")
    before = original.get("metadata") or {}
    result = dict(before)
    for name, check, path in (
        ("labels", label_errors, "metadata.labels"),
        ("annotations", annotation_errors, "metadata.annotation"),  # upstream's path
    ):
        result.pop(name, None)
        if given.get(name) is None:
            continue
        texts = _texts(name, given[name])
        if texts != (before.get(name) or {}):
            _refuse(check(texts, path))
        result[name] = texts
    return result


def _texts(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise AnswerError(f"invalid metadata.{name} of type {_go_type(value)} in converted object")
    for key, text in value.items():
        if not isinstance(text, str):
            raise AnswerError(
                f"metadata.{name}[{key}] must be a string, but is {_go_type(text)} in converted "
                "object"
            )
    return value


def _refuse(causes: list[Cause]) -> None:
    texts = [f"{cause['field']}: {cause['message']}" for cause in causes]
    if texts:
        raise AnswerError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def _go_type(value: Any) -> str:
    """Return the type of a decoded value as Go's `%T` prints it."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
    return "map[string]interface {}"
