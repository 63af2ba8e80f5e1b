"""GitRepository: a tree of a Git repository as an artifact."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated

from fluvial.apis.meta import Artifact, LocalObjectReference, Resource
from fluvial.apis.schema import (
    Interval,
    Model,
    Rule,
    Schema,
    Timeout,
    always,
    defaulted,
    unobserved,
)
from fluvial.apis.source.shared import API_VERSION, SourceStatus

__all__ = [
    "GitRepository",
    "GitRepositoryInclude",
    "GitRepositoryRef",
    "GitRepositorySpec",
    "GitRepositoryStatus",
    "GitRepositoryVerification",
]


class GitRepositoryRef(Model, kw_only=True):
    """What to check out: commit wins over name, then tag, then semver, then branch."""

    branch: str = ""
    """Branch; `master` when nothing else is named."""
    tag: str = ""
    """Tag."""
    semver: str = ""
    """Range of semantic versions; the highest tag in it is taken."""
    name: str = ""
    """Full reference, e.g. `refs/pull/1/head`."""
    commit: str = ""
    """Commit; a branch beside it narrows what is fetched."""


class GitRepositoryVerification(Model, kw_only=True):
    """How OpenPGP or SSH signatures are verified."""

    mode: Annotated[str, Schema(enum=("head", "HEAD", "Tag", "TagAndHEAD"))] = defaulted("HEAD")
    """What must be signed: the commit, the tag, or both; `head` is an old spelling of HEAD."""
    secret_ref: LocalObjectReference
    """Secret with the public keys of trusted authors."""


class GitRepositoryInclude(Model, kw_only=True):
    """Another repository's artifact, copied into this one's tree."""

    repository: LocalObjectReference
    """GitRepository to copy from."""
    from_path: str = ""
    """Folder to copy; absent means all."""
    to_path: str = ""
    """Folder to copy into; absent means one named like the repository."""


class GitRepositorySpec(Model, kw_only=True):
    """What to fetch, how often, and with which credentials."""

    cel_rules = (
        Rule(
            "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure'"
            " || self.provider == 'aws'))",
            "serviceAccountName can only be set when provider is 'azure' or 'aws'",
        ),
    )

    url: Annotated[str, Schema(pattern="^(http|https|ssh)://.*$")]
    """Address of the repository, over HTTP or SSH; the scp form is not valid."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the credentials."""
    provider: Annotated[str, Schema(enum=("generic", "aws", "azure", "github"))] = ""
    """How to authenticate: with the Secret's credentials (generic, also when absent), with a
    cloud's identity, or as a GitHub App."""
    service_account_name: str = ""
    """ServiceAccount whose identity is used with a cloud provider."""
    interval: Interval
    """How often the repository is looked at."""
    timeout: Timeout = defaulted("60s")
    """Time limit of each Git operation."""
    ref: GitRepositoryRef | None = None
    """What to check out."""
    verify: GitRepositoryVerification | None = None
    """How signatures are verified; absent means not at all."""
    proxy_secret_ref: LocalObjectReference | None = None
    """Secret with the address and credentials of a proxy."""
    ignore: str | None = None
    """Rules in gitignore syntax of what is left out of the artifact."""
    suspend: bool = False
    """Do not reconcile for now."""
    recurse_submodules: bool = False
    """Fetch submodules too."""
    include: list[GitRepositoryInclude] = []
    """Artifacts of other repositories to merge in."""
    sparse_checkout: list[str] = []
    """Folders to take instead of the whole tree."""


class GitRepositoryStatus(SourceStatus, kw_only=True):
    """What was last observed and stored."""

    included_artifacts: list[Artifact] = []
    """Artifacts that were merged in, in the order of `spec.include`."""
    observed_ignore: str | None = None
    """The ignore rules of the stored artifact."""
    observed_recurse_submodules: bool = False
    """Whether the stored artifact has submodules."""
    observed_include: list[GitRepositoryInclude] = []
    """The includes of the stored artifact."""
    observed_sparse_checkout: list[str] = []
    """The folders of the stored artifact."""
    source_verification_mode: str | None = None
    """The verification mode that was last enforced."""


class GitRepository(Resource, kw_only=True):
    """A Git repository whose tree at some reference is offered as an artifact."""

    api_version: str = always(API_VERSION)
    kind: str = always("GitRepository")
    spec: GitRepositorySpec
    """What is wanted."""
    status: GitRepositoryStatus = unobserved(GitRepositoryStatus)
    """What is."""
