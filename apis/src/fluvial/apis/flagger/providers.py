"""MetricTemplate and AlertProvider: where evidence comes from, and who is told."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated

from fluvial.apis.flagger.canary import API_VERSION
from fluvial.apis.meta import LocalObjectReference, Resource
from fluvial.apis.schema import Model, Schema, always

__all__ = [
    "AlertProvider",
    "AlertProviderSpec",
    "MetricProvider",
    "MetricTemplate",
    "MetricTemplateSpec",
]


class MetricProvider(Model, kw_only=True):
    """A service that answers queries."""

    type: Annotated[
        str,
        Schema(
            enum=(
                "prometheus",
                "influxdb",
                "datadog",
                "externalmetrics",
                "stackdriver",
                "cloudwatch",
                "newrelic",
                "graphite",
                "dynatrace",
                "keptn",
                "splunk",
            )
        ),
    ]
    """Kind of service."""
    address: str = ""
    """Address of the service."""
    headers: dict[str, list[str]] = {}
    """Headers to send (Prometheus)."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the credentials."""
    region: str = ""
    """Region of the service (CloudWatch)."""
    insecure_skip_verify: bool = False
    """Do not verify the server's certificate."""


class MetricTemplateSpec(Model, kw_only=True):
    """What is asked, and of whom."""

    provider: MetricProvider
    """Who is asked."""
    query: str
    """What is asked: a Go template."""


class MetricTemplate(Resource, kw_only=True):
    """A query that analyses refer to."""

    api_version: str = always(API_VERSION)
    kind: str = always("MetricTemplate")
    spec: MetricTemplateSpec
    """What is asked, and of whom."""


class AlertProviderSpec(Model, kw_only=True):
    """How a message is sent; exactly one of address and secretRef."""

    one_of = (
        {"required": ["type", "address"]},
        {"required": ["type", "secretRef"]},
    )

    type: Annotated[str, Schema(enum=("slack", "msteams", "discord", "rocket", "gchat"))] = ""
    """Kind of service."""
    channel: str = ""
    """Channel that messages are posted to; `general` when absent."""
    username: str = ""
    """Name that messages are posted as; `flagger` when absent."""
    address: str = ""
    """Address that messages are posted to; a credential, so better kept in a Secret."""
    proxy: str = ""
    """Address of a proxy."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the address, key `address`, and for Slack the `token`."""


class AlertProvider(Resource, kw_only=True):
    """A service that alerts are sent to."""

    api_version: str = always(API_VERSION)
    kind: str = always("AlertProvider")
    spec: AlertProviderSpec
    """How a message is sent."""
