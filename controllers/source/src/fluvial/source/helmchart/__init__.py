"""HelmChart: observe what the source and the storage have, decide, act.

`observe` reads the chart's metadata, `decide` is a pure function of what was found, and each
action has a module of its own: `keep` what is stored, or `build` an artifact. What reads a chart
(`metadata`, `helmignore`, `values`, `dependencies`) runs in a worker, behind `jobs`.
"""
