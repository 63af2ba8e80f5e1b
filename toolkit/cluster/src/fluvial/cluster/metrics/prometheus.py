"""The configuration of a real Prometheus over the same targets."""

from __future__ import annotations

from pathlib import Path

from fluvial.render import yaml

__all__ = ["prometheus_config"]


def prometheus_config(targets: Path, scrape_interval: str = "500ms") -> str:
    """Return a `prometheus.yml`; `targets` is the file of `serve --scrape-targets`.

    Jobs and labels come from that file. Start it with `--storage.tsdb.path` and
    `--web.listen-address` of your own.
    """
    return yaml.dump(
        {
            "global": {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval},
            "scrape_configs": [
                {
                    "job_name": "fluvial",
                    "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
                }
            ],
        }
    )
