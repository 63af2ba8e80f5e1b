"""Run as `python -m fluvial.canary`."""

from fluvial.canary.main import main

raise SystemExit(main())
