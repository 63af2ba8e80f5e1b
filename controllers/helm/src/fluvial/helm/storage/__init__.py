"""Release records in Helm's own format: Secrets that `helm list` and the Go controller read."""

from fluvial.helm.storage.record import Hook, Info, LastRun, Record, now_text
from fluvial.helm.storage.secrets import Storage

__all__ = ["Hook", "Info", "LastRun", "Record", "Storage", "now_text"]
