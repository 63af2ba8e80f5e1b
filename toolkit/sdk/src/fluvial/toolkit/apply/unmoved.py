"""Whether an applied object is still as it was verified, from its metadata alone.

The rule is positive: only what is proved to be unmoved counts as such, everything else is unknown
and wants a dry-run. Proved means that it was verified for the same claim (whose it is, and all that
says how it is to be), that a watch has shown this very object (uid), at or after the version of the
last verified answer, not being deleted, with our apply entry in managedFields and the labels and
annotations that it owns unchanged, nothing of former managers to be cleaned away, and

- where its kind keeps a generation, in the same generation,
- else in the same version; so too where our apply entry does not own every label and annotation
  that is wanted (they have the right value by somebody else's doing), for their changes would not
  show, and where the caller says that more of an object counts than its entry tells.

A `Ledger` holds this for the objects of one endpoint. It is the store of an informer that watches
metadata; an object that was not announced by `expect` is dropped at once.
"""

import enum
import struct
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from fluvial.apis.ids import GroupKind, Unstructured
from fluvial.toolkit.apply.managers import cleanup_patch
from fluvial.toolkit.apply.ordering import Stage, stage
from fluvial.toolkit.apply.undeclared import BUILT_IN
from fluvial.toolkit.client import Resource
from fluvial.toolkit.store import Key, key_of, version_of

__all__ = ["CLAIM_BYTES", "Ledger", "Verdict", "keeps_generation"]

CLAIM_BYTES: Final = 16
"""How long a claim is."""

_PACKED: Final = struct.Struct("<16sQQ16s?")
_SIZE: Final = _PACKED.size
_NOTHING: Final = bytes(_SIZE)
_NOBODY: Final = bytes(CLAIM_BYTES)
_NEW: Final = _NOTHING + _NOTHING + _NOBODY
"""What was verified, what was shown, and for which claim it was verified."""
_WITH_GENERATION: Final = frozenset(
    {
        ("", "ReplicationController"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("networking.k8s.io", "Ingress"),
        ("policy", "PodDisruptionBudget"),
    }
)
"""Built-in kinds whose generation the server keeps.

That of others never moves, as of a HorizontalPodAutoscaler, where a manifest has brought one along.
"""


class Verdict(enum.Enum):
    """What is known of an object; all but UNMOVED want a dry-run."""

    UNMOVED = "unmoved"
    """It is as it was verified: no request is needed."""
    UNVERIFIED = "it was not verified since this process has started"
    """Nobody has looked yet."""
    UNSEEN = "no watch has shown it since it was verified"
    """The watch may be behind the verification."""
    SILENT = "its watch is not synced, or gives no sign of life"
    """What is not heard of may have changed."""
    DELETING = "it is being deleted"
    """It has a deletion timestamp."""
    REPLACED = "another object has its name"
    """Its uid is another one."""
    CHANGED = "its generation or version is another one"
    """It was written since."""
    DISOWNED = "what we own of it is no longer the same"
    """Another manager took fields, or an owner's label is gone."""


def keeps_generation(resource: Resource) -> bool:
    """Whether `metadata.generation` moves with each change of the spec, and nothing else counts.

    Needs the subresources that discovery tells: a kind without status moves it with everything, or
    has none. Of kinds that are not built in it is for the caller to know that they have a
    definition. Of definitions and classes the status counts too: an apply waits for it.
    """
    kind = GroupKind(resource.group, resource.kind)
    if "status" not in resource.subresources:
        return False
    if resource.group in BUILT_IN:
        return kind in _WITH_GENERATION
    return stage(kind) not in {Stage.DEFINITIONS, Stage.CLASSES}


class Ledger:
    """What was verified and what was shown of the objects of one endpoint, at most 400 bytes each.

    `manager` is the field manager whose Apply entry is looked at; entries of managers whose names
    begin with one of `override` are to be cleaned away, as those of kubectl. `controls` are labels
    or annotations that change how an object is applied (`…/ssa` and the like): they count wherever
    they come from.
    """

    def __init__(
        self,
        resource: Resource,
        manager: str,
        controls: Collection[str] = (),
        override: Sequence[str] = (),
    ) -> None:
        self._generations = keeps_generation(resource)
        self._manager = manager
        self._controls = tuple(sorted(controls))
        self._override = tuple(override)
        self._entries: dict[str, bytes] = {}

    def __len__(self) -> int:
        """How many objects are expected."""
        return len(self._entries)

    def expect(self, keys: Iterable[Key]) -> None:
        """Announce objects, before they are applied: from now on what a watch shows is kept."""
        for key in keys:
            self._entries.setdefault(_text(key), _NEW)

    def forget(self, keys: Iterable[Key]) -> None:
        """Drop objects that are no longer applied."""
        for key in keys:
            self._entries.pop(_text(key), None)

    def verified(
        self,
        live: Unstructured,
        wanted: Unstructured | None = None,
        claim: bytes = _NOBODY,
        *,
        exact: bool = False,
    ) -> None:
        """Remember an answer of the server that equals what is wanted, with its managedFields.

        `wanted` is the manifest, of which labels and annotations are looked at. `claim` (16 bytes)
        says for whom and for which inputs that holds. `exact`: any later version is a change.
        """
        text = _text(key_of(live))
        shown = self._entries.get(text, _NEW)[_SIZE : 2 * _SIZE]
        exact = exact or not self._owns(live, wanted or {})
        self._entries[text] = self._pack(live, exact=exact) + shown + claim

    def doubted(self, key: Key) -> None:
        """Take back what was verified, for a reason that no watch shows."""
        entry = self._entries.get(_text(key))
        if entry is not None:
            self._entries[_text(key)] = _NOTHING + entry[_SIZE : 2 * _SIZE] + _NOBODY

    def doubt_all(self) -> None:
        """Take back all that was verified."""
        for text, entry in self._entries.items():
            self._entries[text] = _NOTHING + entry[_SIZE : 2 * _SIZE] + _NOBODY

    def verdict(self, key: Key, claim: bytes = _NOBODY) -> Verdict:
        """Say what is known of an object, provided that its watch is alive."""
        entry = self._entries.get(_text(key), _NEW)
        verified, seen = entry[:_SIZE], entry[_SIZE : 2 * _SIZE]
        if verified == _NOTHING or entry[2 * _SIZE :] != claim:
            return Verdict.UNVERIFIED
        if seen == _NOTHING:
            return Verdict.UNSEEN
        uid, version, generation, ours, _ = _PACKED.unpack(verified)
        seen_uid, seen_version, seen_generation, seen_ours, deleting = _PACKED.unpack(seen)
        if not version or seen_version < version:
            return Verdict.UNSEEN
        if seen_uid != uid:
            return Verdict.REPLACED
        if deleting:
            return Verdict.DELETING
        if seen_ours != ours:
            return Verdict.DISOWNED
        same = generation == seen_generation if generation else version == seen_version
        return Verdict.UNMOVED if same else Verdict.CHANGED

    def shown(self, key: Key) -> int:
        """Return the version in which the watch has shown an object last, 0 if it does not."""
        seen = self._entries.get(_text(key), _NEW)[_SIZE : 2 * _SIZE]
        return int(_PACKED.unpack(seen)[1])

    # An informer's store.

    def get(self, namespace: str, name: str) -> Unstructured | None:
        """Return what is needed of an object that was shown to tell whether an event is newer."""
        seen = self._entries.get(_text(Key(namespace, name)), _NEW)[_SIZE : 2 * _SIZE]
        if seen == _NOTHING:
            return None
        uid, version, *_ = _PACKED.unpack(seen)
        metadata = {"name": name, "resourceVersion": str(version), "uid": str(uuid.UUID(bytes=uid))}
        return {"metadata": metadata | ({"namespace": namespace} if namespace else {})}

    def keys(self) -> list[Key]:
        """Return the keys of all objects that were shown."""
        return [
            _key(text)
            for text, entry in self._entries.items()
            if entry[_SIZE : 2 * _SIZE] != _NOTHING
        ]

    def put(self, obj: Unstructured) -> None:
        """Note what a watch shows, if the object is expected."""
        key = _text(key_of(obj))
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = entry[:_SIZE] + self._pack(obj) + entry[2 * _SIZE :]

    def remove(self, key: Key) -> Unstructured | None:
        """Note that a watch no longer shows an object: it is gone, or out of the selection."""
        found = self.get(*key)
        if found is not None:
            text = _text(key)
            entry = self._entries[text]
            self._entries[text] = entry[:_SIZE] + _NOTHING + entry[2 * _SIZE :]
        return found

    def _pack(self, obj: Unstructured, *, exact: bool = False) -> bytes:
        metadata = obj["metadata"]
        return _PACKED.pack(
            _uid(metadata.get("uid") or ""),
            version_of(obj),
            int(metadata.get("generation") or 0) if self._generations and not exact else 0,
            self._ours(obj),
            "deletionTimestamp" in metadata,
        )

    def _applied(self, metadata: Unstructured) -> Iterator[Unstructured]:
        """Go through our apply entries in managedFields: there is one per API version."""
        for entry in metadata.get("managedFields") or ():
            if (
                entry.get("manager") == self._manager
                and entry.get("operation") == "Apply"
                and not entry.get("subresource")
            ):
                yield entry

    def _owns(self, live: Unstructured, wanted: Unstructured) -> bool:
        """Whether our apply entries own all labels and annotations that are wanted."""
        ours = [
            (entry.get("fieldsV1") or {}).get("f:metadata") or {}
            for entry in self._applied(live["metadata"])
        ]
        return all(
            any(f"f:{name}" in (owned.get(f"f:{field}") or {}) for owned in ours)
            for field in ("labels", "annotations")
            for name in (wanted.get("metadata") or {}).get(field) or ()
        )

    def _ours(self, obj: Unstructured) -> bytes:
        """Digest what we own of an object, less the time at which we came to own it."""
        metadata = obj["metadata"]
        entries = [
            (entry.get("apiVersion"), entry.get("fieldsV1")) for entry in self._applied(metadata)
        ]
        values: list[Any] = [
            (metadata.get(field) or {}).get(key)
            for field in ("labels", "annotations")
            for key in self._controls
        ]
        for _, fields in entries:
            owned = (fields or {}).get("f:metadata") or {}
            for field in ("labels", "annotations"):
                present = metadata.get(field) or {}
                names = sorted(owned.get(f"f:{field}") or {})
                values += [(name, present.get(name.removeprefix("f:"))) for name in names]
        dirty = bool(cleanup_patch(obj, self._manager, self._override))
        content = msgspec.json.encode([entries, values, dirty], order="deterministic")
        return blake2b(content, digest_size=16).digest()


def _uid(text: str) -> bytes:
    """Return the 16 bytes of a UUID, as the API server makes them; anything else is digested."""
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return blake2b(text.encode(), digest_size=16).digest()


def _text(key: Key) -> str:
    return f"{key.namespace}/{key.name}"


def _key(text: str) -> Key:
    namespace, _, name = text.partition("/")
    return Key(namespace, name)
