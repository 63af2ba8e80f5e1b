"""What a query is asked about, and what can go wrong when it is.

```
MetricError
├── NoValues         the query found nothing, or NaN: no traffic yet, most likely
└── QueryError       the query could not be made: address, credentials, template, answer
    └── UnsupportedMetricProvider   this controller cannot ask that kind of service
```

None of them stops a controller: each is a failed check, and its text is the reason given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fluvial.apis.flagger import Canary, Metric
from fluvial.canary.errors import CanaryError

__all__ = ["MetricError", "NoValues", "QueryError", "QueryModel", "UnsupportedMetricProvider"]


class MetricError(CanaryError):
    """A metric has no value."""


class NoValues(MetricError):  # noqa: N818 -- upstream's term
    """The query was answered, but with nothing to compare."""


class QueryError(MetricError):
    """The query was not answered."""


class UnsupportedMetricProvider(QueryError):  # noqa: N818 -- named by what it says
    """This controller does not speak the provider's protocol."""


@dataclass(frozen=True, slots=True)
class QueryModel:
    """The functions that a query template may call, and their values."""

    name: str
    namespace: str
    target: str
    service: str
    ingress: str
    route: str
    interval: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, canary: Canary, metric: Metric, interval: str) -> "QueryModel":
        """Return what a metric of a Canary is about; `interval` is the window of its query."""
        spec = canary.spec
        target = spec.target_ref.name
        return cls(
            name=canary.metadata.name,
            namespace=canary.metadata.namespace,
            target=target,
            service=(spec.service.name if spec.service else "") or target,
            ingress=spec.ingress_ref.name if spec.ingress_ref else target,
            route=spec.route_ref.name if spec.route_ref else target,
            interval=interval,
            variables=metric.template_variables,
        )
