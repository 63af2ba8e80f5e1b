"""One round of measurements: every metric of an analysis in Flagger's order, until one fails."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from fluvial.apis.flagger import Canary, Metric, MetricProvider, MetricTemplate
from fluvial.apis.kinds import METRIC_TEMPLATE
from fluvial.canary.metrics.evaluation import (
    DURATION,
    SUCCESS_RATE,
    refusal,
    whole_milliseconds,
)
from fluvial.canary.metrics.model import (
    MetricError,
    NoValues,
    QueryError,
    QueryModel,
    UnsupportedMetricProvider,
)
from fluvial.canary.metrics.prometheus import Prometheus
from fluvial.canary.metrics.providers import metric_server
from fluvial.canary.metrics.queries import observer_for
from fluvial.canary.metrics.templates import rendered_query
from fluvial.toolkit.client import Client, ClientError, Resource
from fluvial.toolkit.extensions import MetricProvider as MetricServer

__all__ = ["CheckOutcome", "MetricChecks"]

_SECRETS: Final = Resource("", "v1", "secrets", "Secret")
_INTERVAL: Final = "1m"
_BUILTIN: Final = frozenset({SUCCESS_RATE, DURATION})


@dataclass(slots=True)
class CheckOutcome:
    """What the metrics said.

    `failures` has at most one sentence, as the first failure ends the round. `values` are those
    measured until then, by metric: success rate in percent, duration in seconds, others as they
    were returned.
    """

    failures: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


class _Failed(Exception):  # noqa: N818 -- carries a verdict, not a defect
    """The round ends here; the text is the failure."""


class MetricChecks:
    """Evaluates the metrics of an analysis.

    `metrics_server` answers built-in and inline queries unless the Canary names its own.
    `provider` is the controller's, which decides what built-in queries ask for where the Canary
    names none.
    """

    def __init__(
        self,
        client: Client,
        metrics_server: str,
        session: aiohttp.ClientSession,
        *,
        provider: str = "kubernetes",
    ) -> None:
        self._client = client
        self._server = metrics_server
        self._session = session
        self._provider = provider

    async def check(self, canary: Canary) -> CheckOutcome:
        """Measure: built-in and inline queries in one pass, then those of templates.

        A metric that has two of the three is measured by both. Every error, of the network or of
        the cluster, is a failed check, and no error leaves this method but cancellation.
        """
        outcome = CheckOutcome()
        metrics = canary.spec.analysis.metrics
        try:
            for metric in metrics:
                if metric.name in _BUILTIN:
                    await self._builtin(canary, metric, outcome)
                if metric.query:
                    await self._inline(canary, metric, outcome)
            for metric in metrics:
                if metric.template_ref is not None:
                    await self._templated(canary, metric, outcome)
                else:
                    _check_asks_something(metric)
        except _Failed as failure:
            outcome.failures.append(str(failure))
        return outcome

    async def available(self, canary: Canary) -> str | None:
        """Ask every provider of the analysis something simple; return the first that fails."""
        for metric in canary.spec.analysis.metrics:
            asked = "prometheus"
            try:
                if metric.name in _BUILTIN:
                    await self._builtin_server(canary).check_online()
                elif metric.template_ref is not None:
                    template = await self._template(canary, metric)
                    asked = template.spec.provider.type
                    await (await self._template_server(template)).check_online()
            except MetricError as error:
                where = (
                    "" if metric.name in _BUILTIN else f" in metric template {_ref(canary, metric)}"
                )
                return f"{asked}{where} not available: {error}"
            except _Failed as failure:
                return str(failure)
        return None

    def _builtin_server(self, canary: Canary) -> Prometheus:
        address = canary.spec.metrics_server or self._server
        return Prometheus(self._session, MetricProvider(type="prometheus", address=address))

    async def _builtin(self, canary: Canary, metric: Metric, outcome: CheckOutcome) -> None:
        provider = canary.spec.provider or self._provider
        if canary.spec.provider and "linkerd" in self._provider:
            # The mesh that the controller serves has the evidence, whoever routes.
            provider = "linkerd"
        observer = observer_for(provider, canary.spec.target_ref.kind)
        model = QueryModel.of(canary, metric, metric.interval or _INTERVAL)
        rate = metric.name == SUCCESS_RATE
        query = observer.success_rate(model) if rate else observer.request_duration(model)
        try:
            value = await self._builtin_server(canary).value(query)
        except NoValues as error:
            raise _Failed(
                f"Halt advancement no values found for {provider} metric {metric.name} probably "
                f"{canary.spec.target_ref.name}.{canary.metadata.namespace} is not receiving "
                f"traffic: {error}"
            ) from error
        except MetricError as error:
            raise _Failed(f"Prometheus query failed: {error}") from error
        if rate:
            outcome.values[metric.name] = value
        else:
            value = whole_milliseconds(
                value * (1 if observer.duration.inside else observer.duration.factor)
            )
            outcome.values[metric.name] = value / 1000
        _judge(canary, metric, value, builtin=True)

    async def _inline(self, canary: Canary, metric: Metric, outcome: CheckOutcome) -> None:
        model = QueryModel.of(canary, metric, metric.interval or _INTERVAL)
        try:
            query = rendered_query(metric.query, model)
            value = await self._builtin_server(canary).value(query)
        except NoValues as error:
            raise _Failed(f"Halt advancement no values found for metric: {metric.name}") from error
        except MetricError as error:
            raise _Failed(f"Prometheus query failed for {metric.name}: {error}") from error
        outcome.values[metric.name] = value
        _judge(canary, metric, value, builtin=False)

    async def _templated(self, canary: Canary, metric: Metric, outcome: CheckOutcome) -> None:
        template = await self._template(canary, metric)
        try:
            server = await self._template_server(template)
        except MetricError as error:
            raise _Failed(
                f"Metric template {_ref(canary, metric)} provider {template.spec.provider.type} "
                f"error: {error}"
            ) from error
        try:
            query = rendered_query(
                template.spec.query, QueryModel.of(canary, metric, metric.interval or _INTERVAL)
            )
        except QueryError as error:
            raise _Failed(
                f"Metric template {_ref(canary, metric)} query render error: {error}"
            ) from error
        try:
            value = await server.value(query)
        except NoValues as error:
            raise _Failed(
                f"Halt advancement no values found for custom metric: {metric.name}: {error}"
            ) from error
        except MetricError as error:
            raise _Failed(f"Metric query failed for {metric.name}: {error}") from error
        outcome.values[metric.name] = value
        _judge(canary, metric, value, builtin=False)

    async def _template(self, canary: Canary, metric: Metric) -> MetricTemplate:
        assert metric.template_ref is not None
        namespace = metric.template_ref.namespace or canary.metadata.namespace
        try:
            return await self._client.typed(METRIC_TEMPLATE).get(
                metric.template_ref.name, namespace
            )
        except (ClientError, ValueError) as error:
            raise _Failed(f"Metric template {_ref(canary, metric)} error: {error}") from error

    async def _template_server(self, template: MetricTemplate) -> MetricServer:
        provider = template.spec.provider
        try:
            secret = await self._secret(template) if provider.secret_ref else None
            return metric_server(self._session, provider, secret)
        except UnsupportedMetricProvider as error:
            where = f"{template.metadata.name}.{template.metadata.namespace}"
            raise UnsupportedMetricProvider(f"MetricTemplate {where}: {error}") from error

    async def _secret(self, template: MetricTemplate) -> dict[str, bytes]:
        assert template.spec.provider.secret_ref is not None
        name = template.spec.provider.secret_ref.name
        try:
            secret = await self._client.get(_SECRETS, name, template.metadata.namespace)
            data = secret.get("data") or {}
            return {key: base64.b64decode(value) for key, value in data.items()}
        except (ClientError, ValueError, binascii.Error) as error:
            raise QueryError(f"secret {name} error: {error}") from error


def _judge(canary: Canary, metric: Metric, value: float, *, builtin: bool) -> None:
    failure = refusal(canary, metric, value, builtin=builtin)
    if failure:
        raise _Failed(failure)


def _check_asks_something(metric: Metric) -> None:
    if metric.name not in _BUILTIN and not metric.query:
        raise _Failed(
            "Metric query failed for no usable metrics template and query were configured: "
            f"give metric {metric.name} a templateRef"
        )


def _ref(canary: Canary, metric: Metric) -> str:
    assert metric.template_ref is not None
    namespace = metric.template_ref.namespace or canary.metadata.namespace
    return f"{metric.template_ref.name}.{namespace}"
