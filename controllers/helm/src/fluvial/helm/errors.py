# ruff: noqa: N818  (the names say what happened, as the toolkit's do)
"""What goes wrong in this distribution.

    HelmReleaseError
    ├── RecordInvalid     a release Secret that holds no release
    ├── ChartUnusable     a chart that does not load, or templates that do not render
    └── ActionFailed      an install, upgrade, rollback or uninstall that did not reach its end

What ends an attempt is a ReconcileError of the toolkit; these are turned into one.
"""

__all__ = ["ActionFailed", "ChartUnusable", "HelmReleaseError", "RecordInvalid"]


class HelmReleaseError(Exception):
    """Base of all."""


class RecordInvalid(HelmReleaseError):
    """A Secret of Helm's type that holds no readable release."""


class ChartUnusable(HelmReleaseError):
    """The chart does not load or render; the message has template file and line."""


class ActionFailed(HelmReleaseError):
    """An action did not reach its end; the record, if one was written, says so as well."""
