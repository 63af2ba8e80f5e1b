"""What may go wrong in the demo; the tree is drawn in the package's docstring."""

__all__ = ["DemoError", "ProcessEnded", "StepFailed"]


class DemoError(Exception):
    """The demo cannot go on; `process` is the one whose log may tell why, or empty."""

    def __init__(self, message: str, *, process: str = "") -> None:
        super().__init__(message)
        self.process = process


class StepFailed(DemoError):  # noqa: N818 - says what happened
    """Something did not happen in time, or something else did; the message says what was seen."""


class ProcessEnded(DemoError):  # noqa: N818 - likewise
    """A process ended that should run as long as the demo."""
