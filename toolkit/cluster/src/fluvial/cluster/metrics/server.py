"""The HTTP API of the store: instant queries as Prometheus answers them."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import math
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from fluvial.cluster.metrics.errors import QueryError
from fluvial.cluster.metrics.evaluation import Matrix, Result, evaluate
from fluvial.cluster.metrics.series import Labels, Store

__all__ = ["application", "formatted", "parse_time"]


def application(store: Store, ready: asyncio.Event, now: Callable[[], int]) -> web.Application:
    """Return the application; `now` gives the time in milliseconds."""

    async def query(request: web.Request) -> web.Response:
        given: dict[str, Any] = dict(request.query)
        if request.method == "POST":
            given |= dict(await request.post())
        try:
            text = given.get("query", "")
            moment = parse_time(given["time"]) if given.get("time") else now()
            return _answer(
                {"status": "success", "data": _data(evaluate(text, store, moment), moment)}
            )
        except QueryError as error:
            return _failure(error.status, error.type, str(error))

    async def is_ready(_: web.Request) -> web.Response:
        if not ready.is_set():
            return web.Response(status=503, text="Service Unavailable\n")
        return web.Response(text="The store is ready.\n")

    async def elsewhere(request: web.Request) -> web.Response:
        text = f"{request.path} is not supported by this store, use /api/v1/query"
        return _failure(404, "not_found", text)

    made = web.Application()
    made.router.add_get("/api/v1/query", query)
    made.router.add_post("/api/v1/query", query)
    made.router.add_get("/-/ready", is_ready)
    made.router.add_get("/-/healthy", is_ready)
    made.router.add_route("*", "/{path:.*}", elsewhere)
    return made


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )


def _failure(status: int, type: str, text: str) -> web.Response:
    return _answer({"status": "error", "errorType": type, "error": text}, status)


def parse_time(text: str) -> int:
    """Read a moment, Unix seconds or RFC 3339, as milliseconds. Raises `QueryError`."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            message = f'invalid parameter "time": cannot parse {text!r} to a valid timestamp'
            raise QueryError(message, "bad_data") from None
        seconds = moment.timestamp()
    if not math.isfinite(seconds):
        raise QueryError(f'invalid parameter "time": {text!r} is no moment', "bad_data")
    return round(seconds * 1000)


def formatted(value: float) -> str:
    """Write a value as Prometheus does: the shortest that reads back, without an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(decimal.Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _data(result: Result, time: int) -> dict[str, Any]:
    moment = time / 1000
    if isinstance(result, float):
        return {"resultType": "scalar", "result": [moment, formatted(result)]}
    if isinstance(result, Matrix):
        series = [
            {
                "metric": _metric(labels),
                "values": [[at / 1000, formatted(value)] for at, value in points],
            }
            for labels, points in result.series
        ]
        return {"resultType": "matrix", "result": series}
    vector = [
        {"metric": _metric(labels), "value": [moment, formatted(value)]} for labels, value in result
    ]
    return {"resultType": "vector", "result": vector}


def _metric(labels: Labels) -> dict[str, str]:
    return dict(labels)
