"""How a new revision is judged: steps, metrics, webhooks, alerts, session affinity."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated, Final

from fluvial.apis.flagger.matching import AnalysisMatch
from fluvial.apis.meta import NamespacedObjectReference
from fluvial.apis.schema import Model, Number, Schema, defaulted

__all__ = [
    "AlertReference",
    "Analysis",
    "Metric",
    "SessionAffinity",
    "ThresholdRange",
    "Webhook",
]

_PERIOD: Final = Schema(pattern="^[0-9]+(m|s)")


class ThresholdRange(Model, kw_only=True):
    """The values that pass, bounds included."""

    min: float | None = None
    """Lowest value that passes."""
    max: float | None = None
    """Highest value that passes."""


class Metric(Model, kw_only=True):
    """A measurement that every step must pass."""

    name: str
    """Name; `request-success-rate` and `request-duration` are built in."""
    interval: Annotated[str, _PERIOD] = ""
    """Window of the query; one minute when absent, but for templates."""
    threshold: float = 0
    """Deprecated: lowest success rate in percent, or highest value of any other metric."""
    threshold_range: ThresholdRange | None = None
    """The values that pass."""
    query: str = ""
    """Deprecated: a PromQL query."""
    template_ref: NamespacedObjectReference | None = None
    """MetricTemplate with provider and query."""
    template_variables: dict[str, str] = {}
    """Values for the template's `variables`."""


class AlertReference(Model, kw_only=True):
    """Whom to tell."""

    name: str
    """Name of the alert."""
    severity: Annotated[str, Schema(enum=("", "info", "warn", "error"))] = ""
    """Least severity that is told."""
    provider_ref: NamespacedObjectReference
    """AlertProvider that is used."""


class Webhook(Model, kw_only=True):
    """A call that may hold, stop or accompany the release."""

    type: Annotated[
        str,
        Schema(
            enum=(
                "",
                "confirm-rollout",
                "pre-rollout",
                "rollout",
                "confirm-promotion",
                "post-rollout",
                "event",
                "rollback",
                "confirm-traffic-increase",
            )
        ),
    ] = ""
    """When it is called; absent means rollout: with every step."""
    name: str
    """Name of the webhook."""
    url: Annotated[str, Schema(format="url")]
    """Address that is called."""
    mute_alert: bool = False
    """Send no alert when it fails."""
    timeout: Annotated[str, _PERIOD] = ""
    """Time limit of the call; ten seconds when absent."""
    retries: Number = 0
    """How often a failed call is made again."""
    disable_tls: bool = False
    """Do not verify the server's certificate."""
    metadata: dict[str, str] = {}
    """What is sent along."""


class SessionAffinity(Model, kw_only=True):
    """A cookie that keeps a user on the version that answered first."""

    cookie_name: str
    """Name of the cookie of users of the new version."""
    primary_cookie_name: str = ""
    """Name of the cookie of users of the old version; absent means none is set."""
    domain: str = ""
    """Domain of the cookies."""
    http_only: bool = False
    """Hide the cookies from scripts."""
    max_age: Number = defaulted(86400)
    """How long the cookies live, in seconds."""
    partitioned: bool = False
    """Keep the cookies in partitioned storage."""
    path: str = ""
    """Path of the cookies."""
    same_site: Annotated[str, Schema(enum=("Strict", "Lax", "None"))] = ""
    """Whether the cookies are sent across sites."""
    secure: bool = False
    """Send the cookies only over TLS."""


class Analysis(Model, kw_only=True):
    """How a new revision is judged; exactly one of iterations, stepWeight and stepWeights."""

    one_of = (
        {"required": ["interval", "threshold", "iterations"]},
        {"required": ["interval", "threshold", "stepWeight"]},
        {"required": ["interval", "threshold", "stepWeights"]},
    )

    interval: Annotated[str, _PERIOD] = ""
    """Time between two steps; one minute when absent, never less than ten seconds."""
    iterations: Number = 0
    """Number of checks of a blue/green release or an A/B test."""
    threshold: Number = 0
    """Failed checks that lead to a rollback; at least 1."""
    max_weight: Number = 0
    """Weight at which promotion begins, in percent; absent means 100."""
    step_weight: Number = 0
    """Weight that every step adds, in percent."""
    step_weights: list[Number] = []
    """Weights of the steps, in percent."""
    step_weight_promotion: Number = 0
    """Weight that every step of the promotion adds, in percent; absent means all at once."""
    mirror: bool = False
    """Send copies of requests to the new version before the first step."""
    mirror_weight: Number = 0
    """Share of requests that are copied, in percent; absent means all."""
    primary_ready_threshold: Number | None = None
    """Share of the primary's pods that must be available, in percent; absent means 100."""
    canary_ready_threshold: Number | None = None
    """Share of the canary's pods that must be available, in percent; absent means 100."""
    match: list[AnalysisMatch] = []
    """Users of an A/B test."""
    metrics: list[Metric] = []
    """Measurements that every step must pass."""
    alerts: list[AlertReference] = []
    """Whom to tell."""
    webhooks: list[Webhook] = []
    """Calls that hold, stop or accompany the release."""
    session_affinity: SessionAffinity | None = None
    """A cookie that keeps a user on the version that answered first."""
