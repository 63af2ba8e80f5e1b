"""JSON pointers (RFC 6901)."""

__all__ = ["escape"]


def escape(part: str) -> str:
    """Escape one part of a JSON pointer."""
    if "/" not in part and "~" not in part:
        return part
    return part.replace("~", "~0").replace("/", "~1")
