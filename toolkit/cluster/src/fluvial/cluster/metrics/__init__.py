"""Metrics of the embedded cluster: what to scrape, a Prometheus to do it, or a small store.

- `scrapetargets.ScrapeTargets` keeps a file of `file_sd_configs` (`serve --scrape-targets FILE`).
- `prometheus.prometheus_config` returns the configuration of a real Prometheus over that file.
- `python -m fluvial.cluster.metrics` is a store for machines without a Prometheus: it scrapes the
  same targets, keeps ten minutes, and answers instant queries at `/api/v1/query` as Prometheus
  2.42 does. What of PromQL it evaluates is said in `evaluation`; everything else is an error with
  status 422, never a number. The grammar comes from the library `promql-parser` (the extra
  `metrics`).

Errors:

    ValueError
    ├── ExpositionError   a target's answer is not in the text format
    ├── TargetsError      the file of targets cannot be read
    └── QueryError        a query cannot be answered; carries Prometheus' `errorType` and status
"""
