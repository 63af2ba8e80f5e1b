"""Charts that this process has loaded before, by the digest of their archive, within a budget."""

import hashlib
import threading
from collections import OrderedDict
from typing import Final

from fluvial.render.helm._load import load_chart
from fluvial.render.helm._model import Chart
from fluvial.render.helm._versions import HELM_4_3, HelmVersion

__all__ = ["LOADED", "LoadedCharts"]


class LoadedCharts:
    """Charts by the digest of their archive; those used longest ago go first.

    `budget` counts the bytes of their files as they were unpacked, archives of subcharts included:
    what is kept beside those, values and texts, is about as much again.
    """

    def __init__(self, budget: int = 32 * 2**20) -> None:
        self._budget = budget
        self._charts: OrderedDict[tuple[bytes, str], tuple[Chart, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def load(self, archive: bytes, helm_version: HelmVersion = HELM_4_3) -> Chart:
        """Load an archive, or find the chart. The caller owns it. Raises ChartError."""
        key = hashlib.sha256(archive).digest(), helm_version.minor
        with self._lock:
            known = self._charts.get(key)
            if known is not None:
                self._charts.move_to_end(key)
                return known[0].copy()
        chart = load_chart(archive, helm_version)
        size = sum(len(file.data) for part in chart.walk() for file in part.raw)
        if size <= self._budget:
            with self._lock:
                self._size -= self._charts.pop(key, (chart, 0))[1]
                self._charts[key] = chart, size
                self._size += size
                while self._size > self._budget:
                    self._size -= self._charts.popitem(last=False)[1][1]
        return chart.copy()


LOADED: Final = LoadedCharts()
"""The charts of this process."""
