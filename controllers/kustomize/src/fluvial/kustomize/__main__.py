"""Run as `python -m fluvial.kustomize`."""

from fluvial.kustomize.main import main

raise SystemExit(main())
