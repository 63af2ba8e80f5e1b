"""Run as `python -m fluvial.helm`."""

from fluvial.helm.main import main

raise SystemExit(main())
