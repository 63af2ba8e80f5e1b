#!/bin/sh
# Writes requirements.txt: every dependency of every distribution and of development, by name,
# version and hash only. Run it after a change of dependencies.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
.venv/bin/python - > "$tmp/in.txt" <<'PY'
import pathlib, tomllib
for member in pathlib.Path("members.txt").read_text().split():
    project = tomllib.loads((pathlib.Path(member) / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [d for x in project.get("optional-dependencies", {}).values() for d in x]
    print("\n".join(d for d in wanted if not d.startswith("fluvial-")))
print("\n".join(tomllib.loads(pathlib.Path("pyproject.toml").read_text())["dependency-groups"]["dev"]))
PY
.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate -o requirements.txt "$tmp/in.txt"
