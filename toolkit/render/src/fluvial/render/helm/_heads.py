"""The head of a manifest: its version, kind and name, without building all of the document.

Rendering asks every document what it is, and reading all of its YAML for that takes half as long as
executing its template. Nearly all manifests are block style on plain and quoted scalars, one key or
item a line. `scan` reads those line by line, follows the indentation, and answers only when it is
certain that the YAML reader takes the document too and says the same. Whatever is unusual, and
whatever is wrong, is for that reader: then the answer is None.
"""

import functools
import re
from typing import Final, NamedTuple

from fluvial.render.yaml import resolve

__all__ = ["Head", "scan"]


class Head(NamedTuple):
    """What a document says it is, as YAML has the values; None for what it does not say."""

    api_version: str | float | bool | None
    kind: str | float | bool | None
    name: str | float | bool | None


_UNUSUAL: Final = re.compile(r"[^\n -~\xa1-\u1fff\u2030-\ud7ff]")
_ITEM: Final = r"""(?: "[^"\\\n]*+" | '[^'\n]*+' | [A-Za-z][\w./-]*+ )"""
_REST: Final = r"[^:\#\n]*+ (?: (?: :(?=[^\ \n]) | (?<=[^\ ])\# ) [^:\#\n]*+ )*+"
"""What may follow in a plain scalar: no colon before a blank, no hash behind one."""
_LINE: Final = re.compile(
    rf"""
    (\ *+)                                                 # 1: the indentation
    (-\ ++)?+                                              # 2: an item of a list
    (?: (?: "([A-Za-z0-9_./-][\w./\ -]{{0,127}}+)"         # 3: a key in quotes
          | (?!(?:null|Null|NULL):) ([A-Za-z_][\w./-]{{0,127}}+) )  # 4: a key
        : (?= [\ \n] | \Z) \ *+ )?+
    (?: ([|>][+-]?+)                                       # 5: a block of text follows
      | ( (?! [-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)\b )       # 6: a plain scalar
          (?: [^\s\-?:,\[\]{{}}\#&*!|>'"%@`] | [-?:](?=[^\ \n]) ) {_REST} )
      | ( "(?: [^"\\\n] | \\["\\nt] | \n(?=[\ \n]) )*+"      # 7: a scalar in quotes
        | '(?: [^'\n] | '' | \n(?=[\ \n]) )*+' )
      | ( \{{\ *+\}} | \[\ *+ (?: {_ITEM}\ *+ (?: ,\ *+{_ITEM}\ *+ )*+ )?+ \] ) )?+  # 8: a list
    \ *+ ( (?<![^\ \n])\#[^\n]*+ )?+                       # 9: a comment
    (?: \n | \Z )
    """,
    re.VERBOSE | re.ASCII,
)
_MORE: Final = re.compile(
    rf"(\ ++) (?: [^\ :\#\n] | :(?=[^\ \n]) ) {_REST} ((?<=\ )\#[^\n]*+)?+ (?:\n|\Z)",
    re.VERBOSE | re.ASCII,
)
"""A further line of a plain scalar: it is deeper than what holds the scalar."""
_FIRST_OF_TEXT: Final = re.compile(r"\n*+( *+)(?=[^ \n])")
_DEEPEST: Final = 90  # columns; at most two levels stand in one, and the reader takes 200
_ASKED: Final = frozenset({"apiVersion", "kind", "metadata", "name"})
_DOCUMENT: Final = 2  # how many levels are open in the outermost map: itself and the stream


@functools.lru_cache(maxsize=128)
def _block(indent: int) -> re.Pattern[str]:
    """Make the pattern of a block of text: lines with that indentation, and blank ones."""
    return re.compile(rf"(?:(?: {{{indent}}}[^\n]*+| *+)\n)*+(?: {{{indent}}}[^\n]*+| *+\Z)?+")


def scan(text: str) -> Head | None:
    """Return the head of a document, or None when only the YAML reader can tell."""
    if _UNUSUAL.search(text):
        return None
    found: dict[str, str] = {}
    section = ""
    columns, lists = [-1], [False]  # of what is open: maps and lists, the outermost first
    awaiting = True  # the last key has no value yet: what is deeper belongs to it
    running = False  # the last value is plain, and may go on in the next line
    asked = False  # the last value is one of those that are wanted
    position, size = 0, len(text)
    match = _LINE.match
    while position < size:
        if running:
            more = _MORE.match(text, position)
            if more is not None and len(more[1]) > columns[-1]:
                if asked:
                    return None
                position = more.end()
                running = more[2] is None
                continue
        line = match(text, position)
        if line is None:
            return None
        indentation, dash, quoted, key, block, plain, scalar, flow, comment = line.groups()
        position = line.end()
        key = key or quoted
        empty = plain is None and scalar is None and block is None and flow is None
        column = len(indentation)
        if (
            key is not None
            and dash is None
            and column == columns[-1]
            and len(columns) > _DOCUMENT + 1
            and not lists[-1]
        ):
            # The next key of the same inner map, which most lines are: the short way.
            running = plain is not None and comment is None
            asked, awaiting = False, empty
            if block is not None and (position := _after_text(text, position, column)) < 0:
                return None
            continue
        if key is None and dash is None:
            if empty:
                running = running and comment is None
                continue
            if not awaiting or column <= columns[-1] or len(columns) < _DOCUMENT:
                return None
        elif key is None and empty:
            return None
        if column > _DEEPEST:
            return None
        while columns[-1] > column:
            columns.pop()
            lists.pop()
            awaiting = False
        if dash is not None:
            if columns[-1] != column or not lists[-1]:
                if not awaiting or len(columns) < _DOCUMENT:
                    return None
                columns.append(column)
                lists.append(True)
            column += len(dash)
            awaiting = key is not None
        elif key is not None and lists[-1] and columns[-1] == column:
            columns.pop()  # a list may stand in the same column as the key that it belongs to
            lists.pop()
            awaiting = False
        running = plain is not None and comment is None
        asked = False
        if key is None:
            awaiting = False
        else:
            if columns[-1] != column:
                if not awaiting:
                    return None
                columns.append(column)
                lists.append(False)
            awaiting = empty
            depth = len(columns)
            if key in _ASKED:
                if depth == _DOCUMENT + 1:
                    asked = key == "name" and section == "metadata"
                else:
                    asked = key != "name" and depth == _DOCUMENT
                if asked and key == "metadata":
                    asked = False
                    found.pop("name", None)
                elif asked:
                    value = plain or scalar
                    if value is None:
                        return None
                    found[key] = value
            if depth == _DOCUMENT:
                section = key
        if block is not None and (position := _after_text(text, position, columns[-1])) < 0:
            return None
    return _head(found) if len(columns) >= _DOCUMENT else None


def _after_text(text: str, position: int, outer: int) -> int:
    """Return where a block of text ends whose key or list is in column `outer`; -1 for unknown."""
    first = _FIRST_OF_TEXT.match(text, position)
    if first is None:
        return -1 if text[position:].strip("\n") else len(text)
    indent = len(first[1])
    if indent <= outer:
        return position
    rest = _block(indent).match(text, position)
    assert rest is not None
    return rest.end()


def _head(found: dict[str, str]) -> Head | None:
    """Read the scalars, which are as they were written."""
    values = []
    for key in ("apiVersion", "kind", "name"):
        text = found.get(key, "").rstrip(" ")
        if text[:1] not in {'"', "'"}:
            values.append(resolve(text))
        elif "\n" in text or ("\\" in text and text[0] == '"'):
            return None
        else:
            values.append(text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1])
    return Head(*values)
