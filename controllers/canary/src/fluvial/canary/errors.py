"""What can go wrong in a tick.

```
CanaryError
├── InvalidSpec      the Canary cannot be run as it is; only an edit helps
├── MissingObject    something it refers to is not there; the next tick looks again
└── NotSupported     part of the API that this controller does not do; the message says which
```
"""

__all__ = ["CanaryError", "InvalidSpec", "MissingObject", "NotSupported"]


class CanaryError(Exception):
    """Ends a tick; the message is logged and told as an event."""


class InvalidSpec(CanaryError):  # noqa: N818 - named by what it says
    """The spec contradicts itself or its target; nothing is done until it is edited."""


class MissingObject(CanaryError):  # noqa: N818 - named by what it says
    """An object that is needed does not exist, or is not of the expected form."""


class NotSupported(CanaryError):  # noqa: N818 - named by what it says
    """A kind of target, scaler or provider that this controller refuses."""
