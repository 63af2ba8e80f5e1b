"""Query parameters to options, with upstream's refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fluvial.cluster import fielderrors
from fluvial.cluster.endpoints import ListOptions, User, WatchOptions, WriteOptions
from fluvial.cluster.errors import Cause, bad_request, invalid
from fluvial.cluster.objects import Object

__all__ = [
    "check_timeout",
    "flag",
    "integer",
    "list_options",
    "seconds",
    "watch_options",
    "write_options",
]

_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_GO_ESCAPES = {"\a": "\\a", "\b": "\\b", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_DURATION = re.compile(r"[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+|0")


def flag(query: Mapping[str, str], name: str) -> bool | None:
    """Read a boolean; a bare parameter is true, nonsense is 400."""
    if name not in query:
        return None
    value = query[name]
    if value == "":
        return True
    if value.lower() in ("0", "false"):
        return False
    return value not in _FALSE


def integer(query: Mapping[str, str], name: str) -> int | None:
    """Read a whole number; nonsense is 400."""
    value = query.get(name, "")
    if not value:
        return None
    if not re.fullmatch(r"[+-]?\d+", value):
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    return int(value)


def seconds(query: Mapping[str, str]) -> int | None:
    """Read timeoutSeconds."""
    return integer(query, "timeoutSeconds")


def check_timeout(query: Mapping[str, str]) -> None:
    """Refuse a `timeout` that is no duration."""
    value = query.get("timeout")
    if value and not _DURATION.fullmatch(value):
        raise bad_request(
            f'invalid timeout specified in the request URL - time: invalid duration "{value}"'
        )


def list_options(query: Mapping[str, str], name: str = "") -> ListOptions:
    """Read the options of a list; of timeoutSeconds only whether it is a number."""
    seconds(query)
    fields = query.get("fieldSelector", "")
    if name:
        fields = ",".join(filter(None, [fields, f"metadata.name={name}"]))
    return ListOptions(
        query.get("labelSelector", ""),
        fields,
        integer(query, "limit") or 0,
        query.get("continue", ""),
        query.get("resourceVersion", ""),
        query.get("resourceVersionMatch", ""),
        flag(query, "sendInitialEvents"),
    )


def watch_options(query: Mapping[str, str], name: str = "") -> WatchOptions:
    """Read the options of a watch."""
    listed = list_options(query, name)
    return WatchOptions(
        listed.label_selector,
        listed.field_selector,
        listed.version,
        listed.match,
        bool(flag(query, "allowWatchBookmarks")),
        listed.send_initial_events,
    )


def _manager(query: Mapping[str, str], user_agent: str) -> str:
    given = query.get("fieldManager", "")
    return given or user_agent.partition("/")[0][:128] or "unknown"


def write_options(
    query: Mapping[str, str], user_agent: str, user: User, kind: str, *, apply: bool = False
) -> WriteOptions:
    """Read the options of a write; `kind` is CreateOptions and the like, for messages."""
    causes: list[Cause] = []
    dry = query.get("dryRun", "")
    if dry and dry != "All":
        causes.append(_unsupported("dryRun", [dry], '"All"'))
    manager = query.get("fieldManager", "")
    if apply and not manager:
        causes.append(fielderrors.required("fieldManager", "is required for apply patch"))
    if len(manager) > 128:
        causes.append(fielderrors.too_long("fieldManager", 128))
    if any(not char.isprintable() for char in manager):
        at = next(i for i, char in enumerate(manager) if not char.isprintable())
        shown = "".join(_GO_ESCAPES.get(char, char) for char in manager)
        text = f"invalid character U+{ord(manager[at]):04X} (at position {at})"
        message = f'Invalid value: "{shown}": {text}'
        causes.append({"reason": "FieldValueInvalid", "message": message, "field": "fieldManager"})
    force = query.get("force")
    if force is not None and kind == "PatchOptions" and not apply:
        causes.append(fielderrors.forbidden("force", "may not be specified for non-apply patch"))
    validation = query.get("fieldValidation", "")
    if validation not in ("", "Ignore", "Warn", "Strict"):
        shown = '"", "Ignore", "Strict", "Warn"'
        causes.append(_unsupported("fieldValidation", validation, shown))
    if causes:
        raise invalid("meta.k8s.io", kind, "", causes)
    return WriteOptions(
        manager=_manager(query, user_agent),
        dry_run=dry == "All",
        force=bool(flag(query, "force")),
        validation=validation or "Warn",
        user=user,
        stated=_stated(dry, manager, validation),
    )


def _stated(dry: str, manager: str, validation: str) -> Object:
    """Return what the client said, in the form of CreateOptions and UpdateOptions."""
    said: Object = {"dryRun": [dry]} if dry else {}
    if manager:
        said["fieldManager"] = manager
    if validation:
        said["fieldValidation"] = validation
    return said


def _unsupported(field: str, value: object, shown: str) -> Cause:
    text = f"Unsupported value: {fielderrors.quote(value)}: supported values: {shown}"
    return {"reason": "FieldValueNotSupported", "message": text, "field": field}
