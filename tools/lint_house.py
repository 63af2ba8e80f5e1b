"""Checks what no off-the-shelf linter knows: the namespace stays implicit, files stay small."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 1000


def main() -> int:
    """Print every finding; the exit status says whether there was one."""
    findings = []
    for member in (ROOT / "members.txt").read_text().split():
        stray = ROOT / member / "src" / "fluvial" / "__init__.py"
        if stray.exists():
            findings.append(f"{stray.relative_to(ROOT)}: hides every other distribution")
        for path in (ROOT / member).rglob("*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines >= LONGEST:
                findings.append(f"{path.relative_to(ROOT)}: {lines} lines are two files")
    print("\n".join(findings) or "the house is in order")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
