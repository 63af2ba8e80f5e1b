"""Records anew what the real helm makes of every case; run it as a script.

Cases are added to toolkit/render/tests/gotemplate/cases.json without `want` or `error`.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from oracle import failure, printed

CASES = Path(__file__).parents[3] / "toolkit/render/tests/gotemplate/cases.json"


def main() -> None:
    """Rewrite the file."""
    known = json.loads(CASES.read_text())
    values = known["values"]
    with tempfile.TemporaryDirectory() as folder:
        wants = printed(Path(folder), values, [case["template"] for case in known["cases"]])
        for case, want in zip(known["cases"], wants, strict=True):
            case["want"] = want
    for case in known["failures"]:
        with tempfile.TemporaryDirectory() as folder:
            case["error"] = failure(Path(folder), values, case["template"])
    CASES.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
