"""What the source kinds share: names of their group, conditions of their statuses, verification."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated, Final

from fluvial.apis.meta import Artifact, Condition, LocalObjectReference
from fluvial.apis.schema import Int64, Model, Schema, defaulted

__all__ = ["API_VERSION", "GROUP", "OIDCIdentityMatch", "SourceStatus", "Verification"]

GROUP: Final = "source.toolkit.fluxcd.io"
API_VERSION: Final = f"{GROUP}/v1"


class SourceStatus(Model, kw_only=True):
    """What every reconciled source reports."""

    observed_generation: Int64 = 0
    """The generation that was last reconciled to a final result."""
    conditions: list[Condition] = []
    """The aspects of the object's state, Ready among them."""
    artifact: Artifact | None = None
    """The last artifact that was stored."""
    last_handled_reconcile_at: str = ""
    """The last reconcile request that was handled, as its annotation had it."""


class OIDCIdentityMatch(Model, kw_only=True):
    """An identity that may have signed; both are unanchored RE2 expressions."""

    issuer: str
    """Expression that the token's issuer must match."""
    subject: str
    """Expression that the token's subject must match."""


class Verification(Model, kw_only=True):
    """How the signature of an OCI artifact is verified."""

    provider: Annotated[str, Schema(enum=("cosign", "notation"), required=True)] = defaulted(
        "cosign"
    )
    """Technology that signed it."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the public keys, or for notation with the trust policy."""
    match_oidc_identity: list[OIDCIdentityMatch] = []
    """Identities of which one must have signed, for keyless cosign signatures."""
