"""get and list: selectors, pages, and which state of the store answers.

Rules of `resourceVersion`, `resourceVersionMatch`, `limit` and `continue` are those of
https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions.
"""

from __future__ import annotations

import base64
import dataclasses
import re

import msgspec

from fluvial.cluster.endpoints.access import Access
from fluvial.cluster.endpoints.target import Target
from fluvial.cluster.errors import (
    Cause,
    StatusError,
    bad_request,
    expired,
    generic,
    invalid,
)
from fluvial.cluster.objects import Object
from fluvial.cluster.resources import Resource
from fluvial.cluster.selectors import (
    FieldTerm,
    LabelTerm,
    SelectorError,
    parse_fields,
    parse_labels,
)
from fluvial.cluster.storage import CompactedError, Entry, Key

__all__ = ["ListOptions", "Matcher", "Page", "Reader", "list_options_error", "parse_version"]

TOO_OLD_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
TOO_OLD_LIST = "The resourceVersion for the provided list is too old."


@dataclasses.dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list, as text where the text matters for messages."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    token: str = ""
    version: str = ""
    match: str = ""
    send_initial_events: bool | None = None


@dataclasses.dataclass(slots=True)
class Page:
    """One answer to a list: entries with their views' resource, and the list's metadata."""

    resource: Resource
    revision: int
    entries: list[Entry]
    objects: list[Object]
    token: str = ""
    remaining: int | None = None

    def metadata(self) -> Object:
        """Return the `ListMeta`; custom resources always write `continue`."""
        meta: Object = {"resourceVersion": str(self.revision)}
        if self.token or self.resource.custom is not None:
            meta["continue"] = self.token
        if self.remaining:
            meta["remainingItemCount"] = self.remaining
        return meta


def _go_uint(text: str) -> str:
    return f'strconv.ParseUint: parsing "{text}": invalid syntax'


def parse_version(text: str) -> int:
    """Read a resource version; raises the plain 500 that upstream gives for nonsense."""
    if not text:
        return 0
    if not re.fullmatch(r"\d+", text):
        message = f'resourceVersion: Invalid value: "{text}": {_go_uint(text)}'
        raise generic(500, "", message)
    return int(text)


def list_options_error(causes: list[tuple[str, str, str]]) -> StatusError:
    """Return the 422 for `(field, reason, message)` of list options."""
    shaped: list[Cause] = [
        {"reason": reason, "message": message, "field": field} for field, reason, message in causes
    ]
    return invalid("meta.k8s.io", "ListOptions", "", shaped)


class Matcher:
    """Both selectors of a request over objects of one resource."""

    def __init__(self, access: Access, resource: Resource, labels: str, fields: str) -> None:
        try:
            self.labels: tuple[LabelTerm, ...] = parse_labels(labels)
            self.fields: tuple[FieldTerm, ...] = parse_fields(fields)
        except SelectorError as error:
            raise bad_request(str(error)) from None
        self._strategy = access.strategy(resource)
        for term in self.fields:
            self._strategy.check_field_label(resource, term.field)

    @property
    def everything(self) -> bool:
        """Tell whether nothing is filtered."""
        return not self.labels and not self.fields

    def name(self) -> str | None:
        """Return the one name that can match, when the selector names one."""
        for term in self.fields:
            if term.equal and term.field == "metadata.name":
                return term.value
        return None

    def matches(self, obj: Object) -> bool:
        """Tell whether an object is selected."""
        if self.labels:
            labels = obj["metadata"].get("labels") or {}
            if not all(term.matches(labels) for term in self.labels):
                return False
        if not self.fields:
            return True
        return all(
            term.matches(lambda path: self._strategy.field_value(obj, path)) for term in self.fields
        )


class Reader:
    """get and list."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, target: Target) -> Object:
        """Read one object; the result is the caller's own."""
        return self._access.own(target.resource, self._access.find(target))

    def check_version(self, text: str) -> None:
        """Refuse a resource version that is none, or one that was not reached yet."""
        number = parse_version(text)
        if number > self._access.store.revision:
            raise self._too_large(number)

    def page(self, target: Target, options: ListOptions) -> Page:
        """Read a page. Raises 400, 410 or 422 for options that cannot be served."""
        matcher = self._matcher(target, options)
        entries, revision = self._select(target, options)
        return self._page(target, entries, matcher, self._limit(options), revision)

    async def load(self, target: Target, options: ListOptions) -> None:
        """Have the objects of a page converted by their webhook; afterwards `page` shows them."""
        limit = self._limit(options) if self._matcher(target, options).everything else 0
        await self._access.load(
            target.resource, lambda: self._select(target, options)[0][: limit or None]
        )

    def _matcher(self, target: Target, options: ListOptions) -> Matcher:
        return Matcher(
            self._access, target.resource, options.label_selector, options.field_selector
        )

    @staticmethod
    def _limit(options: ListOptions) -> int:
        return 0 if options.version == "0" else options.limit

    def _select(self, target: Target, options: ListOptions) -> tuple[list[Entry], int]:
        """Return the entries from which a page is taken, and the revision they are of."""
        self._check(options)
        start: Key | None = None
        at: int | None = None
        if options.token:
            start, at = self._resume(options)
        elif options.version:
            number = self._list_version(options.version)
            if number > self._access.store.revision:
                raise self._too_large(number)
            exact = options.match == "Exact" or (
                options.limit > 0 and number > 0 and not options.match
            )
            at = number if exact else None
        revision = self._access.store.revision if at is None else at
        entries = self._entries(target, at, options)
        if start is not None:
            entries = [entry for entry in entries if entry.key > start]
        return entries, revision

    def _page(
        self,
        target: Target,
        entries: list[Entry],
        matcher: Matcher,
        limit: int,
        revision: int,
    ) -> Page:
        page = Page(target.resource, revision, [], [])
        for index, entry in enumerate(entries):
            if limit and len(page.entries) == limit:
                remaining = entries[index:]
                page.token = _token(revision, page.entries[-1].key)
                if matcher.everything:
                    page.remaining = len(remaining)
                elif not any(matcher.matches(self._view(target, e)) for e in remaining):
                    page.token = ""
                break
            obj = self._view(target, entry)
            if matcher.matches(obj):
                page.entries.append(entry)
                page.objects.append(obj)
        return page

    def _view(self, target: Target, entry: Entry) -> Object:
        return self._access.view(target.resource, entry)

    def _entries(self, target: Target, at: int | None, options: ListOptions) -> list[Entry]:
        store = self._access.store
        try:
            return store.entries(target.resource.prefix, target.namespace, at)
        except CompactedError:
            if not options.token:
                raise expired(TOO_OLD_LIST) from None
            key = _read_token(options.token)[1]
            token = _token(-1, key)
            raise expired(TOO_OLD_CONTINUE, metadata={"continue": token}) from None

    @staticmethod
    def _resume(options: ListOptions) -> tuple[Key, int | None]:
        if options.version and options.version != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        revision, key = _read_token(options.token)
        return key, None if revision < 0 else revision

    @staticmethod
    def _list_version(text: str) -> int:
        if not re.fullmatch(r"\d+", text):
            message = f'resourceVersion: Invalid value: "{text}": {_go_uint(text)}'
            raise bad_request(f"invalid resource version: {message}")
        return int(text)

    def _too_large(self, number: int) -> StatusError:
        message = f"Timeout: Too large resource version: {number}, current: "
        error = generic(504, "Timeout", message + str(self._access.store.revision))
        error.details = {
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ],
            "retryAfterSeconds": 1,
        }
        return error

    @staticmethod
    def _check(options: ListOptions) -> None:
        causes = []
        field, forbidden = "resourceVersionMatch", "FieldValueForbidden"
        if options.send_initial_events is not None:
            text = "Forbidden: sendInitialEvents is forbidden for list"
            causes.append(("sendInitialEvents", forbidden, text))
        if options.match:
            if options.token:
                text = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
                causes.append((field, forbidden, text))
            if not options.version:
                text = (
                    "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is "
                    "provided"
                )
                causes.append((field, forbidden, text))
            if options.match == "Exact" and options.version == "0":
                text = (
                    'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
                )
                causes.append((field, forbidden, text))
            if options.match not in ("Exact", "NotOlderThan"):
                text = (
                    f'Unsupported value: "{options.match}": supported values: "Exact", '
                    '"NotOlderThan", ""'
                )
                causes.append((field, "FieldValueNotSupported", text))
        if causes:
            raise list_options_error(causes)


def _token(revision: int, key: Key) -> str:
    start = "/".join(part for part in key if part) + "\0"
    payload = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": revision, "start": start})
    return base64.urlsafe_b64encode(payload).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, Key]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from None
    try:
        data = msgspec.json.decode(raw)
        revision, start = int(data["rv"]), str(data["start"]).rstrip("\0")
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        shown = raw[:1].decode("latin-1") or "EOF"
        message = f"invalid character '{shown}' looking for beginning of value"
        raise bad_request(f"invalid continue token: continue key is not valid: {message}") from None
    namespace, _, name = start.rpartition("/")
    return revision, (namespace, name)
