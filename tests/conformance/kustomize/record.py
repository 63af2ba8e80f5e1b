"""Records what the oracle makes of the cases: `python tests/conformance/kustomize/record.py`.

Run it after adding a case; it writes `expected.yaml` from the real kustomize, and `error.txt` from
our engine where the real one fails, and refuses when only one of the two fails.
"""

import sys

from test_cases import CASES, NAMES, run, run_oracle


def main() -> int:
    """Write the files; the exit status says whether the engines disagreed."""
    differ = []
    for name in NAMES:
        case = CASES / name
        result = run_oracle(case)
        output, error = run(case)
        if bool(result.returncode) != bool(error) or (not error and output != result.stdout):
            differ.append(name)
            continue
        (case / "expected.yaml").unlink(missing_ok=True)
        (case / "error.txt").unlink(missing_ok=True)
        if error:
            (case / "error.txt").write_text(error)
        else:
            (case / "expected.yaml").write_text(result.stdout)
    print(f"{len(NAMES) - len(differ)} of {len(NAMES)} cases are identical")
    print("\n".join(differ))
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
