"""Runs each distribution's tests in an environment that has only its declared dependencies.

A distribution that imports what it does not declare works on a developer's machine and nowhere
else. Versions are those of requirements.txt, so that both runs test the same code.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
TEST_TOOLS = ("pytest", "pytest-asyncio", "pytest-xdist", "hypothesis")
NO_TESTS = 5


def projects() -> dict[str, pathlib.Path]:
    """Map distribution names to their folders."""
    members = [ROOT / line for line in (ROOT / "members.txt").read_text().split()]
    return {project(folder)["name"]: folder for folder in members}


def project(folder: pathlib.Path) -> dict:
    """Read the [project] table of a member."""
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def closure(name: str, folders: dict[str, pathlib.Path]) -> list[str]:
    """List a distribution and the members that it depends on, directly or not."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.append(current)
        for dependency in project(folders[current])["dependencies"]:
            match = re.match(r"fluvial-[a-z]+", dependency)
            if match:
                waiting.append(match.group())
    return found


def constraints() -> pathlib.Path:
    """Write the pinned versions without their hashes: uv wants either all hashes or none."""
    locked = (ROOT / "requirements.txt").read_text()
    pins = re.findall(r"^[A-Za-z0-9_.-]+==[^\s\\]+(?: ;[^\\\n]+)?", locked, re.MULTILINE)
    path = ROOT / ".envs" / "constraints.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(pins) + "\n")
    return path


def run(name: str, folders: dict[str, pathlib.Path], pins: pathlib.Path) -> tuple[str, int, str]:
    """Make the environment and run the tests in it; return name, exit status and output."""
    folder = folders[name]
    environment = ROOT / ".envs" / name
    editable = []
    for member in closure(name, folders):
        extras = ",".join(project(folders[member]).get("optional-dependencies", {}))
        suffix = f"[{extras}]" if member == name and extras else ""
        editable += ["-e", f"{folders[member]}{suffix}"]
    python = str(environment / "bin" / "python")
    steps = [
        [
            str(BIN / "uv"),
            "venv",
            "--quiet",
            "--clear",
            "--python",
            str(BIN / "python"),
            str(environment),
        ],
        [
            str(BIN / "uv"),
            "pip",
            "install",
            "--quiet",
            "--python",
            python,
            "-c",
            str(pins),
            *editable,
            *TEST_TOOLS,
        ],
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "tests")],
    ]
    output = ""
    status = 0
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, check=False, text=True, capture_output=True)
        output, status = done.stdout + done.stderr, done.returncode
        if status:
            break
    return name, status, output


def main() -> int:
    """Run all, or those named on the command line, two at a time; fail when one fails."""
    folders = projects()
    names = sys.argv[1:] or list(folders)
    pins = constraints()
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, status, output in pool.map(lambda name: run(name, folders, pins), names):
            lines = output.strip().splitlines()
            if status:
                failed.append(name)
                print(f"== {name}: exit status {status}", *lines[-60:], sep="\n")
                if status == NO_TESTS:
                    print(f"{name} has no tests: every distribution must have some")
            else:
                print(f"== {name}: {lines[-1] if lines else 'no output'}")
    if failed:
        print("failed:", *failed)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
