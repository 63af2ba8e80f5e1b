"""`python -m fluvial.source`."""

from fluvial.source.main import main

if __name__ == "__main__":
    raise SystemExit(main())
