"""Folded scalars as kustomize prints and reads them once more, which can change their text."""

from fluvial.render.yaml._compose import compose

__all__ = ["refold", "write_folded"]

_BLANKS = (" ", "\t")


def refold(text: str) -> str:
    """Return what is left of a folded scalar once Go's writer has written it and it is read again.

    The writer doubles the line break between two lines that are not indented further, so that
    reading folds it back into one. To see whether the next line is indented it looks at the start
    of the whole text, though: breaks before indented lines and at the end are doubled as well, and
    none is where the text itself starts with a blank.
    """
    if "\n" not in text.rstrip("\n") and not text.endswith("\n\n"):
        return text
    if any(line.endswith(" ") for line in text.split("\n")):
        return text  # the writer takes double quotes instead, which keep everything
    (node,) = compose(write_folded(text, "  "), "<folded>")
    return str(node.value)


def write_folded(text: str, pad: str) -> str:
    """Write a folded scalar as Go's writer does, its lines behind `pad`."""
    lines = text.split("\n")
    doubles = not text.lstrip("\n").startswith(_BLANKS)
    written = [f">{'2' if text.startswith((*_BLANKS, chr(10))) else ''}{_chomping(text)}\n"]
    for line in lines[:-1]:
        twice = doubles and line and not line.startswith(_BLANKS)
        written.append((f"{pad}{line}" if line else "") + ("\n\n" if twice else "\n"))
    written.append(f"{pad}{lines[-1]}" if lines[-1] else "")
    return "".join(written)


def _chomping(text: str) -> str:
    if not text.endswith("\n"):
        return "-"
    return "+" if text.endswith("\n\n") or text == "\n" else ""
