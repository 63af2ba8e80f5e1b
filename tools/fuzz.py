"""Runs tests marked `fuzz` with new inputs each time, until a number of minutes is over.

    python tools/fuzz.py MINUTES [PATH …]

A round that has begun is finished. The first failure ends it, and hypothesis prints its input.
"""

import os
import subprocess
import sys
import time

ROUND_WITHIN = 3600.0
NOTHING_COLLECTED = 5


def main() -> int:
    """Fuzz; the exit status is that of the last round."""
    minutes, paths = float(sys.argv[1]), sys.argv[2:]
    end = time.monotonic() + minutes * 60
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "fuzz"]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *paths],
            env={**os.environ, "FLUVIAL_EXAMPLES": "fuzz"},
            check=False,
            timeout=ROUND_WITHIN,
        )
        if done.returncode:
            print(f"== round {rounds} failed")
            return NOTHING_COLLECTED if done.returncode == NOTHING_COLLECTED else 1
    print(f"== {rounds} rounds of 2,000 inputs for each test, no failure")
    return 0


if __name__ == "__main__":
    sys.exit(main())
