"""Breaks the code in known places, one at a time, and asks whether the tests notice.

`tests/mutation/<name>.toml` names a source folder, the tests that guard it, how many breaks may go
unnoticed, and the breaks: a file, a text that stands there exactly once, and what replaces it.
Where `tests` is a table of several groups, each break names the group that guards it.
Each break is made in a copy of the source folder that is found before the installed one.

    python tools/mutate.py [NAME …]
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUITES = ROOT / "tests" / "mutation"
WITHIN = 900.0
TESTS_FAILED = 1


def broken(source: pathlib.Path, mutant: dict[str, str], folder: pathlib.Path) -> pathlib.Path:
    """Copy the source and break the copy; a text that no longer stands there once ends the run."""
    copy = folder / "src"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / mutant["file"]
    text = path.read_text()
    if text.count(mutant["old"]) != 1:
        raise SystemExit(f"{mutant['id']}: {mutant['old']!r} must stand once in {mutant['file']}")
    path.write_text(text.replace(mutant["old"], mutant["new"]))
    return copy


def caught(suite: dict, mutant: dict[str, str]) -> tuple[str, bool, str]:
    """Run the guarding tests on one break; return its name, whether they failed, and how."""
    with tempfile.TemporaryDirectory() as folder:
        copy = broken(ROOT / suite["source"], mutant, pathlib.Path(folder))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        tests = suite["tests"]
        done = subprocess.run(
            [*command, *(tests[mutant["tests"]] if isinstance(tests, dict) else tests)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    noticed = done.returncode == TESTS_FAILED or (done.returncode > TESTS_FAILED and bool(lines))
    return mutant["id"], noticed, lines[0] if lines else done.stdout.strip()[-200:]


def run(path: pathlib.Path) -> bool:
    """Run one suite, two breaks at a time; tell whether enough of them were noticed."""
    suite = tomllib.loads(path.read_text())
    mutants = suite["mutant"]
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, noticed, how in pool.map(lambda mutant: caught(suite, mutant), mutants):
            print(f"{'caught  ' if noticed else 'SURVIVED'} {name}: {how}", flush=True)
            if not noticed:
                survivors.append(name)
    print(f"== {path.stem}: {len(mutants) - len(survivors)} of {len(mutants)} caught")
    return len(survivors) <= suite["may_survive"]


def main() -> int:
    """Run the suites named on the command line, or all; fail when one lets too much through."""
    names = sys.argv[1:] or sorted(path.stem for path in SUITES.glob("*.toml"))
    results = [run(SUITES / f"{name}.toml") for name in names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
