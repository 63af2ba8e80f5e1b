# ruff: noqa: N818  (the names say what happened, in the words of the field)
"""What can go wrong between this controller and a Git remote.

GitError
├── ReferenceInvalid       the reference in the spec can never name anything: wait for a new spec
├── UrlInvalid             nor can the URL
├── CredentialsInvalid     the Secret does not hold what its keys promise
├── ReferenceNotFound      the remote answered and has no such reference
├── RepositoryEmpty        the remote answered and has no references at all
├── ObjectUnreadable       the mirror lacks or cannot read an object: it is rebuilt
└── CommandFailed          git ended with an error; `verb` says which command
    ├── AuthenticationRefused   the remote wants other credentials
    ├── Redirected              the remote sends us elsewhere, and credentials stay home
    ├── MirrorCorrupt           the local mirror is damaged: it is rebuilt
    ├── CommandTimedOut         the deadline came first; the process group was killed
    └── OutputTooLarge          the remote said more than any honest one would

Messages hold neither credentials nor control characters, so that they can go into a status.
"""

__all__ = [
    "AuthenticationRefused",
    "CommandFailed",
    "CommandTimedOut",
    "CredentialsInvalid",
    "GitError",
    "MirrorCorrupt",
    "ObjectUnreadable",
    "OutputTooLarge",
    "Redirected",
    "ReferenceInvalid",
    "ReferenceNotFound",
    "RepositoryEmpty",
    "UrlInvalid",
]


class GitError(Exception):
    """The root of this tree."""


class ReferenceInvalid(GitError):
    """The reference breaks Git's own naming rules, or the range is no range."""


class UrlInvalid(GitError):
    """The URL is not an http, https or ssh address of a repository."""


class CredentialsInvalid(GitError):
    """The Secret lacks a key, or holds keys that exclude each other."""


class ReferenceNotFound(GitError):
    """The remote has no reference of that name, or no tag in that range."""


class RepositoryEmpty(GitError):
    """The remote has no references."""


class ObjectUnreadable(GitError):
    """An object that the mirror should hold is missing or damaged."""


class CommandFailed(GitError):
    """Git ended with an error. `verb` is the git command, e.g. `fetch`."""

    def __init__(self, verb: str, message: str) -> None:
        super().__init__(message)
        self.verb = verb


class AuthenticationRefused(CommandFailed):
    """The remote refused the credentials, or wants some and there are none."""


class Redirected(CommandFailed):
    """The remote answered with a redirect while credentials were in use."""


class MirrorCorrupt(CommandFailed):
    """Git found the local mirror damaged."""


class CommandTimedOut(CommandFailed):
    """The deadline passed."""


class OutputTooLarge(CommandFailed):
    """The output passed its limit."""
