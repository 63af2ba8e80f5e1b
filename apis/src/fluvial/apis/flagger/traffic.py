"""Istio's traffic policy, CORS, retries and rewrites, as Canary objects carry them."""

# ruff: noqa: RUF012 -- msgspec gives every instance its own copy of an empty default

from typing import Annotated

from fluvial.apis.flagger.matching import OriginMatch
from fluvial.apis.schema import Int32, Model, Schema

__all__ = [
    "ConnectionPool",
    "ConsistentHash",
    "CorsPolicy",
    "HTTPConnectionPool",
    "HTTPCookie",
    "HTTPRetry",
    "HTTPRewrite",
    "HeaderOperations",
    "Headers",
    "LoadBalancer",
    "LocalityDistribution",
    "LocalityFailover",
    "LocalityLoadBalancer",
    "OutlierDetection",
    "TLSSettings",
    "TrafficPolicy",
]


class HTTPConnectionPool(Model, kw_only=True):
    """Limits of HTTP connections."""

    h2_upgrade_policy: Annotated[str, Schema(enum=("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"))] = ""
    """Whether connections are upgraded to HTTP/2."""
    http1_max_pending_requests: Int32 = 0
    """Requests that may wait for a connection."""
    http2_max_requests: Int32 = 0
    """Requests that may run at once."""
    idle_timeout: str = ""
    """How long a connection may be idle."""
    max_requests_per_connection: Int32 = 0
    """Requests per connection."""
    max_retries: Int32 = 0
    """Retries that may run at once."""


class ConnectionPool(Model, kw_only=True):
    """Limits of connections."""

    http: HTTPConnectionPool | None = None
    """Limits of HTTP connections."""


class HTTPCookie(Model, kw_only=True):
    """A cookie to hash by."""

    name: str = ""
    """Name of the cookie."""
    path: str = ""
    """Path of the cookie."""
    ttl: str | None = None
    """How long the cookie lives."""


class ConsistentHash(Model, kw_only=True):
    """A choice of endpoint by a hash."""

    http_header_name: str = ""
    """Hash by this header."""
    http_cookie: HTTPCookie | None = None
    """Hash by this cookie."""
    use_source_ip: bool = False
    """Hash by the address of who asks."""
    http_query_parameter_name: str = ""
    """Hash by this query parameter."""
    minimum_ring_size: int = 0
    """Least number of virtual nodes."""


class LocalityDistribution(Model, kw_only=True):
    """How traffic from one place is distributed."""

    from_: str = ""
    """Where it comes from, `region/zone/subzone`."""
    to: dict[str, int] = {}
    """Where it goes, in percent."""


class LocalityFailover(Model, kw_only=True):
    """Where traffic goes when a place is unhealthy."""

    from_: str = ""
    """The unhealthy region."""
    to: str = ""
    """The region that stands in."""


class LocalityLoadBalancer(Model, kw_only=True):
    """Load balancing by place."""

    distribute: list[LocalityDistribution] = []
    """Distribution by place; this or failover."""
    failover: list[LocalityFailover] = []
    """Who stands in for whom; this or distribute."""
    enabled: bool | None = None
    """Switch for both."""


class LoadBalancer(Model, kw_only=True):
    """How endpoints are chosen: simple or by a hash."""

    one_of = (
        {"required": ["simple"]},
        {
            "required": ["consistentHash"],
            "properties": {
                "consistentHash": {
                    "oneOf": [
                        {"required": ["httpHeaderName"]},
                        {"required": ["httpCookie"]},
                        {"required": ["useSourceIp"]},
                        {"required": ["httpQueryParameterName"]},
                    ]
                }
            },
        },
    )

    simple: Annotated[
        str,
        Schema(enum=("ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "LEAST_REQUEST")),
    ] = ""
    """A choice that keeps no state."""
    consistent_hash: ConsistentHash | None = None
    """A choice by a hash."""
    locality_lb_setting: LocalityLoadBalancer | None = None
    """Load balancing by place."""
    warmup_duration_secs: str | None = None
    """How long a new endpoint is given less traffic."""


class OutlierDetection(Model, kw_only=True):
    """When an endpoint is taken out."""

    consecutive_errors: Int32 = 0
    """Errors in a row."""
    consecutive5xx_errors: int = 0
    """Answers of the 500s in a row."""
    consecutive_gateway_errors: Int32 = 0
    """Gateway errors in a row."""
    consecutive_local_origin_failures: Int32 = 0
    """Failures in a row that arose locally."""
    split_external_local_origin_errors: bool = False
    """Tell local failures from those of the endpoint."""
    interval: str = ""
    """How often endpoints are looked at."""
    base_ejection_time: str = ""
    """How long an endpoint is out at least."""
    max_ejection_percent: Int32 = 0
    """How many endpoints may be out, in percent."""
    min_health_percent: Int32 = 0
    """Detection stops when fewer endpoints than this are healthy, in percent."""


class TLSSettings(Model, kw_only=True):
    """TLS towards the endpoints."""

    mode: Annotated[str, Schema(enum=("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"))] = ""
    """Whether and how TLS is spoken."""
    client_certificate: str = ""
    """File with the client's certificate."""
    private_key: str = ""
    """File with the client's key."""
    ca_certificates: str = ""
    """File with the certificate authorities."""
    subject_alt_names: list[str] = []
    """Names that the endpoint may have."""
    sni: str = ""
    """Name that is asked for."""


class TrafficPolicy(Model, kw_only=True):
    """The policy of the generated DestinationRules (Istio)."""

    connection_pool: ConnectionPool | None = None
    """Limits of connections."""
    load_balancer: LoadBalancer | None = None
    """How endpoints are chosen."""
    outlier_detection: OutlierDetection | None = None
    """When an endpoint is taken out."""
    tls: TLSSettings | None = None
    """TLS towards the endpoints."""


class HTTPRewrite(Model, kw_only=True):
    """A change of the request before it is forwarded."""

    uri: str = ""
    """Path to put in place of what was matched."""
    authority: str = ""
    """Host to put in place."""
    type: str = ""
    """Gateway API: `ReplacePrefixMatch`; anything else replaces the full path."""


class HTTPRetry(Model, kw_only=True):
    """How failed requests are tried again."""

    attempts: Int32 = 0
    """Number of tries."""
    per_try_timeout: str = ""
    """Time limit of each try."""
    retry_on: str = ""
    """Conditions for another try."""


class HeaderOperations(Model, kw_only=True):
    """Changes of headers."""

    add: dict[str, str] = {}
    """Headers to append."""
    set: dict[str, str] = {}
    """Headers to overwrite."""
    remove: list[str] = []
    """Headers to remove."""


class Headers(Model, kw_only=True):
    """Changes of the headers of requests and responses."""

    request: HeaderOperations | None = None
    """Changes before the request is forwarded."""
    response: HeaderOperations | None = None
    """Changes before the answer is returned."""


class CorsPolicy(Model, kw_only=True):
    """Cross-origin resource sharing."""

    allow_origin: list[str] = []
    """Origins that may ask."""
    allow_origins: list[OriginMatch] = []
    """Matches of origins that may ask."""
    allow_methods: list[str] = []
    """Methods that may be used."""
    allow_headers: list[str] = []
    """Headers that may be sent."""
    expose_headers: list[str] = []
    """Headers that scripts may read."""
    max_age: str = ""
    """How long the answer to a preflight request may be kept."""
    allow_credentials: bool | None = None
    """Whether credentials may be sent."""
