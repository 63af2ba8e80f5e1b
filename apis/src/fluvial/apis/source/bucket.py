"""Bucket: the objects of a bucket as an artifact."""

from typing import Annotated

from fluvial.apis.meta import LocalObjectReference, Resource
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

__all__ = ["Bucket", "BucketSTS", "BucketSpec", "BucketStatus"]


class BucketSTS(Model, kw_only=True):
    """A security token service that gives temporary credentials."""

    provider: Annotated[str, Schema(enum=("aws", "ldap"))]
    """Kind of service: aws for the provider aws, ldap for the provider generic."""
    endpoint: Annotated[str, Schema(pattern="^(http|https)://.*$")]
    """Address of the service."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the credentials; only for ldap."""
    cert_secret_ref: LocalObjectReference | None = None
    """Secret with TLS certificates; only for ldap."""


class BucketSpec(Model, kw_only=True):
    """Which bucket to fetch, how often, and with which credentials."""

    cel_rules = (
        Rule(
            "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
            "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
        ),
        Rule(
            "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
            "'aws' is the only supported STS provider for the 'aws' Bucket provider",
        ),
        Rule(
            "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
            "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
        ),
        Rule(
            "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
            "spec.sts.secretRef is not required for the 'aws' STS provider",
        ),
        Rule(
            "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
            "spec.sts.certSecretRef is not required for the 'aws' STS provider",
        ),
        Rule(
            "self.provider != 'generic' || !has(self.serviceAccountName)",
            "ServiceAccountName is not supported for the 'generic' Bucket provider",
        ),
        Rule(
            "!has(self.secretRef) || !has(self.serviceAccountName)",
            "cannot set both .spec.secretRef and .spec.serviceAccountName",
        ),
    )

    provider: Annotated[str, Schema(enum=("generic", "aws", "gcp", "azure"))] = defaulted("generic")
    """Kind of storage service; generic and aws speak S3."""
    bucket_name: str
    """Name of the bucket, or of the container."""
    endpoint: str
    """Host and port of the service; for azure its URL."""
    sts: BucketSTS | None = None
    """Where temporary credentials come from."""
    insecure: bool = False
    """Speak plain HTTP."""
    region: str = ""
    """Region of the bucket."""
    prefix: str = ""
    """Take only objects whose keys start so; the prefix stays in their paths."""
    secret_ref: LocalObjectReference | None = None
    """Secret with the credentials."""
    service_account_name: str = ""
    """ServiceAccount whose identity is used with a cloud provider."""
    cert_secret_ref: LocalObjectReference | None = None
    """Secret with `ca.crt`, or `tls.crt` and `tls.key`, or all three; only for generic."""
    proxy_secret_ref: LocalObjectReference | None = None
    """Secret with the address and credentials of a proxy."""
    interval: Interval
    """How often the bucket is looked at."""
    timeout: Timeout = defaulted("60s")
    """Time limit of listing, and again of downloading."""
    ignore: str | None = None
    """Rules in gitignore syntax of what is left out of the artifact."""
    suspend: bool = False
    """Do not reconcile for now."""


class BucketStatus(SourceStatus, kw_only=True):
    """What was last observed and stored."""

    url: str = ""
    """Address of the latest artifact."""
    observed_ignore: str | None = None
    """The ignore rules of the stored artifact."""


class Bucket(Resource, kw_only=True):
    """A bucket of an object store whose objects are offered as an artifact."""

    api_version: str = always(API_VERSION)
    kind: str = always("Bucket")
    spec: BucketSpec
    """What is wanted."""
    status: BucketStatus = unobserved(BucketStatus)
    """What is."""
