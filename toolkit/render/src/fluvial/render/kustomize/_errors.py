"""What can go wrong in a build.

KustomizeError(ValueError)      any of them; carries `file`, `line` and the quoted line
├── LoadError                   a file or folder is missing, outside the root, or remote
├── KustomizationError          the kustomization file itself
├── ResourceError               a resource file, or the identities of resources
├── TransformError              a patch, replacement or other transformer cannot be applied
└── SubstitutionError           a malformed or unset variable of post-build substitution
"""

from fluvial.render.yaml import snippet

__all__ = [
    "KustomizationError",
    "KustomizeError",
    "LoadError",
    "ResourceError",
    "SubstitutionError",
    "TransformError",
]


class KustomizeError(ValueError):
    """A build that cannot be done; the message names the file, the field and the way out.

    `line` counts from 1 and is 0 when unknown; `quote` is the offending line, or empty.
    """

    def __init__(self, problem: str, *, file: str = "", line: int = 0, text: str = "") -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.quote = snippet(text, line) if text and line else ""
        place = f"{file}:{line}: " if line else f"{file}: " if file else ""
        super().__init__(f"{place}{problem}" + (f"\n{self.quote}" if self.quote else ""))


class LoadError(KustomizeError):
    """A path that cannot be read: missing, outside the root, remote, or a cycle."""


class KustomizationError(KustomizeError):
    """A kustomization file that is missing, malformed, or asks for what is refused."""


class ResourceError(KustomizeError):
    """A resource without identity, or two with the same."""


class TransformError(KustomizeError):
    """A transformer that does not fit the resources it is applied to."""


class SubstitutionError(KustomizeError):
    """A post-build variable that is malformed or not set."""
