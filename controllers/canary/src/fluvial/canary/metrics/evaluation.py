"""Whether a value passes: pure rules, and the sentences that say why it does not.

`thresholdRange` outranks the deprecated `threshold`; its bounds pass themselves. A metric without
either is compared with a threshold of zero, as upstream: a success rate then always passes, and
everything else passes at zero only.
"""

import math
from typing import Final

from fluvial.apis.duration import format_duration
from fluvial.apis.flagger import Canary, Metric

__all__ = ["DURATION", "SUCCESS_RATE", "refusal", "whole_milliseconds"]

SUCCESS_RATE: Final = "request-success-rate"
DURATION: Final = "request-duration"


def refusal(canary: Canary, metric: Metric, value: float, *, builtin: bool) -> str | None:
    """Return why a value halts the release, in upstream's words, or None when it passes.

    `value` is in percent for the built-in success rate and in whole milliseconds for the built-in
    duration; bounds of the latter are truncated to whole milliseconds too. `builtin` is False for
    the result of an own query, whatever the metric is called.
    """
    rate = builtin and metric.name == SUCCESS_RATE
    duration = builtin and metric.name == DURATION
    low, high = _bounds(metric, rate=rate)
    if duration:
        low = None if low is None else math.trunc(low)
        high = None if high is None else math.trunc(high)
    if low is not None and value < low:
        sign, bound = "<", low
    elif high is not None and value > high:
        sign, bound = ">", high
    else:
        return None
    if duration:
        subject, seen, limit = "request duration", _milliseconds(value), _milliseconds(bound)
    elif rate:
        subject, seen, limit = "success rate", f"{_fixed(value)}%", f"{_shortest(bound)}%"
    else:
        subject, seen, limit = metric.name, _fixed(value), _shortest(bound)
    name = f"{canary.metadata.name}.{canary.metadata.namespace}"
    return f"Halt {name} advancement {subject} {seen} {sign} {limit}"


def whole_milliseconds(value: float) -> float:
    """Cut a fraction of a millisecond off; an infinite value stays what it is."""
    return float(math.trunc(value)) if math.isfinite(value) else value


def _bounds(metric: Metric, *, rate: bool) -> tuple[float | None, float | None]:
    if metric.threshold_range is not None:
        return metric.threshold_range.min, metric.threshold_range.max
    return (metric.threshold, None) if rate else (None, metric.threshold)


def _milliseconds(value: float) -> str:
    return format_duration(value / 1000) if math.isfinite(value) else _fixed(value)


def _fixed(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.2f}"


def _shortest(value: float) -> str:
    """Write a bound as Go's `%v` does: the shortest digits that read back the same."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return repr(value)
