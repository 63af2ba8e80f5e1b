"""`AdmissionReview`: what a webhook is sent, and what it may answer."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import uuid
from typing import Any

import msgspec

from fluvial.cluster.endpoints.admission.attributes import Attributes
from fluvial.cluster.endpoints.admission.matching import Match
from fluvial.cluster.objects import Object

__all__ = ["Answer", "ReviewError", "Sent", "read", "review"]

_VERSIONS = ("v1", "v1beta1")


class ReviewError(ValueError):
    """An answer that is no valid review; the message is upstream's."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A review that is to be sent: its uid, the version it is in, and the body."""

    uid: str
    version: str
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook said. `patch` holds JSON patch operations, `status` a Status or None.

    `annotations` are for the audit log.
    """

    allowed: bool
    patch: list[Any]
    status: Object | None
    warnings: tuple[str, ...]
    annotations: dict[str, str]


def review(
    asked: Attributes, match: Match, obj: Object | None, old: Object | None, versions: list[str]
) -> Sent | None:
    """Return the review for a request; None when the webhook knows no version of ours.

    `obj` and `old` are in the version that was matched.
    """
    version = next((name for name in versions if name in _VERSIONS), None)
    if version is None:
        return None
    uid = str(uuid.uuid4())
    request = {"uid": uid, **asked.shown(match.resource, match.kind)}
    request["object"], request["oldObject"] = obj, old
    body = {
        "kind": "AdmissionReview",
        "apiVersion": f"admission.k8s.io/{version}",
        "request": request,
    }
    return Sent(uid, version, msgspec.json.encode(body))


def read(sent: Sent, body: bytes, *, mutating: bool) -> Answer:
    """Read an answer; raises `ReviewError`."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise ReviewError("the answer is no JSON object")
    response = found.get("response")
    if not isinstance(response, dict):
        raise ReviewError("webhook response was absent")
    patch, patch_type = response.get("patch") or "", response.get("patchType")
    if sent.version == "v1":
        _check_identity(sent, found, response)
        _check_patch(patch, patch_type, mutating=mutating)
    operations = _operations(patch) if mutating and patch else []
    if operations and sent.version == "v1" and patch_type != "JSONPatch":
        raise ReviewError(f'unsupported patch type "{patch_type}"')
    status = response.get("status")
    return Answer(
        response.get("allowed") is True,
        operations,
        status if isinstance(status, dict) else None,
        tuple(str(text) for text in response.get("warnings") or []),
        {key: str(text) for key, text in (response.get("auditAnnotations") or {}).items()},
    )


def _check_identity(sent: Sent, found: Object, response: Object) -> None:
    uid = response.get("uid") or ""
    if uid != sent.uid:
        raise ReviewError(f'expected response.uid="{sent.uid}", got "{uid}"')
    group, _, version = str(found.get("apiVersion") or "").rpartition("/")
    shown = f"{group}/{version}, Kind={found.get('kind') or ''}"
    if shown != "admission.k8s.io/v1, Kind=AdmissionReview":
        raise ReviewError(
            f"expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {shown}"
        )


def _check_patch(patch: str, patch_type: str | None, *, mutating: bool) -> None:
    if not mutating:
        if patch:
            raise ReviewError("validating webhook may not return response.patch")
        if patch_type is not None:
            raise ReviewError("validating webhook may not return response.patchType")
        return
    if patch and patch_type is None:
        raise ReviewError("webhook returned response.patch but not response.patchType")
    if not patch and patch_type is not None:
        raise ReviewError("webhook returned response.patchType but not response.patch")
    if patch_type == "":
        raise ReviewError('webhook returned invalid response.patchType of ""')


def _operations(patch: str) -> list[Any]:
    try:
        found = msgspec.json.decode(base64.b64decode(patch, validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise ReviewError(f"received undecodable patch in webhook response: {error}") from None
    if not isinstance(found, list):
        raise ReviewError("received undecodable patch in webhook response: it is no list")
    return found
