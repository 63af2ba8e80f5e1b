"""Records anew what the real helm makes of every case; run it as a script.

A case is added to one of `cases/*.json` as `{"rule": …, "template": …}`; whether it prints (`want`)
or fails (`error`) is found here. The cases of the render distribution's own tests are recorded too.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from oracle import failure, printed, problems

HERE = Path(__file__).parent
UNIT = HERE.parents[2] / "toolkit/render/tests/gotemplate/cases.json"


def record_topics() -> None:
    """Rewrite the files of cases."""
    shared = json.loads((HERE / "cases" / "chart.json").read_text())
    paths = [path for path in sorted((HERE / "cases").glob("*.json")) if path.stem != "chart"]
    topics = {path: json.loads(path.read_text()) for path in paths}
    cases = [case for topic in topics.values() for case in topic["cases"]]
    with tempfile.TemporaryDirectory() as folder:
        found = problems(
            Path(folder), shared["values"], [case["template"] for case in cases], shared["files"]
        )
        for case, problem in zip(cases, found, strict=True):
            case.pop("want", None)
            case.pop("error", None)
            if problem is not None:
                case["error"] = problem
        printing = [case for case in cases if "error" not in case]
        texts = [case["template"] for case in printing]
        wants = printed(Path(folder), shared["values"], texts, shared["files"])
        for case, want in zip(printing, wants, strict=True):
            case["want"] = want
    for path, topic in topics.items():
        lines = ",\n".join(f"  {json.dumps(case, ensure_ascii=False)}" for case in topic["cases"])
        path.write_text(f'{{"topic": {json.dumps(topic["topic"])}, "cases": [\n{lines}\n]}}\n')


def record_unit() -> None:
    """Rewrite the cases of the distribution's own tests."""
    known = json.loads(UNIT.read_text())
    values = known["values"]
    with tempfile.TemporaryDirectory() as folder:
        wants = printed(Path(folder), values, [case["template"] for case in known["cases"]])
        for case, want in zip(known["cases"], wants, strict=True):
            case["want"] = want
    for case in known["failures"]:
        with tempfile.TemporaryDirectory() as folder:
            case["error"] = failure(Path(folder), values, case["template"])
    UNIT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    record_topics()
    record_unit()
