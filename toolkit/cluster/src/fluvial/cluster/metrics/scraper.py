"""Scrapes every target at an interval and enters what it exposes into the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import aiohttp

from fluvial.cluster.metrics.errors import ExpositionError, TargetsError
from fluvial.cluster.metrics.exposition import Sample, parse
from fluvial.cluster.metrics.series import NAME, Labels, Store, labels_of
from fluvial.cluster.metrics.targets import Target, read_targets

__all__ = ["Scraper", "enter"]

_LOG = logging.getLogger(__name__)
_SHORTEST_TIMEOUT = 2.0
_ACCEPT = {"Accept": "text/plain;version=0.0.4"}


def enter(
    store: Store, target: Target, samples: list[Sample] | None, time: int, before: set[Labels]
) -> set[Labels]:
    """Enter one scrape; returns its series, which are `before` of the next one.

    `samples` is None when the scrape failed. Series that were there before and are not any more
    become stale. A label of the sample that the target has too is kept as `exported_<label>`.
    """
    own = dict(target.labels)
    present: set[Labels] = set()
    for sample in samples or []:
        labels = {f"exported_{key}" if key in own else key: v for key, v in sample.labels.items()}
        series = labels_of({**labels, **own, NAME: sample.name})
        store.append(series, time if sample.timestamp is None else sample.timestamp, sample.value)
        if sample.timestamp is None:
            # A series with times of its own is not marked, as in Prometheus.
            present.add(series)
    for series in before - present:
        store.append(series, time, None)
    store.append(labels_of({**own, NAME: "up"}), time, 0.0 if samples is None else 1.0)
    return present


class Scraper:
    """Follows the file of targets; `ready` is set after the first look at it.

    `now` gives the time in milliseconds.
    """

    def __init__(self, store: Store, path: Path, interval: float, now: Callable[[], int]) -> None:
        self.ready = asyncio.Event()
        self._store = store
        self._path = path
        self._interval = interval
        self._now = now
        self._tasks: dict[Target, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Scrape until cancelled."""
        timeout = aiohttp.ClientTimeout(total=max(self._interval, _SHORTEST_TIMEOUT))
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=_ACCEPT) as session,
            asyncio.TaskGroup() as group,
        ):
            while True:
                try:
                    wanted = await asyncio.to_thread(read_targets, self._path)
                    self._follow(set(wanted), session, group)
                except TargetsError as error:
                    _LOG.warning("the targets stay as they are: %s", error)
                self.ready.set()
                self._store.sweep(self._now())
                await asyncio.sleep(self._interval)

    def _follow(
        self, wanted: set[Target], session: aiohttp.ClientSession, group: asyncio.TaskGroup
    ) -> None:
        for target in self._tasks.keys() - wanted:
            self._tasks.pop(target).cancel()
        for target in wanted - self._tasks.keys():
            self._tasks[target] = group.create_task(self._scrape(target, session))

    async def _scrape(self, target: Target, session: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        before: set[Labels] = set()
        try:
            while True:
                time = self._now()
                samples = await _fetch(target, session)
                before = enter(self._store, target, samples, time, before)
                due = max(due + self._interval, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            # The target is gone: so are its series, from now on.
            before.add(labels_of({**dict(target.labels), NAME: "up"}))
            for series in before:
                self._store.append(series, self._now(), None)


async def _fetch(target: Target, session: aiohttp.ClientSession) -> list[Sample] | None:
    """Return what a target exposes, None when it does not."""
    try:
        async with session.get(target.url) as answer:
            answer.raise_for_status()
            return list(parse(await answer.text()))
    except (aiohttp.ClientError, TimeoutError, ExpositionError, UnicodeDecodeError) as error:
        _LOG.debug("scrape of %s: %s", target.url, error)
        return None
