"""Folded scalars as kustomize prints and reads them once more, which can change their text."""

from fluvial.render.yaml._compose import compose

__all__ = ["refold"]

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
    lines = text.split("\n")
    if any(line.endswith(" ") for line in lines):
        return text  # the writer takes double quotes instead, which keep everything
    doubles = not text.lstrip("\n").startswith(_BLANKS)
    written = [f">{'2' if text.startswith((*_BLANKS, chr(10))) else ''}{_chomping(text)}\n"]
    for line in lines[:-1]:
        twice = doubles and line and not line.startswith(_BLANKS)
        written.append((f"  {line}" if line else "") + ("\n\n" if twice else "\n"))
    written.append(f"  {lines[-1]}" if lines[-1] else "")
    (node,) = compose("".join(written), "<folded>")
    return str(node.value)


def _chomping(text: str) -> str:
    if not text.endswith("\n"):
        return "-"
    return "+" if text.endswith("\n\n") or text == "\n" else ""
