"""Traces: what became of a commit, through every controller, in one place.

Controllers meet only in object status, so there is no call to pass a trace along. What they all
know is the revision, and the trace's id is made from it: each attempt that wrote something is a
span of the trace of its revision, whoever makes it. Needs the extra `otel` of this distribution,
and the variable OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT); without, it
costs nothing.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, cast

from fluvial.apis.ids import Unstructured
from fluvial.toolkit.logs import logger

__all__ = ["Tracing", "revision_of", "trace_id", "tracing"]

_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SAMPLED: Final = 1


class _Provider(Protocol):
    """As much of OpenTelemetry's TracerProvider as is needed here."""

    def get_tracer(self, name: str) -> Any: ...

    def shutdown(self) -> None: ...


class Tracing:
    """Writes spans to a TracerProvider of the OpenTelemetry SDK."""

    def __init__(self, provider: _Provider) -> None:
        self._tracer = provider.get_tracer("fluvial")

    def attempt(
        self,
        obj: Unstructured,
        revision: str,
        began: int,
        ended: int,
        *,
        error: str | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """Record an attempt at an object; `began` and `ended` are nanoseconds since 1970.

        Without a revision nothing is recorded: there is no trace that it belongs to.
        """
        if not revision:
            return
        from opentelemetry.trace import (  # noqa: PLC0415 - an extra
            NonRecordingSpan,
            SpanContext,
            Status,
            StatusCode,
            TraceFlags,
            set_span_in_context,
        )

        number = trace_id(revision)
        root = SpanContext(
            number, number & (1 << 64) - 1, is_remote=True, trace_flags=TraceFlags(_SAMPLED)
        )
        metadata = obj["metadata"]
        attributes = {
            "fluvial.revision": revision,
            "k8s.object.kind": obj["kind"],
            "k8s.object.name": metadata["name"],
            "k8s.namespace.name": metadata.get("namespace", ""),
            "k8s.object.generation": metadata.get("generation", 0),
            **(facts or {}),
        }
        name = f"{obj['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"
        context = set_span_in_context(NonRecordingSpan(root))
        span = self._tracer.start_span(name, context, attributes=attributes, start_time=began)
        span.set_status(Status(StatusCode.OK if error is None else StatusCode.ERROR, error))
        span.end(ended)


def trace_id(revision: str) -> int:
    """Return the trace of a revision: 128 bits of its digest's hash.

    `main@sha1:…` and `v1.2@sha1:…` are one commit and so one trace.
    """
    digest = revision.rpartition("@")[2]
    return int.from_bytes(hashlib.sha256(digest.encode()).digest()[:16])


def revision_of(obj: Unstructured) -> str:
    """Find in a status which revision of a source it is about; empty where it says none."""
    status = obj.get("status") or {}
    artifact = status.get("artifact") or {}
    return cast(
        "str",
        status.get("observedSourceArtifactRevision")
        or artifact.get("revision")
        or status.get("lastAttemptedRevision")
        or "",
    )


@asynccontextmanager
async def tracing(service: str) -> AsyncIterator[Tracing | None]:
    """Export spans in the background for as long as this is entered; None where nobody asked."""
    if not any(os.environ.get(name) for name in _VARIABLES):
        yield None
        return
    try:
        # Imported here: an extra, and 30 MB.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        logger("tracing").error(
            "no traces: OpenTelemetry is not installed; add the extra otel", error=error
        )
        yield None
        return
    name = os.environ.get("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield Tracing(provider)
    finally:
        await asyncio.to_thread(provider.shutdown)
