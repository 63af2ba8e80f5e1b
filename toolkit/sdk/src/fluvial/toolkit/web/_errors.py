# ruff: noqa: N818  (the names say what happened)
"""What can go wrong with a download. Messages never hold credentials.

WebError
├── UrlInvalid        an address that is no http(s) URL
├── Unreachable       no answer: no such host, no connection, no trust, or too late
├── Refused           an answer that is an error; `status` has its number
└── AnswerTooLarge    more bytes than were allowed
"""

__all__ = ["AnswerTooLarge", "Refused", "Unreachable", "UrlInvalid", "WebError"]


class WebError(Exception):
    """Base of what downloads raise."""


class UrlInvalid(WebError):
    """An address that cannot be asked."""


class Unreachable(WebError):
    """The server could not be reached, or not trusted, or did not answer in time.

    `passing` says that a connection broke off, which may go better at once.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class Refused(WebError):
    """The server answered with an error; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AnswerTooLarge(WebError):
    """The answer is larger than the caller takes."""
