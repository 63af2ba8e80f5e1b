"""Printing a document in the style it had, as Go's yaml.v3 prints its nodes: nothing folds."""

import sys
from typing import Any

from fluvial.render.yaml._emit import (
    block_allowed,
    literal,
    plain_allowed,
    quoted_double,
    quoted_single,
    single_allowed,
)
from fluvial.render.yaml._folded import write_folded
from fluvial.render.yaml._styled import Comments, Entry, Spelled

__all__ = ["write_styled"]

_LONGEST_KEY = 128
_IN_FLOW = frozenset(",?[]{}:")
_NONE = Entry()
_WIDE = sys.maxsize


def write_styled(value: Any) -> str:
    """Print a document that `read_styled` has read, ending in a newline.

    What was put into it, plain dicts and lists too, is printed in block style.
    """
    out: list[str] = []
    _Writer(out).node(value, 0, flow=False, inline=True)
    out += [f"{line}\n" for line in getattr(value, "foot", ())]
    return "".join(out).removeprefix(" ")


class _Writer:
    def __init__(self, out: list[str]) -> None:
        self.out = out
        self.gap_at = -1

    def line(self, indent: int) -> str:
        """Return the start of a line; a comment that stands below an entry is set off."""
        gap = "\n" if self.gap_at == indent else ""
        self.gap_at = -1
        return gap + " " * indent

    def node(self, value: Any, indent: int, *, flow: bool, inline: bool, tail: str = "") -> None:
        """Write a value behind what precedes it, up to the end of its last line.

        `inline` says that a collection in block style starts on the same line.
        """
        out = self.out
        anchor = f" &{value.anchor}" if getattr(value, "anchor", "") else ""
        tag = getattr(value, "tag", "")
        head = f"{anchor} {_short(tag)}" if tag else anchor
        if flow or _is_flow(value):
            out.append(f"{head} {self.flow(value, indent)}{tail}\n")
        elif isinstance(value, dict | list):
            if head:
                out.append(head)
            self.block(value, indent, inline=inline and not head, tail=tail)
        else:
            self.scalar(value, indent, head, tail)

    def scalar(self, value: Any, indent: int, head: str, tail: str) -> None:
        text = _scalar(value, indent, flow=False, key=False)
        first, newline, rest = text.partition("\n")
        block = newline and first[:1] in {"|", ">"}
        lead = f"{head} " if first else head
        if block:
            self.out.append(f"{lead}{first}{tail}\n{rest}\n")
        else:
            self.out.append(f"{lead}{text}{tail}\n")

    def block(self, value: Any, indent: int, *, inline: bool, tail: str) -> None:
        entries: dict[Any, Entry] = getattr(value, "entries", {})
        first = inline
        if not inline:
            self.out.append(f"{tail}\n")
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            entry = entries.get(key, _NONE)
            if entry.comments.head:
                self.head(entry.comments, indent, first=first)
                first = False
            lead = " " if first else self.line(indent)
            first = False
            if isinstance(value, dict):
                self.pair(entry.key or key, item, entry, indent, lead)
            else:
                self.out.append(f"{lead}-")
                self.value(item, entry, indent + 2, inline=True)
            if entry.comments.foot:
                self.foot(entry.comments, indent)

    def head(self, comments: Comments, indent: int, *, first: bool) -> None:
        if first and self.out:
            self.out.append("\n")
        for line in comments.head:
            self.out.append(f"{self.line(indent)}{line}\n" if line else "\n")

    def foot(self, comments: Comments, indent: int) -> None:
        for line in comments.foot:
            self.out.append(f"{' ' * indent}{line}\n" if line else "\n")
        self.gap_at = indent

    def pair(self, key: Any, item: Any, entry: Entry, indent: int, lead: str) -> None:
        spelled = key if isinstance(key, Spelled) else Spelled(key, kind="str")
        written = f"{_prefix(spelled)}{_scalar(spelled, indent + 2, flow=False, key=True)}"
        if len(spelled.encode()) > _LONGEST_KEY or "\n" in spelled:
            self.out.append(f"{lead}? {written}\n{' ' * indent}:")
            self.value(item, entry, indent + 2, inline=True)
            return
        self.out.append(f"{lead}{written}:")
        is_list = isinstance(item, list) and not _is_flow(item)
        self.value(item, entry, indent if is_list else indent + 2, inline=False)

    def value(self, item: Any, entry: Entry, indent: int, *, inline: bool) -> None:
        tail = f" {entry.comments.line}" if entry.comments.line else ""
        if entry.alias:
            self.out.append(f" *{entry.alias}{tail}\n")
        else:
            self.node(item, indent, flow=False, inline=inline, tail=tail)

    def flow(self, value: Any, indent: int) -> str:
        """Write a value on one line; comments inside break it, as yaml.v3 does."""
        if not isinstance(value, dict | list):
            return _scalar(value, indent, flow=True, key=False)
        entries: dict[Any, Entry] = getattr(value, "entries", {})
        parts: list[str] = []
        commented = any(entry.comments.head or entry.comments.line for entry in entries.values())
        items = list(value.items() if isinstance(value, dict) else enumerate(value))
        for number, (key, item) in enumerate(items):
            entry = entries.get(key, _NONE)
            text = f"*{entry.alias}" if entry.alias else self.flow_item(item, indent)
            if isinstance(value, dict):
                spelled = key if isinstance(key, Spelled) else Spelled(key, kind="str")
                spelled = entry.key or spelled
                shown = f"{_prefix(spelled)}{_scalar(spelled, indent, flow=True, key=True)}"
                text = f"{shown}: {text}"
            last = number == len(items) - 1
            if commented:
                pad = "\n" + " " * indent
                heads = "".join(f"{pad}{line}" for line in entry.comments.head)
                tail = f" {entry.comments.line}" if entry.comments.line else ""
                parts.append(f"{heads}{pad}{text}{'' if last else ','}{tail}")
            else:
                parts.append(text if last else f"{text}, ")
        sides = "{}" if isinstance(value, dict) else "[]"
        return f"{sides[0]}{''.join(parts)}{sides[1]}"

    def flow_item(self, item: Any, indent: int) -> str:
        anchor = f"&{item.anchor} " if getattr(item, "anchor", "") else ""
        tag = f"{_short(item.tag)} " if getattr(item, "tag", "") else ""
        return f"{anchor}{tag}{self.flow(item, indent + 2)}"


def _is_flow(value: Any) -> bool:
    if isinstance(value, dict | list):
        return not value or bool(getattr(value, "flow", False))
    return False


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _prefix(key: Spelled) -> str:
    """Return what stands before a key: yaml.v3 spells out what a merge is."""
    anchor = f"&{key.anchor} " if key.anchor else ""
    if key == "<<" and not key.style and not key.tag:
        return f"{anchor}!!merge "
    return f"{anchor}{_short(key.tag)} " if key.tag else anchor


def _scalar(value: Any, indent: int, *, flow: bool, key: bool) -> str:
    spelled = value if isinstance(value, Spelled) else Spelled(str(value), kind="str")
    text = str(spelled)
    style = spelled.style
    prefix = ""
    if not spelled.tag:
        seen = Spelled(text, style=style).kind
        if seen != spelled.kind:
            if spelled.kind == "str":
                style = '"'
            else:
                prefix = f"!!{spelled.kind} "
    if not style and "\n" in text:
        style = "|"
    return prefix + _in_style(text, style, indent, flow=flow, key=key)


def _in_style(text: str, style: str, indent: int, *, flow: bool, key: bool) -> str:
    if style == "":
        if (not text and (flow or key)) or (text and not _is_plain(text, flow=flow)):
            style = "'"
        else:
            return text
    if style in {"|", ">"}:
        if not text or flow or key or not block_allowed(text):
            style = '"'
        elif style == "|":
            return literal(text, max(indent, 2))
        else:
            return write_folded(text, " " * max(indent, 2)).removesuffix("\n")
    if style == "'" and single_allowed(text) and not (key and "\n" in text):
        return quoted_single(text, max(indent, 2))
    return quoted_double(text)


def _is_plain(text: str, *, flow: bool) -> bool:
    if "\n" in text or not plain_allowed(text) or not single_allowed(text):
        return False
    return not (flow and _IN_FLOW.intersection(text))
