"""Records what the oracle makes of the charts: `python tests/conformance/helm/record.py`.

Run it after adding a chart; it writes `expected/<name>.yaml` from the real helm, or
`expected/<name>.error` from our engine where the real one fails, and refuses what only one does.
"""

import sys

from test_charts import EXPECTED, NAMES, ours, theirs


def main() -> int:
    """Write the files; the exit status says whether the engines disagreed."""
    differ = []
    EXPECTED.mkdir(exist_ok=True)
    for name in NAMES:
        (output, error), (real, refusal) = ours(name), theirs(name)
        if bool(error) != bool(refusal) or output != real:
            differ.append(name)
            print(f"== {name}: {error}{refusal}")
            continue
        (EXPECTED / f"{name}.yaml").unlink(missing_ok=True)
        (EXPECTED / f"{name}.error").unlink(missing_ok=True)
        ending, text = ("error", error) if error else ("yaml", output)
        (EXPECTED / f"{name}.{ending}").write_bytes(text.encode())
    print(f"{len(NAMES) - len(differ)} of {len(NAMES)} charts are identical")
    print("\n".join(differ))
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
