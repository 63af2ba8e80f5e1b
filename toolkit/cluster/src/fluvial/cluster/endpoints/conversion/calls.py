"""`Conversions`: objects in the versions that are asked for, made by webhooks and kept.

Upstream keeps the objects of each served version in a watch cache, from which lists and watches are
answered; a get and the object under a write are converted each time. So here: what a webhook made
stays with the stored version of the object (`Entry.converted`), and `fresh` asks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator

import msgspec

from fluvial.cluster.endpoints.admission.calls import Caller, CallError
from fluvial.cluster.endpoints.conversion.review import (
    AnswerError,
    ConversionError,
    converted,
    read,
    review,
    shown_kind,
)
from fluvial.cluster.errors import StatusError, generic
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.storage import Entry

__all__ = ["Conversions", "Forms"]

SECONDS = 30
"""How long a conversion may take; upstream has no setting for it."""
BATCH_OBJECTS = 64
BATCH_BYTES = 4 * 1024 * 1024
"""What one review holds at most (an object that is larger goes alone)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Forms:
    """An object about to be written: as it is stored, and as the request's version shows it."""

    stored: Object
    shown: Object


class Conversions:
    """The conversions of one control plane."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._running: dict[tuple[Resource, Entry], asyncio.Future[None]] = {}

    async def load(self, resource: Resource, entries: list[Entry], *, fresh: bool = False) -> bool:
        """Have stored objects converted to a version, so that it can be shown.

        Without `fresh` those that were converted before are not again, and who comes while they are
        being converted waits for that. Tells whether somebody was asked, which takes time: other
        writes may have come in. Raises the 500 that upstream gives.
        """
        wanted = [
            entry
            for entry in entries
            if entry.object.get("apiVersion") != resource.api_version
            and (fresh or resource not in entry.converted)
        ]
        for batch in _batches(wanted):
            # Others may have begun with the rest of them meanwhile.
            mine = [entry for entry in batch if fresh or self._is_free(resource, entry)]
            if mine:
                await self._convert_batch(resource, mine)
        running = (self._running.get((resource, entry)) for entry in wanted)
        for other in {each for each in running if each is not None and not fresh}:
            await asyncio.shield(other)  # whoever gives up here takes nobody along
        return bool(wanted)

    def _is_free(self, resource: Resource, entry: Entry) -> bool:
        """Tell whether an entry has not been converted, and is not just being."""
        return resource not in entry.converted and (resource, entry) not in self._running

    async def _convert_batch(self, resource: Resource, batch: list[Entry]) -> None:
        """Convert and keep a batch; those who wait for it are told of a failure."""
        done = asyncio.get_running_loop().create_future()
        places = [(resource, entry) for entry in batch]
        self._running.update(dict.fromkeys(places, done))
        objects = [msgspec.json.decode(entry.data) for entry in batch]
        try:
            with _refusing():
                found = await self.convert(resource, objects)
            for entry, obj in zip(batch, found, strict=True):
                self.keep(resource, entry, obj)
        except StatusError as error:
            done.set_exception(error)
            done.exception()  # nobody needs to wait for it
            raise
        finally:
            for place in places:
                self._running.pop(place, None)
            if not done.done():
                done.set_result(None)

    @staticmethod
    def keep(resource: Resource, entry: Entry, obj: Object) -> None:
        """Keep what a webhook made of a stored object for one version.

        That of an earlier definition of the same version is forgotten.
        """
        for other in [each for each in entry.converted if each.api_version == resource.api_version]:
            del entry.converted[other]
        obj["metadata"]["resourceVersion"] = str(entry.revision)
        entry.converted[resource] = msgspec.json.encode(obj)
        for form in ("object", "json"):
            entry.views.pop((form, resource), None)

    async def forms(self, resource: Resource, obj: Object) -> Forms | None:
        """Return both forms of an object that is to be written; None if they are the same.

        Raises the 500 that upstream gives: such an object is not written.
        """
        custom = resource.custom
        if not resource.converts or custom is None or custom.storage in {None, resource}:
            return None
        storage = custom.storage
        assert storage is not None
        assert storage.custom is not None
        with _refusing():
            (stored,) = await self.convert(storage, [_copy(obj)])
            storage.custom.decode(stored)
            (shown,) = await self.convert(resource, [_copy(stored)])
        custom.decode(shown)
        return Forms(stored, shown)

    async def shown(self, resource: Resource, obj: Object) -> Object:
        """Return one object in the version of `resource`; raises the 500 that upstream gives."""
        with _refusing():
            (found,) = await self.convert(resource, [obj])
        return found

    async def convert(self, resource: Resource, objects: list[Object]) -> list[Object]:
        """Return objects of other versions in that of `resource`; raises `ConversionError`.

        They are taken over. Nobody is asked about what is in that version already.
        """
        wanted = [obj for obj in objects if obj.get("apiVersion") != resource.api_version]
        if not wanted:
            return objects
        assert resource.custom is not None
        for obj in wanted:
            if str(obj.get("apiVersion")) not in resource.custom.versions:
                given = obj.get("apiVersion")
                raise ConversionError(
                    f"request to convert CR from an invalid group/version: {given}"
                )
        made = iter(await self._asked(resource, wanted))
        return [
            obj if obj.get("apiVersion") == resource.api_version else next(made) for obj in objects
        ]

    async def _asked(self, resource: Resource, objects: list[Object]) -> list[Object]:
        """Return what the webhook makes of objects, all of them in another version."""
        assert resource.custom is not None
        webhook = resource.custom.conversion
        assert webhook is not None
        sent = review(objects, resource.api_version, webhook.reviews)
        try:
            answer = read(sent, await self._caller.call(webhook.client, sent.body, SECONDS))
        except (CallError, AnswerError) as error:
            failed = f"conversion webhook for {shown_kind(objects[0])} failed"
            raise ConversionError(f"{failed}: {error}") from None
        return converted(objects, answer, resource.api_version)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Answer a conversion that failed with the plain 500 of upstream's storage."""
    try:
        yield
    except ConversionError as error:
        raise generic(500, "", str(error)) from None


def _copy(obj: Object) -> Object:
    result: Object = msgspec.json.decode(msgspec.json.encode(obj))
    return result


def _batches(entries: list[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == BATCH_OBJECTS or size + len(entry.data) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry.data)
    if batch:
        yield batch
